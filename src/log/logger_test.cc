#include "base/unique_fd.h"
#include "log/logger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

namespace ic::log {
namespace {

/// 2026-11-26 03:44:12.007 UTC, as `date -u -d @1795664652.007` prints it.
constexpr std::int64_t some_time = 1'795'664'652'007;

/// A logger into a pipe.
class LoggerTest : public ::testing::Test {
protected:
    Logger& open(LoggerOptions options) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader_.reset(ends[0]);
        pipe_.reset(ends[1]);
        options.clock = [] { return some_time; };
        return logger_.emplace(pipe_.get(), std::move(options));
    }

    /// All that was written; ends the logger.
    std::string written() {
        logger_.reset();
        pipe_.reset();
        std::string text;
        std::array<char, 4096> piece{};
        for (;;) {
            const ssize_t count = ::read(reader_.get(), piece.data(), piece.size());
            if (count <= 0) {
                return text;
            }
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
    }

    UniqueFd reader_;
    UniqueFd pipe_;
    std::optional<Logger> logger_;
};

TEST(Rfc3339, IsUtcWithMilliseconds) {
    EXPECT_EQ(rfc3339_of(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_of(some_time), "2026-11-26T03:44:12.007Z");
    EXPECT_EQ(rfc3339_of(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(LogNames, ReadBack) {
    for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
        EXPECT_EQ(parse_level(name(level)), level);
    }
    for (const Format format : {Format::text, Format::json}) {
        EXPECT_EQ(parse_format(name(format)), format);
    }
    EXPECT_EQ(parse_level("warn"), std::nullopt);
    EXPECT_EQ(parse_format(""), std::nullopt);
}

TEST_F(LoggerTest, WritesTextAsPeopleReadIt) {
    const Sink sink = open({}).sink();
    sink(Level::info, "ready\x1b[2J", {{"slots", std::uint64_t{2}}});
    const std::array job{Field{"job", "bafyjob"}};
    sink.tell({.source = Source::guest, .message = "hello\nthere", .fields = job});
    EXPECT_EQ(written(), "ipfs-compute: ready\\x1b[2J\nbafyjob log: hello\\x0athere\n");
}

TEST_F(LoggerTest, WritesAnObjectALineWithEveryField) {
    const Sink sink = open({.format = Format::json}).sink();
    sink(Level::warning, "cut \"off\"", {{"peer", "worker\n1"}, {"slots", std::uint64_t{2}}});
    const std::array job{Field{"job", "bafyjob"}};
    sink.tell({.source = Source::guest, .message = "hello", .fields = job});
    EXPECT_EQ(written(),
              R"({"time":"2026-11-26T03:44:12.007Z","level":"warning","source":"node",)"
              R"("message":"cut \"off\"","peer":"worker\n1","slots":2})"
              "\n"
              R"({"time":"2026-11-26T03:44:12.007Z","level":"info","source":"guest",)"
              R"("message":"hello","job":"bafyjob"})"
              "\n");
}

TEST_F(LoggerTest, LeavesOutWhatIsBelowItsLevel) {
    const Sink sink = open({.lowest = Level::warning}).sink();
    EXPECT_FALSE(sink.wants(Level::info));
    EXPECT_TRUE(sink.wants(Level::warning));
    sink(Level::info, "no");
    sink(Level::error, "yes");
    EXPECT_EQ(written(), "ipfs-compute: yes\n");
}

TEST_F(LoggerTest, ShowsTheFieldsOfDebugLinesToPeopleToo) {
    const Sink sink = open({.lowest = Level::debug}).sink();
    sink(Level::debug, "granted", {{"job", "bafyjob"}, {"epoch", "3.1"}});
    EXPECT_EQ(written(), "ipfs-compute: granted job=bafyjob epoch=3.1\n");
}

TEST_F(LoggerTest, ColoursWhatIsWrongWhereItMay) {
    const Sink sink = open({.colours = Colours::ansi}).sink();
    sink(Level::info, "a");
    sink(Level::warning, "b");
    sink(Level::error, "c");
    EXPECT_EQ(written(),
              "ipfs-compute: a\n\x1b[33mipfs-compute:\x1b[0m b\n\x1b[31mipfs-compute:\x1b[0m c\n");
}

TEST_F(LoggerTest, SaysAsJsonTooWhatItDropped) {
    const Sink sink = open({.format = Format::json}).sink();
    sink(Level::info, std::string(limits::waiting_bytes_max, 'x'));
    EXPECT_EQ(written(),
              R"({"time":"2026-11-26T03:44:12.007Z","level":"warning","source":"node",)"
              R"("message":"1 lines were dropped here: nobody read them","lines_dropped":1})"
              "\n");
}

TEST(Sink, TellsNobodyByDefault) {
    const Sink sink;
    EXPECT_FALSE(sink.wants(Level::error));
    sink(Level::error, "nobody hears this");
}

} // namespace
} // namespace ic::log
