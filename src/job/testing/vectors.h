#pragma once
/// Golden files under tests/vectors: comment lines beginning with "#" (one says "# SOURCE: "), then
/// hexadecimal digits. IC_UPDATE_GOLDEN=1 writes a file anew; a review decides whether it may.

#include "base/bytes.h"

#include <string>

namespace ic::job::testing {

/// Whether the file tests/vectors/`name`.hex holds exactly `bytes`; under IC_UPDATE_GOLDEN=1 writes
/// them there, with `source` as its SOURCE line, and says yes.
bool matches_vector(const std::string& name, ByteView bytes, const std::string& source);

/// The bytes in tests/vectors/`name`.hex; empty if there is no such file.
Bytes read_vector(const std::string& name);

/// Whether a page shows these bytes as hexadecimal digits, broken into lines as it likes.
bool shows_bytes(const std::string& page, ByteView bytes);

/// A text file, by its path from the root of the source tree; empty if there is none.
std::string read_text(const std::string& path);

} // namespace ic::job::testing
