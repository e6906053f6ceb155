#pragma once
/// Warden: the thread that starts our processes and looks after what runs too long.

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "executor/process/child.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ic::executor::process {

namespace limits {
/// Ours: how late the warden may notice that something has to end.
inline constexpr std::chrono::milliseconds warden_period{10};
} // namespace limits

/// Something that the warden looks at while anything is armed.
class Watched {
public:
    virtual ~Watched() = default;
    /// Called on the warden's thread; must not block.
    virtual void look(Instant now) = 0;
};

/// One thread. It alone starts processes, because the kernel ties a child's life (PR_SET_PDEATHSIG)
/// to the thread that started it. It sleeps when nothing is armed.
/// Threads: every member from any. Lifetime: longer than every Child and Watched.
class Warden {
public:
    Warden();
    ~Warden();

    /// Errors: as Child::start.
    Result<Child> start(const ChildOptions& options, UniqueFd channel);

    /// From here on `watched` is looked at. Lifetime: until `remove`.
    void add(Watched& watched);
    void remove(Watched& watched);

    /// Counts what runs: while it is not zero there is a look every warden_period.
    void arm();
    void disarm();

    /// Of what is armed now.
    int armed() const { return armed_.load(std::memory_order_relaxed); }

private:
    void work();
    void look_around();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::function<void()>> requests_;
    bool ending_ = false;
    std::atomic<int> armed_{0};
    std::atomic<bool> asleep_{false};

    std::mutex watched_mutex_;
    std::vector<Watched*> watched_;
    std::thread thread_;
};

/// Arms the warden for a scope.
class Armed {
public:
    explicit Armed(Warden& warden) : warden_(warden) { warden_.arm(); }

    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;

    ~Armed() { warden_.disarm(); }

private:
    Warden& warden_;
};

} // namespace ic::executor::process
