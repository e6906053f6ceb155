/// ChunkerSpec::parse: what Kubo's --chunker takes.
/// Source: boxo v0.42 `chunker/parse.go`.

#include "unixfs/chunker.h"

#include <charconv>
#include <string>
#include <vector>

namespace ic::unixfs {
namespace {

constexpr std::size_t default_bytes = 262'144;

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> words;
    for (;;) {
        const std::size_t end = text.find(at);
        words.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return words;
        }
        text.remove_prefix(end + 1);
    }
}

Error malformed(std::string message) { return {Errc::malformed, std::move(message)}; }

Error above_limit() {
    return {Errc::too_large, "chunks of more than 2096896 bytes would not fit into a block"};
}

/// Decimal digits, with a sign if need be. (No minus gets here: it separates words.)
Result<std::size_t> number_of(std::string_view text) {
    std::string_view digits = text;
    if (digits.starts_with('+')) {
        digits.remove_prefix(1);
    }
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) {
        return above_limit();
    }
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return malformed("'" + std::string(text) + "' in a chunker is no number of bytes");
    }
    return value;
}

/// A number, perhaps behind its label: "64" or "max:64".
Result<std::size_t> labelled(std::string_view text, std::string_view label) {
    const std::vector<std::string_view> words = split(text, ':');
    if (words.size() > 1 && words.front() != label) {
        return malformed("a label of the rabin chunker is '" + std::string(words.front()) +
                         "' where '" + std::string(label) + "' belongs");
    }
    return number_of(words.back());
}

Result<ChunkerSpec> parse_fixed(const std::vector<std::string_view>& words) {
    if (words.size() != 2) {
        return malformed("the fixed chunker is written 'size-N', N in bytes");
    }
    const std::size_t bytes = TRY(number_of(words[1]));
    if (bytes == 0) {
        return malformed("the size of chunks must be greater than 0");
    }
    if (bytes > limits::chunk_bytes_max) {
        return above_limit();
    }
    return ChunkerSpec::fixed(bytes);
}

Result<ChunkerSpec> rabin_around(std::size_t average) {
    if (average > limits::chunk_bytes_max) { // Before it is multiplied.
        return above_limit();
    }
    const ChunkerSpec spec{.kind = ChunkerSpec::Kind::rabin,
                           .bytes_min = average / 3,
                           .bytes_average = average,
                           .bytes_max = average + average / 2};
    if (spec.bytes_max > limits::chunk_bytes_max) {
        return above_limit();
    }
    if (spec.bytes_min < limits::rabin_chunk_bytes_min) { // Kubo never cuts such a file.
        return malformed("rabin's average must be at least 48: a third of it is the minimum, which "
                         "must be at least 16");
    }
    return spec;
}

Result<ChunkerSpec> parse_rabin(const std::vector<std::string_view>& words) {
    if (words.size() == 1) {
        return rabin_around(default_bytes);
    }
    if (words.size() == 2) {
        return rabin_around(TRY(number_of(words[1])));
    }
    if (words.size() != 4) {
        return malformed("the rabin chunker is written 'rabin', 'rabin-AVERAGE' or "
                         "'rabin-MIN-AVERAGE-MAX', in bytes");
    }
    const ChunkerSpec spec{.kind = ChunkerSpec::Kind::rabin,
                           .bytes_min = TRY(labelled(words[1], "min")),
                           .bytes_average = TRY(labelled(words[2], "avg")),
                           .bytes_max = TRY(labelled(words[3], "max"))};
    if (spec.bytes_min < limits::rabin_chunk_bytes_min) {
        return malformed("rabin's minimum must be at least 16");
    }
    if (spec.bytes_min >= spec.bytes_average) {
        return malformed("rabin's minimum must be smaller than its average");
    }
    if (spec.bytes_average >= spec.bytes_max) {
        return malformed("rabin's average must be smaller than its maximum");
    }
    if (spec.bytes_max > limits::chunk_bytes_max) {
        return above_limit();
    }
    return spec;
}

} // namespace

Result<ChunkerSpec> ChunkerSpec::parse(std::string_view text) {
    if (text.empty() || text == "default") {
        return fixed(default_bytes);
    }
    const std::vector<std::string_view> words = split(text, '-');
    if (words.front() == "size") {
        return parse_fixed(words);
    }
    if (words.front() == "rabin") {
        return parse_rabin(words);
    }
    if (words.front() == "buzhash") { // Kubo ignores what follows.
        return ChunkerSpec{.kind = Kind::buzhash, .bytes_max = 0};
    }
    return Error{Errc::unsupported,
                 "unknown chunker '" + std::string(text) +
                     "': there are size-N, rabin-MIN-AVERAGE-MAX and buzhash"};
}

} // namespace ic::unixfs
