#include "archive/tar_writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::archive {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::array<std::uint8_t, 2 * block_bytes> zeros{};

/// A field of a header block: where it begins and how long it is.
struct Field {
    std::size_t at;
    std::size_t bytes;
};

// POSIX.1-2001, pax, "ustar Interchange Format", table "ustar Header Block".
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field uid_field{108, 8};
constexpr Field gid_field{116, 8};
constexpr Field size_field{124, 12};
constexpr Field mtime_field{136, 12};
constexpr Field checksum_field{148, 8};
constexpr std::size_t type_at = 156;
constexpr Field link_field{157, 100};
constexpr std::size_t magic_at = 257;
constexpr Field device_major_field{329, 8};
constexpr Field device_minor_field{337, 8};
constexpr Field prefix_field{345, 155};

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char letter) {
        return letter != '\0' && static_cast<unsigned char>(letter) < 0x80;
    });
}

/// What is left of a text in a field that holds ASCII alone; the whole stands in a pax record.
std::string ascii_part(std::string_view text) {
    std::string part;
    std::ranges::copy_if(text, std::back_inserter(part), [](char letter) {
        return letter != '\0' && static_cast<unsigned char>(letter) < 0x80;
    });
    return part;
}

bool fits_octal(const Field& field, std::int64_t number) {
    const std::size_t bits = 3 * (field.bytes - 1); // The last byte is a zero.
    return number >= 0 && (bits >= 63 || number < std::int64_t{1} << bits);
}

class Header {
public:
    /// As much of `text` as fits. Readers take a name that ends in a slash for a folder, so one
    /// that is cut behind a slash loses that.
    void set_text(const Field& field, std::string_view text) {
        std::copy_n(text.begin(), std::min(text.size(), field.bytes), bytes_.begin() + at(field));
        if (text.size() > field.bytes && text[field.bytes - 1] == '/') {
            std::string_view kept = text.substr(0, field.bytes - 1);
            while (kept.ends_with('/')) {
                kept.remove_suffix(1);
            }
            bytes_[field.at + kept.size()] = 0;
        }
    }

    /// Octal digits and a zero byte; 0 for what does not fit.
    void set_number(const Field& field, std::int64_t number) {
        std::array<char, 24> digits{};
        std::snprintf(digits.data(),
                      digits.size(),
                      "%0*llo",
                      static_cast<int>(field.bytes - 1),
                      static_cast<unsigned long long>(fits_octal(field, number) ? number : 0));
        set_text(field, digits.data());
    }

    void set_type(char type) { bytes_[type_at] = static_cast<std::uint8_t>(type); }

    /// Magic, version and checksum; then the block is done.
    ByteView sealed() {
        constexpr std::string_view magic{"ustar\00000", 8};
        std::ranges::copy(magic, bytes_.begin() + magic_at);
        unsigned sum = 0;
        for (std::size_t index = 0; index < bytes_.size(); ++index) {
            const bool own =
                index >= checksum_field.at && index < checksum_field.at + checksum_field.bytes;
            sum += own ? std::uint8_t{' '} : bytes_[index];
        }
        set_number({checksum_field.at, checksum_field.bytes - 1}, sum);
        bytes_[checksum_field.at + checksum_field.bytes - 1] = ' ';
        return bytes_;
    }

private:
    static std::ptrdiff_t at(const Field& field) { return static_cast<std::ptrdiff_t>(field.at); }

    std::array<std::uint8_t, block_bytes> bytes_{};
};

/// A path that is too long for its field, as prefix and name around a slash.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view path) {
    if (path.size() <= name_field.bytes || !is_ascii(path)) {
        return std::nullopt;
    }
    const std::size_t slash = path.substr(0, prefix_field.bytes + 1).rfind('/');
    if (slash == std::string_view::npos || slash == 0 || slash > prefix_field.bytes) {
        return std::nullopt;
    }
    const std::string_view name = path.substr(slash + 1);
    if (name.empty() || name.size() > name_field.bytes) {
        return std::nullopt;
    }
    return std::pair{path.substr(0, slash), name};
}

/// "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too.
std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t size = rest + std::to_string(rest).size();
    if (rest + std::to_string(size).size() != size) {
        size = rest + std::to_string(size).size();
    }
    std::string record = std::to_string(size);
    record.append(" ").append(key).append("=").append(value).append("\n");
    return record;
}

