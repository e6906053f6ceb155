#pragma once
/// KuboDialler: keeps our Kubo connected to those of machines that this one was paired with.

#include "kubo/rpc.h"
#include "net/event_loop.h"
#include "wiring/asker.h"
#include "wiring/providers.h"
#include "wiring/redial.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ic::wiring {

namespace limits {
/// Ours: peers that are dialled at once, each from a thread of its own. So many that nobody waits
/// long behind machines that are off, so few that Kubo hardly notices.
inline constexpr std::size_t kubo_dials_at_once_max = 8;
} // namespace limits

struct KuboDiallerOptions {
    RedialTiming redial{};
    std::chrono::milliseconds dial_time_max{limits::dial_time_max};
};

/// Dials several at once, on threads of its own: where nobody is, one takes `dial_time_max`.
/// Threads: the loop's. Lifetime: within that of the loop and `rpc`; its end waits for what is
/// being asked.
class KuboDialler {
public:
    /// Of nobody yet.
    KuboDialler(net::EventLoop& loop, kubo::Rpc& rpc, const KuboDiallerOptions& options = {});
    KuboDialler(const KuboDialler&) = delete;
    KuboDialler& operator=(const KuboDialler&) = delete;
    ~KuboDialler();

    /// Whom to keep connected from now on: addresses of each, with `/p2p/PEER` at their ends. It
    /// disconnects nobody.
    void keep_connected(std::vector<std::vector<std::string>> peers);

    /// Our Kubo was not there, and is again: nobody is connected, and nobody failed.
    void start_over();

private:
    void go_on();
    void dial(const Redial::Due& due);
    Asker& free_asker();
    Redial::Outcome connect(const std::vector<std::string>& addresses) const;

    net::EventLoop& loop_;
    kubo::Rpc& rpc_;
    const std::chrono::milliseconds dial_time_max_;
    Redial redial_;
    net::TimerId timer_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< For work posted to the loop.
    std::atomic<bool> ending_{false};                            ///< For what is being asked.
    std::vector<Asker*> free_{};                                 ///< Of `askers_`.
    /// As many as were needed at once. Last: they use all of the above.
    std::vector<std::unique_ptr<Asker>> askers_{};
};

} // namespace ic::wiring
