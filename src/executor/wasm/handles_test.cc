#include "executor/wasm/handles.h"
#include "executor/wasm/limits.h"
#include "executor/wasm/testing/memory_services.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ic::executor::wasm {
namespace {

TEST(Handles, CountWhatIsHeldForThem) {
    MemoryServices services;
    Handles handles;
    handles.begin({.handles_max = 10, .curls_max = 10});
    const std::int64_t listing = handles.open(TextHandle{.text = std::string(100, 'x')});
    const std::int64_t other = handles.open(TextHandle{.text = std::string(20, 'y')});
    const std::int64_t adding = handles.open(AddHandle{.id = 7});
    handles.open(AddHandle{.id = 8});
    EXPECT_EQ(handles.text_bytes(), 120U);
    EXPECT_EQ(handles.adds(), 2U);
    EXPECT_TRUE(handles.close(listing, services));
    EXPECT_EQ(handles.text_bytes(), 20U);
    EXPECT_EQ(handles.take_add(other), std::nullopt) << "no file";
    EXPECT_EQ(handles.take_add(adding), 7U);
    EXPECT_EQ(handles.take_add(adding), std::nullopt) << "no handle any more";
    EXPECT_EQ(handles.adds(), 1U);
    handles.close_all(services);
    EXPECT_EQ(handles.text_bytes(), 0U);
    EXPECT_EQ(handles.adds(), 0U);
}

/// The bytes of each go into its one block.
class Files {
public:
    Files() { handles.begin({.handles_max = 1000, .curls_max = 0}); }

    std::int64_t open(std::size_t bytes) {
        content_.push_back(static_cast<char>(++count_));
        content_.resize(bytes, 'f');
        const Cid cid = services.put_raw(content_);
        content_.clear();
        return handles.open(FileHandle{unixfs::FileReader::open(source_, cid).take()});
    }

    FileHandle& at(std::int64_t number) { return std::get<FileHandle>(*handles.find(number)); }

    void read(std::int64_t number) {
        Bytes piece(1);
        EXPECT_EQ(at(number).reader.read_at(0, piece).take(), 1U);
        handles.was_read(at(number));
    }

    bool rests(std::int64_t number) { return at(number).reader.held_bytes() == 0; }

    MemoryServices services;
    Handles handles;

private:
    struct Source final : BlockSource {
        explicit Source(Services& from) : services(from) {}
        Result<LentBytes> get(const Cid& cid) override { return services.block(cid); }
        Services& services;
    };

    Source source_{services};
    std::string content_;
    int count_ = 0;
};

TEST(Handles, LetTheFileRestThatWasReadLongestAgo) {
    Files files;
    constexpr std::size_t each = std::size_t{1} << 20U;
    std::vector<std::int64_t> open;
    for (std::size_t bytes = 0; bytes < limits::files_bytes_max; bytes += each) {
        open.push_back(files.open(each));
    }
    EXPECT_EQ(files.handles.file_bytes(), limits::files_bytes_max);
    EXPECT_TRUE(std::ranges::none_of(open, [&](auto file) { return files.rests(file); }))
        << "just as much as there may be";
    files.read(open[0]);
    const std::int64_t one_more = files.open(1);
    EXPECT_TRUE(files.rests(open[1]));
    EXPECT_FALSE(files.rests(open[0]) || files.rests(open[2]) || files.rests(one_more));
    EXPECT_EQ(files.handles.file_bytes(), limits::files_bytes_max - each + 1);
    files.read(open[1]);
    EXPECT_TRUE(files.rests(open[2]));
    EXPECT_FALSE(files.rests(open[1]));
    EXPECT_TRUE(files.handles.close(open[1], files.services));
    EXPECT_EQ(files.handles.file_bytes(), limits::files_bytes_max - 2 * each + 1);
    files.handles.close_all(files.services);
    EXPECT_EQ(files.handles.file_bytes(), 0U);
}

} // namespace
} // namespace ic::executor::wasm
