#pragma once
/// Words for people, on their way into a document.

#include <cstddef>
#include <string>
#include <string_view>

namespace ic::job {

/// `text` as valid UTF-8 of at most `bytes_max` bytes: each byte that belongs to no character
/// becomes "?", and what is too long is cut between characters.
std::string fit_text(std::string_view text, std::size_t bytes_max);

} // namespace ic::job
