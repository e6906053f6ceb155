#include "wiring/identity.h"

#include "base/file.h"
#include "identity/key_text.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace ic::wiring {
namespace {

/// Writes a new key unless another process is faster.
Result<void> make_key(const std::string& file) {
    std::array<std::uint8_t, 32> seed{};
    if (::getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
        return system_error("cannot get randomness for", file, errno);
    }
    std::string text = encode_key(TRY(PrivateKey::from_seed(seed))) + "\n";
    ::explicit_bzero(seed.data(), seed.size());
    Result<void> written = write_file(file, bytes_of(text), 0600, IfExists::fail);
    ::explicit_bzero(text.data(), text.size());
    if (!written && written.error().code == Errc::refused && ::access(file.c_str(), F_OK) == 0) {
        return {};
    }
    return written;
}

} // namespace

Result<PrivateKey> open_identity(const config::Home& home) {
    const std::string file = home.key_file();
    std::optional<Bytes> text = TRY(read_file_if_exists(file, limits::key_text_bytes_max));
    if (!text) {
        TRY(make_key(file));
        text = TRY(read_file_if_exists(file, limits::key_text_bytes_max));
    }
    struct stat status{};
    if (!text || ::stat(file.c_str(), &status) != 0) {
        return system_error("cannot read", file, errno);
    }
    if ((status.st_mode & 077U) != 0) {
        return Error{Errc::refused, file + " can be read by others; run: chmod 600 " + file};
    }
    Result<PrivateKey> key = decode_key(text_of(*text));
    ::explicit_bzero(text->data(), text->size());
    if (!key) {
        return std::move(key).take_error().during("reading " + file);
    }
    return key;
}

} // namespace ic::wiring
