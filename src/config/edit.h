#pragma once
/// config.toml changed as a whole, by somebody with an editor.

#include "base/result.h"
#include "config/home.h"

#include <string>
#include <string_view>

namespace ic::config {

/// What config.toml says; empty if it is missing. Errors: as `read_file_if_exists`.
Result<std::string> read_config(const Home& home);

/// A file in the home with this text, for an editor; nobody else can read it. Its path.
/// Errors: unavailable, storage_full.
Result<std::string> make_draft(const Home& home, std::string_view text);

/// Makes the draft the config.toml, whole or not at all, and removes it; a draft that says the same
/// as `before` is only removed. False: nothing was changed. Errors: malformed as `parse_config`;
/// refused if config.toml is not what it was `before`; as files. The draft then stays, and the
/// message says where.
Result<bool> take_draft(const Home& home, const std::string& draft, std::string_view before);

/// Removes a draft that says the same as `before`. False: it says something else, and stays.
bool drop_draft(const std::string& draft, std::string_view before);

} // namespace ic::config