/// What ustar's fields cannot say, by key.
std::map<std::string, std::string> pax_values(const TarEntry& entry) {
    std::map<std::string, std::string> values;
    const bool fits = is_ascii(entry.path) && entry.path.size() <= name_field.bytes;
    if (!fits && !split(entry.path)) {
        values["path"] = entry.path;
    }
    if (!is_ascii(entry.target) || entry.target.size() > link_field.bytes) {
        values["linkpath"] = entry.target;
    }
    if (!fits_octal(size_field, static_cast<std::int64_t>(entry.size))) {
        values["size"] = std::to_string(entry.size);
    }
    if (!fits_octal(mtime_field, entry.modified.seconds)) {
        values["mtime"] = std::to_string(entry.modified.seconds);
    }
    if (!values.empty() && !fits) { // Once there are records, the long name is among them.
        values["path"] = entry.path;
    }
    return values;
}

char type_letter(TarType type) {
    switch (type) {
    case TarType::file:
        return '0';
    case TarType::directory:
        return '5';
    case TarType::symlink:
        return '2';
    }
    return '0';
}

Header header_of(const TarEntry& entry) {
    Header header;
    header.set_type(type_letter(entry.type));
    header.set_number(mode_field, entry.mode);
    header.set_number(uid_field, 0);
    header.set_number(gid_field, 0);
    header.set_number(size_field, static_cast<std::int64_t>(entry.size));
    header.set_number(mtime_field, entry.modified.seconds);
    header.set_number(device_major_field, 0);
    header.set_number(device_minor_field, 0);
    return header;
}

/// "a/b/PaxHeaders.0/c" of "a/b/c", as the name of the records' own entry.
std::string pax_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t name_at = slash == std::string_view::npos ? 0 : slash + 1;
    std::string name(path.substr(0, name_at));
    name.append("PaxHeaders.0/").append(path.substr(name_at));
    name = ascii_part(name);
    name.resize(std::min(name.size(), name_field.bytes));
    while (name.ends_with('/')) {
        name.pop_back();
    }
    return name;
}

Result<void> check_text(const std::string& text, std::string_view what) {
    if (text.find('\0') != std::string::npos) {
        return Error{Errc::malformed,
                     std::string(what) + " with a zero byte in it cannot stand in an archive"};
    }
    if (text.size() > limits::tar_name_bytes_max) {
        return Error{Errc::too_large, std::string(what) + " has more than 256 KiB"};
    }
    return {};
}

std::size_t padding_of(std::uint64_t bytes) {
    return static_cast<std::size_t>((block_bytes - bytes % block_bytes) % block_bytes);
}

/// To whole seconds; a half goes up.
TarTime rounded(const TarTime& time) {
    return {.seconds = time.seconds + (time.nanoseconds >= 500'000'000 ? 1 : 0), .nanoseconds = 0};
}

} // namespace

Result<void> TarWriter::pad() {
    assert(left_ == 0);
    return sink_.write(ByteView{zeros}.first(std::exchange(padding_, 0)));
}

Result<void> TarWriter::begin(const TarEntry& given) {
    TRY(check_text(given.path, "a name"));
    if (given.type == TarType::symlink) {
        TRY(check_text(given.target, "the target of a symlink"));
    }
    TRY(pad());
    TarEntry entry = given;
    entry.modified = rounded(given.modified);
    entry.size = given.type == TarType::file ? given.size : 0;
    Header header = header_of(entry);
    const std::map<std::string, std::string> values = pax_values(entry);
    if (values.empty()) {
        const auto parts = split(entry.path);
        header.set_text(prefix_field, parts ? parts->first : std::string_view{});
        header.set_text(name_field, parts ? parts->second : std::string_view{entry.path});
        header.set_text(link_field, entry.target);
    } else {
        std::string records;
        for (const auto& [key, value] : values) {
            records += pax_record(key, value);
        }
        TRY(write_pax(entry, records));
        header.set_text(name_field, ascii_part(entry.path));
        header.set_text(link_field, ascii_part(entry.target));
    }
    TRY(sink_.write(header.sealed()));
    left_ = entry.size;
    padding_ = padding_of(entry.size);
    return {};
}

Result<void> TarWriter::write_pax(const TarEntry& entry, const std::string& records) {
    Header header;
    header.set_type('x');
    header.set_text(name_field, pax_name(entry.path));
    header.set_number(mode_field, 0);
    header.set_number(uid_field, 0);
    header.set_number(gid_field, 0);
    header.set_number(size_field, static_cast<std::int64_t>(records.size()));
    header.set_number(mtime_field, 0);
    TRY(sink_.write(header.sealed()));
    TRY(sink_.write(bytes_of(records)));
    return sink_.write(ByteView{zeros}.first(padding_of(records.size())));
}

Result<void> TarWriter::write(ByteView content) {
    if (content.size() > left_) {
        return Error{Errc::too_large, "a file has more bytes than its entry in the archive says"};
    }
    left_ -= content.size();
    return sink_.write(content);
}

Result<void> TarWriter::finish() {
    TRY(pad());
    return sink_.write(zeros);
}

} // namespace ic::archive
