#pragma once
/// Two nodes with fixed keys, for tests; docs/formats/session.md has their example.

#include "session/session.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace ic::session::testing {

inline PrivateKey key_of(std::uint8_t seed) {
    return PrivateKey::from_seed(Bytes(32, seed)).take();
}

inline Entropy entropy_of(std::uint8_t first) {
    Entropy entropy;
    for (std::size_t at = 0; at < entropy.bytes.size(); ++at) {
        entropy.bytes[at] = static_cast<std::uint8_t>(first + at);
    }
    return entropy;
}

inline job::Instance instance_of(std::uint8_t byte) {
    job::Instance instance;
    instance.bytes.fill(byte);
    return instance;
}

/// Two nodes, and what each would say of itself.
struct Nodes {
    PrivateKey dialler_key = key_of(0x11);
    PrivateKey answerer_key = key_of(0x22);
    Self dialler{.instance = instance_of(0xd1),
                 .key = &dialler_key,
                 .name = "worker 4711",
                 .software = "ipfs-compute/0.1.0"};
    Self answerer{.instance = instance_of(0xa2),
                  .key = &answerer_key,
                  .name = "gateway",
                  .software = "ipfs-compute/0.1.1"};
};

inline constexpr std::uint8_t dialler_entropy = 0x40;
inline constexpr std::uint8_t answerer_entropy = 0x80;

/// That `session` answers `error` to whatever comes, and begins nothing.
inline void expect_over(Session& session, const Error& error, ByteView another) {
    const Result<Step> again = session.take(another);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, error.code);
    EXPECT_EQ(again.error().message, error.message);
    EXPECT_FALSE(session.first());
    if (session.established()) {
        EXPECT_EQ(session.seal({}).error().message, error.message);
    }
}

} // namespace ic::session::testing
