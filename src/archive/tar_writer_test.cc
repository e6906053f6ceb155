#include "archive/tar_writer.h"
#include "base/bytes.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace ic::archive {
namespace {

class Text final : public ByteSink {
public:
    Result<void> write(ByteView bytes) override {
        text += text_of(bytes);
        return {};
    }

    std::string text;
};

struct Entry {
    TarEntry entry;
    std::string content;
};

Entry file(const std::string& path, const std::string& content) {
    return {{.path = path,
             .size = content.size(),
             .mode = 0644,
             .modified = {.seconds = 1'700'000'000}},
            content};
}

std::string tar_of(const std::vector<Entry>& entries) {
    Text out;
    TarWriter tar(out);
    for (const Entry& entry : entries) {
        EXPECT_TRUE(tar.begin(entry.entry).ok());
        EXPECT_TRUE(tar.write(bytes_of(entry.content)).ok());
    }
    EXPECT_TRUE(tar.finish().ok());
    return out.text;
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int time = 0; time < times; ++time) {
        all += text;
    }
    return all;
}

std::string n(std::size_t letters) { return std::string(letters, 'n'); }

std::string hash_of_text(const std::string& text) {
    const uLong sum = crc32(0, bytes_of(text).data(), static_cast<uInt>(text.size()));
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "%08lx", sum);
    return digits.data();
}

// By hand from POSIX.1-2001, pax, "ustar Interchange Format".
TEST(TarWriter, WritesAUstarHeader) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
        header.replace(at, text.size(), text);
    };
    put(0, "a.txt");
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, "00000000006");
    put(136, "14524770400");
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\00000", 8));
    put(329, "0000000");
    put(337, "0000000");
    unsigned sum = 0;
    for (const char byte : header) {
        sum += static_cast<unsigned char>(byte);
    }
    std::array<char, 16> octal{};
    std::snprintf(octal.data(), octal.size(), "%06o", sum);
    put(148, std::string(octal.data()) + '\0' + ' ');
    const std::string content = "hello\n" + std::string(506, '\0');
    EXPECT_TRUE(tar_of({file("a.txt", "hello\n")}) == header + content + std::string(1024, '\0'));
}

/// CRC-32 of an archive. The expected ones are those of what Go 1.26's archive/tar writes for the
/// same headers (Format unspecified, as Kubo's `get --archive` calls it).
std::string hash_of(const std::vector<Entry>& entries) { return hash_of_text(tar_of(entries)); }

