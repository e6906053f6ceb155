#pragma once
/// KuboDialler: keeps our Kubo connected to those of machines that this one was paired with.

#include "kubo/rpc.h"
#include "net/event_loop.h"
#include "wiring/asker.h"
#include "wiring/redial.h"

#include <memory>
#include <string>
#include <vector>

namespace ic::wiring {

/// Dials one after another, on a thread of its own: where nobody is it takes
/// `limits::dial_time_max`.
/// Threads: the loop's. Lifetime: within that of the loop and `rpc`; its end waits for what is
/// being asked.
class KuboDialler {
public:
    /// Of nobody yet.
    KuboDialler(net::EventLoop& loop, kubo::Rpc& rpc, const RedialTiming& timing = {});
    KuboDialler(const KuboDialler&) = delete;
    KuboDialler& operator=(const KuboDialler&) = delete;
    ~KuboDialler();

    /// Whom to keep connected from now on: addresses of each, with `/p2p/PEER` at their ends. It
    /// disconnects nobody.
    void keep_connected(std::vector<std::vector<std::string>> peers);

private:
    void go_on();
    void dialled(const Redial::Due& due, Redial::Outcome outcome);

    net::EventLoop& loop_;
    kubo::Rpc& rpc_;
    Redial redial_;
    bool dialling_ = false;
    net::TimerId timer_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< For work posted to the loop.
    Asker asker_;                                                // Last: it uses all of the above.
};

} // namespace ic::wiring
