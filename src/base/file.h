#pragma once
/// Files and folders of ours: small ones read whole, written so that a crash leaves old or new.

#include "base/bytes.h"
#include "base/result.h"

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ic {

/// "what PATH: reason", with the code that fits `error_number` (an errno): storage_full for a full
/// disk or quota, not_found for no such file, refused for permissions, unavailable for the rest.
Error system_error(std::string_view what, const std::string& path, int error_number);

/// The whole file. Nothing if it does not exist.
/// Errors: too_large beyond `bytes_max`; as `system_error`.
Result<std::optional<Bytes>> read_file_if_exists(const std::string& path, std::size_t bytes_max);

/// What happens when the file is there already.
enum class IfExists { replace, fail };

/// Writes a file whole: after a crash at any point there is the old content or the new, never a
/// part. The content is on the disk when this returns. `mode` is in force from the first moment.
/// Errors: refused for `IfExists::fail` when it exists; as `system_error`.
Result<void> write_file(const std::string& path, ByteView content, mode_t mode, IfExists if_exists);

/// Makes the folder and every missing one above it; those it makes have `mode`.
Result<void> make_folders(const std::string& path, mode_t mode);

} // namespace ic
