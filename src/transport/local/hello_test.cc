#include "transport/local/hello.h"

#include <gtest/gtest.h>

namespace ic::transport {
namespace {

Hello example() {
    Hello hello;
    hello.instance.bytes.fill(0x11);
    hello.kind = PeerKind::client;
    hello.key.bytes.fill(0x22);
    hello.name = "submit 42";
    hello.software = "ipfs-compute/0.1.0";
    return hello;
}

TEST(Hello, HasTheBytesOfItsPage) {
    // docs/formats/bus.md, "Hello".
    Bytes expected = copy_of(bytes_of("ic-bus"));
    expected.push_back(1); // Major version.
    expected.push_back(2); // A client.
    expected.insert(expected.end(), 16, 0x11);
    expected.insert(expected.end(), 32, 0x22);
    for (const std::string_view text : {"submit 42", "ipfs-compute/0.1.0", ""}) {
        expected.push_back(static_cast<std::uint8_t>(text.size()));
        expected.insert(expected.end(), text.begin(), text.end());
    }
    EXPECT_EQ(encode(example()), expected);
    const Result<Hello> read = decode_hello(expected);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, example());
}

TEST(Hello, IsRefusedWhereItEndsEarlyOrGoesOn) {
    Bytes whole = encode(example());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(decode_hello(ByteView{whole}.first(size)).error().code, Errc::malformed) << size;
    }
    whole.push_back(0);
    EXPECT_EQ(decode_hello(whole).error().code, Errc::malformed);
}

TEST(Hello, OfAnotherMajorVersionIsUnsupported) {
    Bytes other = encode(example());
    other[6] = 2;
    EXPECT_EQ(decode_hello(other).error().code, Errc::unsupported);
}

TEST(Hello, OfAnUnknownKindIsMalformed) {
    Bytes other = encode(example());
    other[7] = 3;
    EXPECT_EQ(decode_hello(other).error().code, Errc::malformed);
}

TEST(Hello, KeepsAnExtensionThatItDoesNotUnderstand) {
    Hello later = example();
    later.extension.assign(limits::hello_extension_bytes_max, 7);
    const Result<Hello> read = decode_hello(encode(later));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, later);
}

// The page's layout by hand, since `encode` takes nothing that is too long.
Bytes with_lengths(std::size_t name, std::size_t software, std::size_t extension) {
    Bytes out = encode(example());
    out.resize(6 + 1 + 1 + 16 + 32);
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

TEST(Hello, IsTooLargeOnePastEachLimit) {
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
} // namespace ic::transport
