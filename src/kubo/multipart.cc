#include "kubo/multipart.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

namespace ic::kubo {
namespace {

std::string hexadecimal(std::uint64_t number) {
    std::array<std::uint8_t, sizeof number> bytes{};
    std::memcpy(bytes.data(), &number, sizeof number);
    return to_hex(bytes);
}

/// Where a produced body is.
struct Progress {
    std::string before;
    std::string after;
    Producer produce;
    std::size_t sent = 0; ///< Of the text that is being sent.
    enum class At { before, data, after } at = At::before;
};

std::size_t send_some(std::string_view text, std::size_t& sent, std::span<std::uint8_t> into) {
    const std::size_t count = std::min(into.size(), text.size() - sent);
    std::memcpy(into.data(), text.data() + sent, count);
    sent += count;
    return count;
}

} // namespace

Multipart multipart(std::string_view part, std::uint64_t random, std::uint64_t more_random) {
    const std::string boundary = "ic-" + hexadecimal(random) + hexadecimal(more_random);
    const std::string name(part);
    return {.content_type = "multipart/form-data; boundary=" + boundary,
            .before = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name +
                      "\"; filename=\"" + name +
                      "\"\r\nContent-Type: application/octet-stream\r\n\r\n",
            .after = "\r\n--" + boundary + "--\r\n"};
}

Bytes framed(const Multipart& frame, ByteView data) {
    Bytes body;
    body.reserve(frame.before.size() + data.size() + frame.after.size());
    const ByteView before = bytes_of(frame.before);
    const ByteView after = bytes_of(frame.after);
    body.insert(body.end(), before.begin(), before.end());
    body.insert(body.end(), data.begin(), data.end());
    body.insert(body.end(), after.begin(), after.end());
    return body;
}

Producer framed(const Multipart& frame, Producer produce) {
    const auto progress = std::make_shared<Progress>(
        Progress{.before = frame.before, .after = frame.after, .produce = std::move(produce)});
    return [progress](std::span<std::uint8_t> into) -> Result<std::size_t> {
        if (progress->at == Progress::At::before) {
            if (const std::size_t count = send_some(progress->before, progress->sent, into)) {
                return count;
            }
            progress->at = Progress::At::data;
        }
        if (progress->at == Progress::At::data) {
            if (const std::size_t count = TRY(progress->produce(into))) {
                return count;
            }
            progress->at = Progress::At::after;
            progress->sent = 0;
        }
        return send_some(progress->after, progress->sent, into);
    };
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char letter : text) {
        const bool is_plain = (letter >= 'a' && letter <= 'z') ||
                              (letter >= 'A' && letter <= 'Z') ||
                              (letter >= '0' && letter <= '9') ||
                              std::string_view("-._~").find(letter) != std::string_view::npos;
        if (is_plain) {
            encoded.push_back(letter);
            continue;
        }
        const auto byte = static_cast<unsigned char>(letter);
        encoded.push_back('%');
        encoded.push_back(digits[byte >> 4U]);
        encoded.push_back(digits[byte & 0x0fU]);
    }
    return encoded;
}

} // namespace ic::kubo
