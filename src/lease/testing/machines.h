#pragma once
/// What tests of the two machines share: names, jobs, and a way to look through actions.

#include "lease/coordinator.h"
#include "lease/worker.h"

#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace ic::lease::testing {

inline Instant at(std::int64_t ms) { return Instant{std::chrono::milliseconds{ms}}; }

inline job::Instance instance(std::uint8_t number) {
    job::Instance made;
    made.bytes.fill(number);
    return made;
}

inline job::WorkerRef worker_ref(std::uint8_t number) {
    job::WorkerRef made;
    made.key.bytes.fill(number);
    made.instance = instance(number);
    return made;
}

inline job::Nonce nonce(std::uint8_t number) {
    job::Nonce made;
    made.bytes.fill(number);
    return made;
}

inline Cid cid(std::uint64_t number) {
    return cid_of(Codec::raw, bytes_of("job " + std::to_string(number)));
}

inline JobEntry entry(std::uint64_t number, job::Effects effects = job::Effects::pure) {
    JobEntry made;
    made.ids = {.job = cid(number), .task = cid(number), .computation = cid(number)};
    made.effects = effects;
    made.invocation = LentBytes::of(Bytes(200, 7));
    return made;
}

/// 1, 2, 3 and so on, as nonces.
class CountingNonces : public NonceSource {
public:
    job::Nonce next() override {
        job::Nonce made;
        ++count_;
        for (std::size_t i = 0; i < 8; ++i) {
            made.bytes[i] = static_cast<std::uint8_t>(count_ >> (8 * i));
        }
        return made;
    }

private:
    std::uint64_t count_ = 0;
};

/// All values of type T among the actions, the messages in them, and what is notified.
template <class T, class Action>
std::vector<T> all(const std::vector<Action>& actions) {
    std::vector<T> found;
    const auto keep = [&found](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, T>) {
            found.push_back(value);
        }
    };
    for (const Action& action : actions) {
        std::visit(
            [&keep](const auto& value) {
                keep(value);
                if constexpr (requires { value.message; }) {
                    std::visit(keep, value.message);
                } else if constexpr (requires { value.what; }) {
                    std::visit(keep, value.what);
                }
            },
            action);
    }
    return found;
}

} // namespace ic::lease::testing
