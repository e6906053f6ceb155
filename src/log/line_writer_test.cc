#include "log/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <thread>

namespace ic::log {
namespace {

class LineWriterTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader_.reset(ends[0]);
        pipe_.reset(ends[1]);
        writer_.emplace(pipe_.get(), [](std::uint64_t lines) {
            return "(" + std::to_string(lines) + " lines were dropped here)\n";
        });
    }

    /// Everything until the pipe's other end is closed.
    std::string rest() {
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
    std::optional<LineWriter> writer_;
};

TEST_F(LineWriterTest, WritesEveryLineInOrderBeforeItEnds) {
    std::string expected;
    for (int number = 0; number < 1000; ++number) {
        const std::string line = "line " + std::to_string(number) + "\n";
        expected += line;
        writer_->write(line);
    }
    writer_.reset();
    pipe_.reset();
    EXPECT_EQ(rest(), expected);
}

TEST_F(LineWriterTest, NeverWaitsForAReaderAndSaysWhatItDropped) {
    const std::string line = std::string(1023, 'x') + "\n";
    const std::size_t lines = 4 * limits::waiting_bytes_max / line.size();
    for (std::size_t number = 0; number < lines; ++number) {
        writer_->write(line); // Far more than the pipe and the writer hold.
    }
    std::thread reader(
        [this] { EXPECT_NE(rest().find("lines were dropped here"), std::string::npos); });
    writer_.reset();
    pipe_.reset();
    reader.join();
}

TEST_F(LineWriterTest, EndsThoughNobodyReads) {
    writer_->write(std::string(limits::waiting_bytes_max - 1, 'x') + "\n");
    writer_.reset();
}

TEST_F(LineWriterTest, TakesNoLineBeyondItsBound) {
    writer_->write(std::string(limits::waiting_bytes_max, '#') + "\n");
    writer_->write("next\n");
    writer_.reset();
    pipe_.reset();
    const std::string text = rest();
    EXPECT_EQ(text.find('#'), std::string::npos);
    EXPECT_NE(text.find("next\n"), std::string::npos);
    EXPECT_NE(text.find("(1 lines were dropped here)"), std::string::npos);
}

TEST_F(LineWriterTest, GoesOnWhenItsReaderIsGone) {
    reader_.reset();
    writer_->write("nobody hears this\n");
    writer_.reset();
}

} // namespace
} // namespace ic::log
