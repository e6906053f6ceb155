#include "base/boot.h"

#include "base/bytes.h"
#include "base/file.h"

#include <cstddef>
#include <optional>

namespace ic {

Result<std::string> boot_id() {
    // Source: random(4), "/proc interfaces": a UUID of 36 letters, and a line's end.
    const std::string path = "/proc/sys/kernel/random/boot_id";
    constexpr std::size_t letters = 36;
    const std::optional<Bytes> content = TRY(read_file_if_exists(path, 2 * letters));
    if (!content) {
        return Error{Errc::not_found, "there is no " + path + ": is /proc mounted?"};
    }
    std::string id{text_of(*content)};
    if (id.size() != letters + 1 || id.back() != '\n') {
        return Error{Errc::malformed, path + " holds no UUID"};
    }
    id.pop_back();
    return id;
}

} // namespace ic
