#include "base/unique_fd.h"
#include "car_store/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace ic::car_store {
namespace {

/// A file without a name.
class CarOutput : public ::testing::Test {
protected:
    CarOutput() {
        std::string path = ::testing::TempDir() + "car-output-XXXXXX";
        file_.reset(::mkstemp(path.data()));
        ::unlink(path.c_str());
    }

    /// Writes `parts` as heads and data in turns.
    Result<void> write(const std::vector<std::string>& parts, OutputOptions options = {}) {
        FileOutput output(file_.get(), std::move(options));
        for (std::size_t index = 0; index + 1 < parts.size(); index += 2) {
            TRY(output.write(copy_of(bytes_of(parts[index])),
                             LentBytes::of(copy_of(bytes_of(parts[index + 1])))));
        }
        return output.finish();
    }

    OutputOptions resumed() {
        struct stat status{};
        EXPECT_EQ(::fstat(file_.get(), &status), 0);
        EXPECT_GE(::lseek(file_.get(), 0, SEEK_END), 0);
        return {.name = "the file",
                .there_bytes = static_cast<std::uint64_t>(status.st_size),
                .there_fd = file_.get()};
    }

    std::string content() {
        std::string text(1U << 22U, '\0');
        const ssize_t count = ::pread(file_.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        return text;
    }

    UniqueFd file_;
};

TEST_F(CarOutput, WritesEveryPartInOrder) {
    ASSERT_TRUE(write({"head", "data", "more", "", "", "end"}).ok());
    EXPECT_EQ(content(), "headdatamoreend");
}

TEST_F(CarOutput, WritesMoreThanItCollects) {
    std::vector<std::string> parts;
    std::string expected;
    for (std::size_t index = 0; index < 3 * limits::unwritten_parts_max; ++index) {
        parts.push_back(std::to_string(index));
        expected += parts.back();
    }
    parts.push_back("h");
    parts.push_back(std::string(limits::unwritten_bytes_max + 1, 'x'));
    expected += "h" + parts.back();
    ASSERT_TRUE(write(parts).ok());
    EXPECT_TRUE(content() == expected);
}

TEST_F(CarOutput, SkipsWhatSomebodyHasAlready) {
    ASSERT_TRUE(
        write({"head", "data", "more", "end"}, {.name = "the file", .there_bytes = 6}).ok());
    EXPECT_EQ(content(), "tamoreend");
}

TEST_F(CarOutput, GoesOnAfterAnyPrefix) {
    const std::string whole = "headdatamoreend";
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
        ASSERT_EQ(::pwrite(file_.get(), whole.data(), size, 0), static_cast<ssize_t>(size));
        const Result<void> result = write({"head", "data", "more", "end"}, resumed());
        ASSERT_TRUE(result.ok()) << result.error().message;
        EXPECT_EQ(content(), whole);
    }
}

TEST_F(CarOutput, RefusesToGoOnAfterOtherBytesAndLeavesThemAlone) {
    ASSERT_EQ(::pwrite(file_.get(), "headdatX", 8, 0), 8);
    const Result<void> result = write({"head", "data", "more", "end"}, resumed());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::refused);
    EXPECT_EQ(content(), "headdatX");
}

TEST_F(CarOutput, RefusesAFileThatIsLongerThanTheExport) {
    ASSERT_EQ(::pwrite(file_.get(), "headdata!", 9, 0), 9);
    const Result<void> result = write({"head", "data"}, resumed());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::refused);
    EXPECT_EQ(content(), "headdata!");
}

TEST_F(CarOutput, SaysWhatCannotBeWritten) {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    FileOutput output(full.get(), {.name = "/dev/full"});
    ASSERT_TRUE(output.write(Bytes{1}, {}).ok());
    const Result<void> result = output.finish();
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::storage_full);
    EXPECT_NE(result.error().message.find("/dev/full"), std::string::npos);
}

} // namespace
} // namespace ic::car_store
