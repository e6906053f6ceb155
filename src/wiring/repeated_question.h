#pragma once
/// RepeatedQuestion: one that blocks, asked again and again for as long as its owner lives.

#include "net/event_loop.h"
#include "wiring/asker.h"

#include <chrono>
#include <functional>
#include <memory>

namespace ic::wiring {

/// Threads: the loop's. Lifetime: within that of the loop; the asker may go first.
class RepeatedQuestion {
public:
    /// What is done with the answer, on the loop's thread; gives when to ask again. Not called once
    /// the owner has gone.
    using FollowUp = std::function<std::chrono::milliseconds()>;
    /// Asked on the asker's thread.
    using Question = std::function<FollowUp()>;

    /// `retry`: when to try again where the asker takes no more questions.
    RepeatedQuestion(net::EventLoop& loop,
                     Asker& asker,
                     Question question,
                     std::chrono::milliseconds retry);
    RepeatedQuestion(const RepeatedQuestion&) = delete;
    RepeatedQuestion& operator=(const RepeatedQuestion&) = delete;
    ~RepeatedQuestion();

    /// As soon as the asker comes to it, whenever it was due. Nothing new while it is being asked.
    void ask();

private:
    void ask_after(std::chrono::milliseconds pause);

    net::EventLoop& loop_;
    Asker& asker_;
    Question question_;
    std::chrono::milliseconds retry_;
    bool asking_ = false;
    net::TimerId timer_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< For work posted to the loop.
};

} // namespace ic::wiring
