#include "blockstore/gateway/race.h"

namespace ic::gateway {

Runners::~Runners() {
    for (Runner& runner : runners_) {
        runner.thread.join();
    }
}

void Runners::start(std::function<void()> body) {
    const std::lock_guard lock(mutex_);
    std::erase_if(runners_, [](Runner& runner) {
        if (!runner.ended->load()) {
            return false;
        }
        runner.thread.join();
        return true;
    });
    auto ended = std::make_shared<std::atomic<bool>>(false);
    runners_.push_back({.thread = std::thread([body = std::move(body), ended] {
                            body();
                            *ended = true;
                        }),
                        .ended = ended});
}

} // namespace ic::gateway
