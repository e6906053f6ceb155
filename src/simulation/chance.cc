#include "simulation/chance.h"

#include "lease/rendezvous.h"

namespace ic::simulation {

std::uint64_t Chance::bits(Draw what, std::initializer_list<std::uint64_t> names) const {
    // The score's function is splitmix64's: what it mixes is all that is needed here.
    std::uint64_t state = lease::rendezvous_score(seed_, static_cast<std::uint64_t>(what));
    for (const std::uint64_t name : names) {
        state = lease::rendezvous_score(state + 0x9e3779b97f4a7c15U, name);
    }
    return state;
}

double Chance::share(Draw what, std::initializer_list<std::uint64_t> names) const {
    return static_cast<double>(bits(what, names) >> 11U) * 0x1.0p-53;
}

std::int64_t
Chance::around(std::int64_t mean, Draw what, std::initializer_list<std::uint64_t> names) const {
    return mean / 2 + static_cast<std::int64_t>(static_cast<double>(mean) * share(what, names));
}

} // namespace ic::simulation
