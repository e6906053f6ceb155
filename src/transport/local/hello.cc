#include "transport/local/hello.h"

#include "multiformats/varint.h"

#include <algorithm>
#include <cassert>
#include <string_view>

namespace ic::transport {
namespace {

constexpr std::string_view magic = "ic-bus";
constexpr std::uint8_t major_version = 1;
constexpr std::uint8_t kind_node = 1;
constexpr std::uint8_t kind_client = 2;

Result<ByteView> take(ByteView& input, std::size_t count) {
    if (input.size() < count) {
        return Error{Errc::malformed, "hello ends early"};
    }
    const ByteView front = input.first(count);
    input = input.subspan(count);
    return front;
}

Result<ByteView> take_counted(ByteView& input, std::size_t count_max) {
    const std::uint64_t count = TRY(take_varint(input));
    if (count > count_max) {
        return Error{Errc::too_large, "a field of the hello is too long"};
    }
    return take(input, static_cast<std::size_t>(count));
}

void append_counted(Bytes& out, ByteView field) {
    append_varint(out, field.size());
    out.insert(out.end(), field.begin(), field.end());
}

} // namespace

Bytes encode(const Hello& hello) {
    assert(hello.name.size() <= limits::hello_name_bytes_max);
    assert(hello.software.size() <= limits::hello_software_bytes_max);
    assert(hello.extension.size() <= limits::hello_extension_bytes_max);
    Bytes out = copy_of(bytes_of(magic));
    out.push_back(major_version);
    out.push_back(hello.kind == PeerKind::node ? kind_node : kind_client);
    out.insert(out.end(), hello.instance.bytes.begin(), hello.instance.bytes.end());
    out.insert(out.end(), hello.key.bytes.begin(), hello.key.bytes.end());
    append_counted(out, bytes_of(hello.name));
    append_counted(out, bytes_of(hello.software));
    append_counted(out, hello.extension);
    return out;
}

Result<Hello> decode_hello(ByteView bytes) {
    ByteView input = bytes;
    if (text_of(TRY(take(input, magic.size()))) != magic) {
        return Error{Errc::malformed, "not a hello of the bus"};
    }
    const std::uint8_t version = TRY(take(input, 1))[0];
    if (version != major_version) {
        return Error{Errc::unsupported,
                     "the peer speaks version " + std::to_string(version) +
                         " of the bus, this program version " + std::to_string(major_version)};
    }
    const std::uint8_t kind = TRY(take(input, 1))[0];
    if (kind != kind_node && kind != kind_client) {
        return Error{Errc::malformed, "unknown kind of peer"};
    }
    Hello hello;
    hello.kind = kind == kind_node ? PeerKind::node : PeerKind::client;
    std::ranges::copy(TRY(take(input, hello.instance.bytes.size())), hello.instance.bytes.begin());
    std::ranges::copy(TRY(take(input, hello.key.bytes.size())), hello.key.bytes.begin());
    hello.name = text_of(TRY(take_counted(input, limits::hello_name_bytes_max)));
    hello.software = text_of(TRY(take_counted(input, limits::hello_software_bytes_max)));
    hello.extension = copy_of(TRY(take_counted(input, limits::hello_extension_bytes_max)));
    if (!input.empty()) {
        return Error{Errc::malformed, "bytes after the hello"};
    }
    return hello;
}

} // namespace ic::transport
