/// Whatever entries are written, a reader that knows nothing of the writer finds the same ones.

#include "archive/tar_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using ic::archive::TarEntry;
using ic::archive::TarType;

class Text final : public ic::archive::ByteSink {
public:
    ic::Result<void> write(ic::ByteView bytes) override {
        text += ic::text_of(bytes);
        return {};
    }

    std::string text;
};

/// Takes values from the front of the input, zeros once it has ended.
class Source {
public:
    Source(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    bool empty() const { return rest_.empty(); }

    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(bytes)) {
            value = value << 8U | byte;
        }
        return value;
    }

    std::string text() { return std::string(ic::text_of(take(number(2) % 700))); }

private:
    ic::ByteView take(std::size_t bytes) {
        const ic::ByteView taken = rest_.first(std::min(bytes, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

    ic::ByteView rest_;
};

/// An entry as a reader finds it.
struct TarFound {
    char type = '0';
    std::string path;
    std::string target;
    std::string content;
    std::uint64_t mode = 0;
    std::int64_t seconds = 0;
};

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// The text of a field up to its first zero byte.
std::string field(std::string_view block, std::size_t at, std::size_t bytes) {
    const std::string_view whole = block.substr(at, bytes);
    return std::string(whole.substr(0, whole.find('\0')));
}

std::uint64_t octal(std::string_view block, std::size_t at, std::size_t bytes) {
    return std::strtoull(field(block, at, bytes).c_str(), nullptr, 8);
}

/// POSIX.1-2001, pax: "the checksum ... as if the field were all blanks".
bool has_good_checksum(std::string_view block) {
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < block.size(); ++index) {
        sum += index >= 148 && index < 156 ? ' ' : static_cast<unsigned char>(block[index]);
    }
    return sum == octal(block, 148, 8);
}

/// "LENGTH KEY=VALUE\n" after each other.
std::map<std::string, std::string> records_of(std::string_view text) {
    std::map<std::string, std::string> records;
    while (!text.empty()) {
        const std::size_t length = std::strtoull(std::string(text).c_str(), nullptr, 10);
        require(length <= text.size() && text[length - 1] == '\n');
        const std::string_view record = text.substr(0, length - 1);
        const std::size_t key = record.find(' ') + 1;
        const std::size_t equals = record.find('=');
        require(
            records.emplace(record.substr(key, equals - key), record.substr(equals + 1)).second);
        text.remove_prefix(length);
    }
    return records;
}

std::vector<TarFound> read_tar(std::string_view archive) {
    std::vector<TarFound> found;
    std::map<std::string, std::string> records;
    const auto take = [&archive](std::size_t bytes) {
        require(bytes <= archive.size());
        const std::string_view taken = archive.substr(0, bytes);
        archive.remove_prefix(bytes);
        return taken;
    };
    for (;;) {
        const std::string_view block = take(512);
        if (block.find_first_not_of('\0') == std::string_view::npos) {
            require(archive == std::string(512, '\0'));
            return found;
        }
        require(has_good_checksum(block) && block.substr(257, 8) == std::string("ustar\00000", 8));
        const std::size_t bytes = octal(block, 124, 12);
        const std::string_view content = take(bytes);
        require(take((512 - bytes % 512) % 512).find_first_not_of('\0') == std::string_view::npos);
        if (block[156] == 'x') {
            records = records_of(content);
            continue;
        }
        const std::string prefix = field(block, 345, 155);
        TarFound entry{.type = block[156],
                       .path = (prefix.empty() ? "" : prefix + "/") + field(block, 0, 100),
                       .target = field(block, 157, 100),
                       .content = std::string(content),
                       .mode = octal(block, 100, 8),
                       .seconds = static_cast<std::int64_t>(octal(block, 136, 12))};
        entry.path = records.contains("path") ? records["path"] : entry.path;
        entry.target = records.contains("linkpath") ? records["linkpath"] : entry.target;
        entry.seconds = records.contains("mtime") ? std::stoll(records["mtime"]) : entry.seconds;
        records.clear();
        found.push_back(std::move(entry));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Source source(data, size);
    Text archive;
    ic::archive::TarWriter tar(archive);
    std::vector<TarEntry> written;
    std::vector<std::string> contents;
    while (!source.empty() && written.size() < 20) {
        TarEntry entry{.type = static_cast<TarType>(source.number(1) % 3),
                       .path = "x" + source.text(),
                       .mode = static_cast<std::uint32_t>(source.number(2) & 07777)};
        entry.target = entry.type == TarType::symlink ? source.text() : std::string();
        entry.modified.seconds = static_cast<std::int64_t>(source.number(5)) - (1LL << 36);
        const std::string content = entry.type == TarType::file ? source.text() : std::string();
        entry.size = content.size();
        if (!tar.begin(entry)) { // A zero byte.
            continue;
        }
        require(tar.write(ic::bytes_of(content)).ok());
        written.push_back(entry);
        contents.push_back(content);
    }
    require(tar.finish().ok());
    const std::vector<TarFound> found = read_tar(archive.text);
    require(found.size() == written.size());
    for (std::size_t index = 0; index < found.size(); ++index) {
        require(found[index].path == written[index].path);
        require(found[index].target == written[index].target);
        require(found[index].content == contents[index]);
        require(found[index].mode == written[index].mode);
        require(found[index].seconds == written[index].modified.seconds);
        require(found[index].type == "052"[static_cast<std::size_t>(written[index].type)]);
    }
    return 0;
}
