#pragma once
/// Chance: all randomness of a simulation, drawn from names instead of in turn, so that what is
/// asked of one node in a million does not depend on which others were asked before.

#include <cstdint>
#include <initializer_list>

namespace ic::simulation {

enum class Draw : std::uint64_t {
    key,
    job,
    nonce,
    length,
    busy,
    phase,
    broadcast_lost,
    broadcast_doubled,
    depth,
    broadcast_delay,
    lost,
    doubled,
    delay,
    heard,
};

class Chance {
public:
    explicit Chance(std::uint64_t seed) : seed_(seed) {}

    /// The same for the same names. Source: splitmix64 over each (Sebastiano Vigna, public domain).
    std::uint64_t bits(Draw what, std::initializer_list<std::uint64_t> names) const;

    /// 0 to 1, without 1.
    double share(Draw what, std::initializer_list<std::uint64_t> names) const;

    /// `mean`, give or take a half of it.
    std::int64_t
    around(std::int64_t mean, Draw what, std::initializer_list<std::uint64_t> names) const;

private:
    std::uint64_t seed_;
};

} // namespace ic::simulation
