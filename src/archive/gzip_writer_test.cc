#include "archive/gzip_writer.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace ic::archive {
namespace {

class Text final : public ByteSink {
public:
    Result<void> write(ByteView bytes) override {
        if (text.size() >= full_at) {
            return Error{Errc::storage_full, "full"};
        }
        text += text_of(bytes);
        return {};
    }

    std::string text;
    std::size_t full_at = SIZE_MAX;
};

/// Decompressed by zlib, which checks length and checksum.
std::string decompressed(const std::string& gzip, std::size_t bytes_max) {
    z_stream state{};
    EXPECT_EQ(inflateInit2(&state, 15 + 16), Z_OK);
    std::string out(bytes_max + 1, '\0');
    std::string in = gzip;
    state.next_in = reinterpret_cast<Bytef*>(in.data());
    state.avail_in = static_cast<uInt>(in.size());
    state.next_out = reinterpret_cast<Bytef*>(out.data());
    state.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END);
    out.resize(state.total_out);
    inflateEnd(&state);
    return out;
}

TEST(GzipWriter, WritesWhatUnpacksToTheSame) {
    std::string content;
    for (unsigned number = 0; content.size() < 1'000'000; ++number) {
        content += std::to_string(number * number);
    }
    for (const int level :
         {limits::gzip_level_min, limits::gzip_level_default, limits::gzip_level_max}) {
        Text out;
        auto gzip = std::move(GzipWriter::open(out, level)).take();
        for (std::size_t at = 0; at < content.size(); at += 77'777) {
            ASSERT_TRUE(gzip->write(bytes_of(content).subspan(
                                        at, std::min<std::size_t>(77'777, content.size() - at)))
                            .ok());
        }
        ASSERT_TRUE(gzip->finish().ok());
        EXPECT_LT(out.text.size(), content.size() * 6 / 10);
        EXPECT_TRUE(decompressed(out.text, content.size()) == content) << level;
    }
}

TEST(GzipWriter, OfNothingIsAGzipFileToo) {
    Text out;
    auto gzip = std::move(GzipWriter::open(out, 1)).take();
    ASSERT_TRUE(gzip->finish().ok());
    EXPECT_EQ(decompressed(out.text, 10), "");
}

// RFC 1952, section 2.3: magic, deflate, no flags, no time; 255 is an unknown system.
TEST(GzipWriter, NamesNeitherTimeNorSystem) {
    Text out;
    auto gzip = std::move(GzipWriter::open(out, 6)).take();
    ASSERT_TRUE(gzip->finish().ok());
    EXPECT_EQ(out.text.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
}

TEST(GzipWriter, HandsOnTheErrorsOfItsSink) {
    Text out;
    out.full_at = 0;
    auto gzip = std::move(GzipWriter::open(out, 1)).take();
    EXPECT_EQ(gzip->finish().error().code, Errc::storage_full);
}

} // namespace
} // namespace ic::archive
