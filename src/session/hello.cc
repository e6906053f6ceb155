#include "session/hello.h"

#include "job/text.h"
#include "multiformats/varint.h"

#include <algorithm>
#include <cassert>

namespace ic::session {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t role_dialler = 1;
constexpr std::uint8_t role_answerer = 2;

Result<ByteView> take(ByteView& input, std::size_t count) {
    if (input.size() < count) {
        return Error{Errc::malformed, "the hello of a session ends early"};
    }
    const ByteView front = input.first(count);
    input = input.subspan(count);
    return front;
}

template <class Array>
Result<void> take_into(ByteView& input, Array& out) {
    std::ranges::copy(TRY(take(input, out.size())), out.begin());
    return {};
}

Result<ByteView> take_counted(ByteView& input, std::size_t count_max) {
    const std::uint64_t count = TRY(take_varint(input));
    if (count > count_max) {
        return Error{Errc::too_large, "a field of a session's hello is too long"};
    }
    return take(input, static_cast<std::size_t>(count));
}

bool is_utf8(std::string_view text) { return job::fit_text(text, text.size()) == text; }

Result<std::string> take_text(ByteView& input, std::size_t count_max) {
    const std::string_view text = text_of(TRY(take_counted(input, count_max)));
    if (!is_utf8(text)) {
        return Error{Errc::malformed, "a text of a session's hello is not UTF-8"};
    }
    return std::string(text);
}

void append(Bytes& out, ByteView field) { out.insert(out.end(), field.begin(), field.end()); }

void append_counted(Bytes& out, ByteView field) {
    append_varint(out, field.size());
    append(out, field);
}

} // namespace

Bytes proof(noise::Role role, const noise::Key& static_key) {
    Bytes out = copy_of(bytes_of(protocol));
    out.push_back(role == noise::Role::initiator ? role_dialler : role_answerer);
    append(out, static_key);
    return out;
}

Bytes encode(const Hello& hello) {
    assert(hello.name.size() <= limits::hello_name_bytes_max && is_utf8(hello.name));
    assert(hello.software.size() <= limits::hello_software_bytes_max && is_utf8(hello.software));
    assert(hello.extension.size() <= limits::hello_extension_bytes_max);
    Bytes out{version};
    append(out, hello.instance.bytes);
    append(out, hello.key.bytes);
    append(out, hello.signature);
    append_counted(out, bytes_of(hello.name));
    append_counted(out, bytes_of(hello.software));
    append_counted(out, hello.extension);
    return out;
}

Result<Hello> decode_hello(ByteView bytes) {
    ByteView input = bytes;
    const std::uint8_t theirs = TRY(take(input, 1))[0];
    if (theirs != version) {
        return Error{Errc::unsupported,
                     "the peer says version " + std::to_string(theirs) +
                         " of the hello, this program version " + std::to_string(version)};
    }
    Hello hello;
    TRY(take_into(input, hello.instance.bytes));
    TRY(take_into(input, hello.key.bytes));
    TRY(take_into(input, hello.signature));
    hello.name = TRY(take_text(input, limits::hello_name_bytes_max));
    hello.software = TRY(take_text(input, limits::hello_software_bytes_max));
    hello.extension = copy_of(TRY(take_counted(input, limits::hello_extension_bytes_max)));
    if (!input.empty()) {
        return Error{Errc::malformed, "bytes after the hello of a session"};
    }
    return hello;
}

} // namespace ic::session