TEST(TarWriter, WritesTheBytesOfGosArchiver) {
    EXPECT_EQ(hash_of({file("a.txt", "hello\n")}), "2d1e8741");
    EXPECT_EQ(hash_of({{{.type = TarType::directory,
                         .path = "d",
                         .mode = 0755,
                         .modified = {.seconds = 1'700'000'000}},
                        ""},
                       file("d/a", std::string(512, 'x')),
                       file("d/b", std::string(513, 'y')),
                       {{.type = TarType::symlink,
                         .path = "d/l",
                         .target = "../elsewhere",
                         .mode = 0777,
                         .modified = {.seconds = 1'700'000'000}},
                        ""}}),
              "9935d575");
}

TEST(TarWriter, WritesNamesAsGosArchiver) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {n(99), "6b55353e"},
        {n(100), "c09a7b17"},
        {n(101), "2ebef282"},
        {n(50) + "/" + n(50), "cc85765d"},
        {n(155) + "/" + n(100), "1ca97f1a"},
        {n(156) + "/" + n(100), "cedcfadb"},
        {n(155) + "/" + n(101), "9326d998"},
        {n(99) + "/" + n(20), "4f55b69d"},
        {repeated("ab/", 60) + "c", "c855f920"},
        {"a/" + n(254), "8a941ea0"},
        {"\u00e9", "d55991a2"},
        {"dir/" + repeated("\u65e5\u672c", 20), "9d11d882"},
        {"bad\xff\xfe", "93b70a3c"},
        {n(80) + "\u00e9" + n(40), "ac37ef0f"},
        {"a/\u00e9/" + n(120), "d2f66d23"},
        {n(98) + "\u00e9/x", "540ec811"},
    };
    for (const auto& [name, hash] : cases) {
        EXPECT_EQ(hash_of({file(name, "")}), hash) << name;
    }
}

TEST(TarWriter, WritesTargetsAsGosArchiver) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {n(100), "ee14ca6c"},
        {n(101), "f421f9c2"},
        {"\u00e9", "e4ab9463"},
        {"", "4d1b761a"},
    };
    for (const auto& [target, hash] : cases) {
        EXPECT_EQ(hash_of({{{.type = TarType::symlink,
                             .path = n(101) + "/" + n(20),
                             .target = target,
                             .mode = 0777,
                             .modified = {.seconds = 1'700'000'000}},
                            ""}}),
                  hash)
            << target;
    }
}

TEST(TarWriter, WritesTimesAsGosArchiver) {
    const std::vector<std::pair<TarTime, std::string>> cases{
        {{.seconds = 0, .nanoseconds = 0}, "03c0e364"},
        {{.seconds = 0, .nanoseconds = 499999999}, "03c0e364"},
        {{.seconds = 0, .nanoseconds = 500000000}, "752fcbda"},
        {{.seconds = -1, .nanoseconds = 0}, "179ab97f"},
        {{.seconds = -1, .nanoseconds = 500000000}, "03c0e364"},
        {{.seconds = 8589934591, .nanoseconds = 0}, "547c8ca8"},
        {{.seconds = 8589934592, .nanoseconds = 0}, "777ae115"},
        {{.seconds = 8589934591, .nanoseconds = 999999999}, "777ae115"},
    };
    for (const auto& [time, hash] : cases) {
        Entry entry = file("t", "");
        entry.entry.modified = time;
        EXPECT_EQ(hash_of({entry}), hash) << time.seconds << "." << time.nanoseconds;
    }
}

TEST(TarWriter, WritesModesAsGosArchiver) {
    const std::vector<std::pair<std::uint32_t, std::string>> cases{
        {0, "ae380f1d"},
        {07777, "5ce6ed9a"},
        {0600, "c9579217"},
    };
    for (const auto& [mode, hash] : cases) {
        Entry entry = file("m", "");
        entry.entry.mode = mode;
        EXPECT_EQ(hash_of({entry}), hash) << mode;
    }
}

TEST(TarWriter, WritesSizesThatUstarCannotHoldAsGosArchiver) {
    Text out;
    TarWriter tar(out);
    Entry entry = file("big", "");
    entry.entry.size = std::uint64_t{1} << 33U;
    ASSERT_TRUE(tar.begin(entry.entry).ok());
    EXPECT_EQ(hash_of_text(out.text), "7975552b");
}

TEST(TarWriter, RefusesMoreContentThanTheEntrySays) {
    Text out;
    TarWriter tar(out);
    ASSERT_TRUE(tar.begin(file("a", "12").entry).ok());
    EXPECT_TRUE(tar.write(bytes_of("1")).ok());
    EXPECT_EQ(tar.write(bytes_of("23")).error().code, Errc::too_large);
}

TEST(TarWriter, RefusesZeroBytesAndNamesOnePastTheLimit) {
    Text out;
    TarWriter tar(out);
    EXPECT_EQ(tar.begin({.path = std::string("a\0b", 3)}).error().code, Errc::malformed);
    EXPECT_EQ(tar.begin({.type = TarType::symlink, .path = "l", .target = std::string(1, '\0')})
                  .error()
                  .code,
              Errc::malformed);
    const std::string longest(limits::tar_name_bytes_max, 'n');
    EXPECT_TRUE(tar.begin({.path = longest}).ok());
    EXPECT_EQ(tar.begin({.path = longest + "n"}).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::archive
