#include "session/hello.h"

#include <gtest/gtest.h>

namespace ic::session {
namespace {

Hello example() {
    Hello hello;
    hello.instance.bytes.fill(0x11);
    hello.key.bytes.fill(0x22);
    hello.signature.fill(0x33);
    hello.name = "worker 42";
    hello.software = "ipfs-compute/0.1.0";
    return hello;
}

/// Version, instance, key, signature.
constexpr std::size_t fixed_bytes = 1 + 16 + 32 + 64;

TEST(SessionHello, HasTheBytesOfItsPage) {
    // docs/formats/session.md, "Hello".
    Bytes expected{1};
    expected.insert(expected.end(), 16, 0x11);
    expected.insert(expected.end(), 32, 0x22);
    expected.insert(expected.end(), 64, 0x33);
    for (const std::string_view text : {"worker 42", "ipfs-compute/0.1.0", ""}) {
        expected.push_back(static_cast<std::uint8_t>(text.size()));
        expected.insert(expected.end(), text.begin(), text.end());
    }
    EXPECT_EQ(encode(example()), expected);
    const Result<Hello> read = decode_hello(expected);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, example());
}

TEST(SessionHello, ProvesARoleAndAKeyUnderThisProtocolOnly) {
    // docs/formats/session.md, "The proof".
    noise::Key key;
    key.fill(0x44);
    Bytes expected = copy_of(bytes_of("ipfs-compute/session/1"));
    expected.push_back(1);
    expected.insert(expected.end(), 32, 0x44);
    EXPECT_EQ(proof(noise::Role::initiator, key), expected);
    expected[22] = 2;
    EXPECT_EQ(proof(noise::Role::responder, key), expected);
}

TEST(SessionHello, IsRefusedWhereItEndsEarlyOrGoesOn) {
    Bytes whole = encode(example());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(decode_hello(ByteView{whole}.first(size)).error().code, Errc::malformed) << size;
    }
    whole.push_back(0);
    EXPECT_EQ(decode_hello(whole).error().code, Errc::malformed);
}

TEST(SessionHello, OfAnotherVersionIsUnsupported) {
    for (const std::uint8_t version : Bytes{0, 2, 255}) {
        Bytes other = encode(example());
        other[0] = version;
        EXPECT_EQ(decode_hello(other).error().code, Errc::unsupported);
    }
}

TEST(SessionHello, KeepsAnExtensionThatItDoesNotUnderstand) {
    Hello later = example();
    later.extension.assign(limits::hello_extension_bytes_max, 7);
    const Result<Hello> read = decode_hello(encode(later));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, later);
}

TEST(SessionHello, WantsTextsInUtf8) {
    for (const std::size_t at : {fixed_bytes + 1, fixed_bytes + 1 + 9 + 1}) {
        Bytes other = encode(example());
        other[at] = 0xff;
        EXPECT_EQ(decode_hello(other).error().code, Errc::malformed) << at;
    }
    Hello hello = example();
    hello.name = "w\xc3\xb6rker";
    EXPECT_EQ(decode_hello(encode(hello)).take().name, hello.name);
}

TEST(SessionHello, WantsTheShortestLengths) {
    Hello hello = example();
    hello.name.clear();
    Bytes other = encode(hello);
    other[fixed_bytes] = 0x80;
    other.insert(other.begin() + fixed_bytes + 1, 0x00);
    EXPECT_EQ(decode_hello(other).error().code, Errc::malformed);
}

// The page's layout by hand, since `encode` takes nothing that is too long.
Bytes with_lengths(std::size_t name, std::size_t software, std::size_t extension) {
    Bytes out = encode(example());
    out.resize(fixed_bytes);
    for (const std::size_t size : {name, software, extension}) {
        if (size >= 0x80) {
            out.push_back(static_cast<std::uint8_t>(0x80U | (size & 0x7fU)));
            out.push_back(static_cast<std::uint8_t>(size >> 7U));
        } else {
            out.push_back(static_cast<std::uint8_t>(size));
        }
        out.insert(out.end(), size, 'x');
    }
    return out;
}

TEST(SessionHello, IsTooLargeOnePastEachLimit) {
    EXPECT_TRUE(decode_hello(with_lengths(limits::hello_name_bytes_max,
                                          limits::hello_software_bytes_max,
                                          limits::hello_extension_bytes_max)));
    const Bytes past[] = {with_lengths(limits::hello_name_bytes_max + 1, 0, 0),
                          with_lengths(0, limits::hello_software_bytes_max + 1, 0),
                          with_lengths(0, 0, limits::hello_extension_bytes_max + 1)};
    for (const Bytes& bytes : past) {
        EXPECT_EQ(decode_hello(bytes).error().code, Errc::too_large);
    }
}

} // namespace
} // namespace ic::session
