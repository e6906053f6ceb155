#pragma once
/// What the commands that read content share: their paths, and how they read.

#include "blockstore/blockstore.h"
#include "blockstore/read_ahead.h"
#include "cli/context.h"

#include <string>
#include <vector>

namespace ic::cli {

/// `paths` if there are any; else the lines of standard input, as Kubo's commands take them.
/// Errors: usage if that is a terminal or empty.
Result<std::vector<std::string>> given_paths(std::vector<std::string> paths);

/// The last part of a path or URI as it was written: what `get` saves it as.
std::string last_name(std::string_view path);

/// Reads blocks ahead on the processors that this command does not need.
ReadAheadOptions read_ahead_here();

} // namespace ic::cli
