#pragma once
/// Announcer: has a Kubo tell the network which results it has, when there is time for it.

#include "base/time.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <thread>

namespace ic::wiring {

namespace limits {
/// Ours: CIDs that wait to be provided. Beyond it the oldest goes: Kubo provides what it keeps by
/// itself too, in its own time.
inline constexpr std::size_t provides_waiting_max = 1'024;
} // namespace limits

struct AnnouncerOptions {
    /// Between two `routing/provide`: each walks a part of the network.
    std::chrono::milliseconds provide_every{500};
    std::chrono::milliseconds provide_time_max{30'000};
    /// After a failure nothing is tried for so long.
    std::chrono::milliseconds rest_time{5'000};
};

/// Best effort, one after another, the newest first: whoever reads a result does so soon after it
/// was made. Threads: any. The destructor leaves what waits.
class Announcer {
public:
    struct Counts {
        std::uint64_t provided = 0;
        std::uint64_t failed = 0;
        std::uint64_t dropped = 0; ///< Too many waited.
    };

    /// Lifetime: `rpc` outlives it.
    explicit Announcer(kubo::Rpc& rpc, AnnouncerOptions options = {});
    Announcer(const Announcer&) = delete;
    Announcer& operator=(const Announcer&) = delete;
    ~Announcer();

    /// What Kubo has, and is to provide. Never blocks.
    void add(std::span<const Cid> cids);

    /// The same, of what is provided only while nothing else waits, the oldest first; and what goes
    /// first where too much does. Never blocks.
    void add_behind(std::span<const Cid> cids);

    Counts counts() const;

private:
    enum class Place : std::uint8_t { next, behind };

    void add(std::span<const Cid> cids, Place place);
    void run();
    bool provide(const Cid& cid);

    kubo::Rpc& rpc_;
    const AnnouncerOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    std::deque<Cid> waiting_; ///< The next one is the last.
    Counts counts_;
    std::thread thread_; // Last: it uses all of the above.
};

} // namespace ic::wiring
