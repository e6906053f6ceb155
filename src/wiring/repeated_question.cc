#include "wiring/repeated_question.h"

#include <utility>

namespace ic::wiring {

RepeatedQuestion::RepeatedQuestion(net::EventLoop& loop,
                                   Asker& asker,
                                   Question question,
                                   std::chrono::milliseconds retry)
    : loop_(loop)
    , asker_(asker)
    , question_(std::move(question))
    , retry_(retry) {}

RepeatedQuestion::~RepeatedQuestion() {
    *alive_ = false;
    loop_.cancel(timer_);
}

void RepeatedQuestion::ask() {
    loop_.cancel(timer_);
    if (asking_) {
        return;
    }
    // On the asker's thread nothing of this object is looked at: it may be gone by then.
    asking_ = asker_.ask([this, &loop = loop_, question = question_, is_alive = alive_] {
        loop.post([this, is_alive, follow_up = question()] {
            if (*is_alive) {
                asking_ = false;
                ask_after(follow_up());
            }
        });
    });
    if (!asking_) {
        ask_after(retry_); // Else nobody would ever ask again.
    }
}

void RepeatedQuestion::ask_after(std::chrono::milliseconds pause) {
    timer_ = loop_.after(pause, [this] { ask(); });
}

} // namespace ic::wiring
