#pragma once
/// Text for people: safe to print, easy to read, and the word that was meant.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ic {

/// `text` with control characters (C0, DEL and C1) written as \xNN: what comes from elsewhere can
/// neither break a line nor steer a terminal.
std::string printable(std::string_view text);

/// `name` as Kubo prints names: as it is, or, if it has a backslash or a letter that is not
/// printed, with those as in a Go string ("\\", "\n", "\x01", "\u200b"), and bytes that are no
/// UTF-8 too. Letters without a meaning yet count as printed. Source: Kubo 0.43,
/// `cmdenv.EscNonPrint`, and Go's strconv.Quote.
std::string kubo_printable(std::string_view name);

/// "999 B", "1.5 KiB", "12 MiB": three digits, units of 1024.
std::string human_bytes(std::uint64_t bytes);

/// The word that is nearest to `word` by edits (insert, delete, replace, swap of neighbours), at
/// most a third of its letters and at least one; empty if none is that near. For "did you mean".
std::string closest_word(std::string_view word, std::span<const std::string> words);

} // namespace ic
