#include "multiformats/multibase.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <optional>
#include <vector>

namespace ic::multibase {
namespace {

enum class Padding : std::uint8_t { none, full };

/// One row a base: `bits` a digit for powers of two, else 0 and the alphabet's size is the radix.
struct Scheme {
    Base base;
    std::string_view alphabet;
    unsigned bits;
    Padding padding;
};

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array schemes{
    Scheme{Base::base16, "0123456789abcdef", 4, Padding::none},
    Scheme{Base::base16_upper, "0123456789ABCDEF", 4, Padding::none},
    Scheme{Base::base32, "abcdefghijklmnopqrstuvwxyz234567", 5, Padding::none},
    Scheme{Base::base32_upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, Padding::none},
    Scheme{Base::base36, "0123456789abcdefghijklmnopqrstuvwxyz", 0, Padding::none},
    Scheme{Base::base36_upper, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, Padding::none},
    Scheme{Base::base58btc,
           "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
           0,
           Padding::none},
    Scheme{Base::base64, base64_digits, 6, Padding::none},
    Scheme{Base::base64_pad, base64_digits, 6, Padding::full},
    Scheme{Base::base64url, base64url_digits, 6, Padding::none},
    Scheme{Base::base64url_pad, base64url_digits, 6, Padding::full},
};

constexpr std::uint8_t no_digit = 0xff;
using DigitTable = std::array<std::uint8_t, 256>;

constexpr DigitTable digits_of(std::string_view alphabet) {
    DigitTable table{};
    table.fill(no_digit);
    for (std::size_t index = 0; index < alphabet.size(); ++index) {
        table[static_cast<std::uint8_t>(alphabet[index])] = static_cast<std::uint8_t>(index);
    }
    return table;
}

constexpr std::array<DigitTable, schemes.size()> digit_tables = [] {
    std::array<DigitTable, schemes.size()> tables{};
    for (std::size_t index = 0; index < schemes.size(); ++index) {
        tables[index] = digits_of(schemes[index].alphabet);
    }
    return tables;
}();

std::optional<std::size_t> row_of(Base base) {
    for (std::size_t index = 0; index < schemes.size(); ++index) {
        if (schemes[index].base == base) {
            return index;
        }
    }
    return std::nullopt;
}

Error bad_character() { return {Errc::malformed, "text has a character outside its base"}; }

std::string encode_bits(const Scheme& scheme, ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() * 8 + scheme.bits - 1) / scheme.bits + 3);
    const std::uint32_t mask = (1U << scheme.bits) - 1;
    std::uint32_t window = 0;
    unsigned held = 0;
    for (const std::uint8_t byte : bytes) {
        window = (window << 8U | byte) & 0xffffU;
        held += 8;
        while (held >= scheme.bits) {
            held -= scheme.bits;
            text.push_back(scheme.alphabet[window >> held & mask]);
        }
    }
    if (held > 0) {
        text.push_back(scheme.alphabet[window << (scheme.bits - held) & mask]);
    }
    while (scheme.padding == Padding::full && text.size() % 4 != 0) {
        text.push_back('=');
    }
    return text;
}

Result<Bytes> decode_bits(const Scheme& scheme, const DigitTable& table, std::string_view text) {
    if (scheme.padding == Padding::full) {
        if (text.size() % 4 != 0) {
            return Error{Errc::malformed, "text lacks padding"};
        }
        // At most two, and only as many as the digits need: the check on `held` below sees to that.
        for (int count = 0; count < 2 && text.ends_with('='); ++count) {
            text.remove_suffix(1);
        }
    }
    Bytes bytes;
    bytes.reserve(text.size() * scheme.bits / 8);
    std::uint32_t window = 0;
    unsigned held = 0;
    for (const char character : text) {
        const std::uint8_t digit = table[static_cast<std::uint8_t>(character)];
        if (digit == no_digit) {
            return bad_character();
        }
        window = (window << scheme.bits | digit) & 0xffffU;
        held += scheme.bits;
        if (held >= 8) {
            held -= 8;
            bytes.push_back(static_cast<std::uint8_t>(window >> held));
        }
    }
    if (held >= scheme.bits) {
        return Error{Errc::malformed, "text has a digit too many"};
    }
    if ((window & ((1U << held) - 1)) != 0) {
        return Error{Errc::malformed, "text has unused bits that are not zero"};
    }
    return bytes;
}

/// As many digits of one base as fit into 32 bits are one digit of a larger base: a limb.
struct Limbs {
    std::size_t digits = 0;
    std::uint64_t base = 1; ///< At most 2^32, so that a product of two and a sum stay in 64 bits.
};

