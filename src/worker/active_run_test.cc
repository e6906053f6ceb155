#include "worker/active_run.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::worker {
namespace {

using Lines = Live<std::string>;

TEST(Live, SaysOnceThatSomethingWaits) {
    Lines lines;
    EXPECT_TRUE(lines.add("a", 1));
    EXPECT_FALSE(lines.add("b", 1));
    const Lines::Taken taken = lines.take();
    EXPECT_EQ(taken.pieces, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(taken.dropped, 0U);
    EXPECT_TRUE(lines.take().pieces.empty());
    EXPECT_TRUE(lines.add("c", 1)) << "whoever took them has to be told again";
}

TEST(Live, IsBoundedInBytesAndPieces) {
    Lines lines;
    const std::size_t room = limits::live_bytes_max - limits::live_piece_bytes;
    lines.add(std::string(room, 'x'), room);
    EXPECT_FALSE(lines.add("", 0)) << "it is full to the last byte";
    EXPECT_EQ(lines.take().dropped, 1U);
    EXPECT_FALSE(lines.add(std::string(room + 1, 'x'), room + 1));
    EXPECT_EQ(lines.take().pieces.size(), 0U);

    const std::size_t pieces = limits::live_bytes_max / limits::live_piece_bytes;
    for (std::size_t piece = 0; piece < pieces + 3; ++piece) {
        lines.add("", 0);
    }
    const Lines::Taken taken = lines.take();
    EXPECT_EQ(taken.pieces.size(), pieces);
    EXPECT_EQ(taken.dropped, 3U);
}

} // namespace
} // namespace ic::worker
