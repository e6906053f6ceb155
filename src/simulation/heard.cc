#include "simulation/heard.h"

#include "lease/rendezvous.h"

#include <algorithm>

namespace ic::simulation {
namespace {

/// As lease::WorkerOptions has them for a node with adverts.
constexpr Us advert_us = 10'000'000;
constexpr std::uint64_t adverts_a_second = 20;
/// As lease::WorkerTableOptions has it.
constexpr Us heard_us_max = 30'000'000;

} // namespace

std::vector<job::Instance>
World::Heard::take(const Cid& job, const Suits& suits, std::size_t count, Instant now) {
    const std::uint64_t job_bits = lease::rendezvous_bits(job);
    std::vector<std::pair<std::uint64_t, Said>> found;
    for (std::uint32_t node = 0; node < world_.options_.nodes; ++node) {
        if (const std::optional<Said> said = idle(node, us_of(now))) {
            const std::uint64_t bits = lease::rendezvous_bits(said->worker.key);
            found.emplace_back(lease::rendezvous_score(job_bits, bits), *said);
        }
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
    std::vector<job::Instance> given;
    for (const auto& [score, said] : found) {
        if (given.size() == count) {
            break;
        }
        job::Advert advert;
        advert.worker = said.worker;
        advert.slots = advert.slots_free = world_.options_.slots;
        if (suits(advert)) {
            given_at_[said.node] = us_of(now);
            given.push_back(said.worker.instance);
        }
    }
    return given;
}

/// What it said last, if that was lately, and that it is idle.
std::optional<World::Heard::Said> World::Heard::idle(std::uint32_t node, Us now) const {
    const Us paced = static_cast<Us>(world_.options_.nodes / adverts_a_second) * 1'000'000;
    const Us pause = std::max(advert_us, paced);
    const auto phase = static_cast<Us>(world_.chance_.bits(Draw::heard, {node}) %
                                       static_cast<std::uint64_t>(pause));
    const Us since = (now + phase) % pause;
    const auto turn = static_cast<std::uint64_t>((now + phase) / pause);
    const auto given = given_at_.find(node);
    if (since > heard_us_max || (given != given_at_.end() && given->second >= now - since) ||
        world_.network_.is_busy(node) ||
        world_.chance_.share(Draw::heard, {node, turn}) < world_.options_.loss) {
        return std::nullopt;
    }
    const Life life = world_.network_.life_of(node, std::max<Us>(now - since, 0));
    const Said said{.node = node,
                    .worker = {.key = world_.network_.key_of(node),
                               .instance = instance_of(node, life.number)}};
    const Node* machine = world_.find(said.worker.instance);
    const bool is_full = machine != nullptr && machine->worker->counts().slots_free == 0;
    return life.is_here && !is_full ? std::optional(said) : std::nullopt;
}

} // namespace ic::simulation