constexpr Limbs limbs_of(std::uint32_t radix) {
    Limbs limbs;
    while (limbs.base * radix <= std::uint64_t{1} << 32U) {
        limbs.base *= radix;
        ++limbs.digits;
    }
    return limbs;
}

/// `digits` is a number in base `from`, most significant first; the result the same in base `to`.
/// Leading zeros are not part of either. Keys are written so in every message and row, hence limbs.
Bytes change_radix(ByteView digits, std::uint32_t from, std::uint32_t to) {
    const Limbs in = limbs_of(from);
    const Limbs out = limbs_of(to);
    std::vector<std::uint32_t> number;     // Limbs of `to`, least significant first while it grows.
    number.reserve(digits.size() / 3 + 1); // Enough for one byte a digit; more would be allowed.
    while (!digits.empty()) {
        // The first group may be short; all others are whole.
        const std::size_t rest = digits.size() % in.digits;
        const std::size_t count = rest == 0 ? in.digits : rest;
        std::uint64_t carry = 0;
        std::uint64_t scale = 1;
        for (const std::uint8_t digit : digits.first(count)) {
            carry = carry * from + digit;
            scale *= from;
        }
        digits = digits.subspan(count);
        for (std::uint32_t& limb : number) {
            carry += std::uint64_t{limb} * scale;
            limb = static_cast<std::uint32_t>(carry % out.base);
            carry /= out.base;
        }
        for (; carry > 0; carry /= out.base) {
            number.push_back(static_cast<std::uint32_t>(carry % out.base));
        }
    }
    Bytes result; // Least significant first until the end.
    result.reserve(number.size() * out.digits);
    for (std::uint32_t limb : number) {
        for (std::size_t place = 0; place < out.digits; ++place, limb /= to) {
            result.push_back(static_cast<std::uint8_t>(limb % to));
        }
    }
    while (!result.empty() && result.back() == 0) {
        result.pop_back();
    }
    std::ranges::reverse(result);
    return result;
}

std::size_t leading_zeros(ByteView digits) {
    return static_cast<std::size_t>(
        std::ranges::find_if(digits, [](std::uint8_t digit) { return digit != 0; }) -
        digits.begin());
}

std::string encode_positional(const Scheme& scheme, ByteView bytes) {
    const auto radix = static_cast<std::uint32_t>(scheme.alphabet.size());
    const std::size_t zeros = leading_zeros(bytes);
    std::string text(zeros, scheme.alphabet.front());
    for (const std::uint8_t digit : change_radix(bytes.subspan(zeros), 256, radix)) {
        text.push_back(scheme.alphabet[digit]);
    }
    return text;
}

Result<Bytes>
decode_positional(const Scheme& scheme, const DigitTable& table, std::string_view text) {
    if (text.size() > limits::positional_text_bytes_max) {
        return Error{Errc::too_large, "base36 or base58 text is longer than 1024 characters"};
    }
    Bytes digits;
    for (const char character : text) {
        digits.push_back(table[static_cast<std::uint8_t>(character)]);
        if (digits.back() == no_digit) {
            return bad_character();
        }
    }
    const auto radix = static_cast<std::uint32_t>(scheme.alphabet.size());
    const std::size_t zeros = leading_zeros(digits);
    Bytes bytes(zeros, 0);
    const Bytes rest = change_radix(ByteView{digits}.subspan(zeros), radix, 256);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    return bytes;
}

} // namespace

std::string encode_bare(Base base, ByteView bytes) {
    const std::optional<std::size_t> row = row_of(base);
    assert(row);
    const Scheme& scheme = schemes[*row];
    return scheme.bits != 0 ? encode_bits(scheme, bytes) : encode_positional(scheme, bytes);
}

std::string encode(Base base, ByteView bytes) {
    return static_cast<char>(base) + encode_bare(base, bytes);
}

Result<Bytes> decode_bare(Base base, std::string_view text) {
    const std::optional<std::size_t> row = row_of(base);
    assert(row);
    const Scheme& scheme = schemes[*row];
    const DigitTable& table = digit_tables[*row];
    return scheme.bits != 0 ? decode_bits(scheme, table, text)
                            : decode_positional(scheme, table, text);
}

Result<Bytes> decode(std::string_view text) {
    if (text.empty()) {
        return Error{Errc::malformed, "empty text has no multibase prefix"};
    }
    const Base base{text.front()};
    if (!row_of(base)) {
        return Error{Errc::unsupported, "unknown multibase prefix"};
    }
    return decode_bare(base, text.substr(1));
}

} // namespace ic::multibase
