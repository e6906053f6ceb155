#include "config/edit.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "config/settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace ic::config {
namespace {

Result<void> put_in_place(const Home& home, std::string_view text, std::string_view before) {
    TRY(parse_config(text, "what you wrote"));
    if (TRY(read_config(home)) != before) {
        return Error{Errc::refused, home.config_file() + " was changed by somebody else meanwhile"};
    }
    return write_file(home.config_file(), bytes_of(text), 0600, IfExists::replace);
}

} // namespace

Result<std::string> read_config(const Home& home) {
    const std::optional<Bytes> text =
        TRY(read_file_if_exists(home.config_file(), limits::config_bytes_max));
    return std::string(text ? text_of(*text) : std::string_view{});
}

Result<std::string> make_draft(const Home& home, std::string_view text) {
    // Editors go by the ending, which mkstemps keeps. It makes files of mode 0600.
    constexpr std::string_view ending = ".toml";
    std::string path = home.path + "/config-draft-XXXXXX" + std::string(ending);
    const UniqueFd file(::mkstemps(path.data(), static_cast<int>(ending.size())));
    if (!file) {
        return system_error("cannot make", path, errno);
    }
    TRY(write_file(path, bytes_of(text), 0600, IfExists::replace));
    return path;
}

Result<bool> take_draft(const Home& home, const std::string& draft, std::string_view before) {
    const std::optional<Bytes> read = TRY(read_file_if_exists(draft, limits::config_bytes_max));
    const std::string_view text = read ? text_of(*read) : before;
    const bool is_changed = text != before;
    if (is_changed) {
        if (Result<void> put = put_in_place(home, text, before); !put) {
            Error error = std::move(put).take_error();
            error.message += "; config.toml is as it was, and what you wrote is kept in " + draft;
            return error;
        }
    }
    ::unlink(draft.c_str()); // One that stays does no harm.
    return is_changed;
}

bool drop_draft(const std::string& draft, std::string_view before) {
    const Result<std::optional<Bytes>> read = read_file_if_exists(draft, limits::config_bytes_max);
    if (!read || (*read && text_of(**read) != before)) {
        return false;
    }
    ::unlink(draft.c_str());
    return true;
}

} // namespace ic::config
