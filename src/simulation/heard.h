#pragma once
/// Heard: whom a coordinator has heard lately by its adverts, computed when it is asked. What they
/// said is as old as their pace makes it, and some have gone since; that they got full they have
/// said at once.

#include "simulation/world.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace ic::simulation {

class World::Heard final : public lease::IdleWorkers {
public:
    /// Lifetime: of `world`.
    explicit Heard(World& world) : world_(world) {}

    std::vector<job::Instance>
    take(const Cid& job, const Suits& suits, std::size_t count, Instant now) override;

private:
    struct Said {
        std::uint32_t node = 0;
        job::WorkerRef worker;
    };

    std::optional<Said> idle(std::uint32_t node, Us now) const;

    World& world_;
    std::unordered_map<std::uint32_t, Us> given_at_; ///< By node: when it was probed last.
};

} // namespace ic::simulation
