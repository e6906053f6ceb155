#include "car/decoder.h"
#include "car/testing/samples.h"
#include "ipld/testing/hex.h"
#include "multiformats/multihash.h"
#include "multiformats/varint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ic::car {
namespace {

using testing::append_section;
using testing::car_of;
using testing::raw_block;
using testing::wrapped;

const std::vector<Block> blocks{raw_block("first"), raw_block(""), raw_block("third, longer")};
const std::vector<Cid> roots{blocks[0].cid};

struct Outcome {
    std::vector<Cid> cids;
    std::string content;
    Result<void> result;
    std::uint64_t whole_bytes = 0;
};

/// Feeds `car` in pieces of `piece_bytes` and then says that it has ended.
Outcome read(ByteView car, std::size_t piece_bytes, Hashing hashing = Hashing::decoder) {
    Decoder decoder(hashing);
    Outcome outcome;
    const auto run = [&]() -> Result<void> {
        while (!car.empty()) {
            ByteView piece = car.first(std::min(piece_bytes, car.size()));
            car = car.subspan(piece.size());
            while (!piece.empty()) {
                if (const std::optional<Block> block = TRY(decoder.take(piece))) {
                    outcome.cids.push_back(block->cid);
                    outcome.content += text_of(block->data.view());
                }
            }
        }
        return decoder.finish();
    };
    outcome.result = run();
    outcome.whole_bytes = decoder.whole_bytes();
    return outcome;
}

Errc code(ByteView car) {
    const Outcome outcome = read(car, car.size());
    return outcome.result.ok() ? Errc{} : outcome.result.error().code;
}

std::vector<Cid> cids_of(const std::vector<Block>& list) {
    std::vector<Cid> cids;
    std::ranges::transform(list, std::back_inserter(cids), &Block::cid);
    return cids;
}

TEST(CarDecoder, GivesTheBlocksHoweverTheBytesArrive) {
    const Bytes car = car_of(roots, blocks);
    for (std::size_t piece = 1; piece <= car.size(); ++piece) {
        const Outcome outcome = read(car, piece);
        ASSERT_TRUE(outcome.result.ok()) << outcome.result.error().message;
        EXPECT_EQ(outcome.cids, cids_of(blocks));
        EXPECT_EQ(outcome.content, "firstthird, longer");
        EXPECT_EQ(outcome.whole_bytes, car.size());
    }
}

TEST(CarDecoder, LendsBlocksThatLieWholeInTheInput) {
    const Bytes car = car_of(roots, blocks);
    Decoder decoder;
    ByteView input{car};
    while (const std::optional<Block> block = decoder.take(input).take()) {
        EXPECT_GE(block->data.view().data(), car.data());
        EXPECT_LE(block->data.view().data(), car.data() + car.size());
    }
    EXPECT_EQ(decoder.blocks(), 3U);
    EXPECT_EQ(decoder.version(), 1);
    EXPECT_EQ(decoder.header()->roots, roots);
}

TEST(CarDecoder, EveryTruncationKeepsTheWholeBlocksAndIsNoticed) {
    const Bytes car = car_of(roots, blocks);
    std::vector<std::size_t> ends{encode_header(roots).size()};
    for (const Block& block : blocks) {
        ends.push_back(ends.back() + section_head(block.cid, block.data.size()).size() +
                       block.data.size());
    }
    for (std::size_t size = 0; size < car.size(); ++size) {
        const Outcome outcome = read(ByteView{car}.first(size), 7);
        const auto whole = std::ranges::upper_bound(ends, size) - ends.begin(); // Header included.
        const bool is_boundary = std::ranges::count(ends, size) > 0;
        EXPECT_EQ(outcome.result.ok(), is_boundary) << size;
        EXPECT_EQ(outcome.cids.size(),
                  static_cast<std::size_t>(std::max<std::ptrdiff_t>(whole - 1, 0)));
        EXPECT_EQ(outcome.whole_bytes, whole == 0 ? 0 : ends[static_cast<std::size_t>(whole) - 1]);
        if (!is_boundary) {
            EXPECT_EQ(outcome.result.error().code, Errc::malformed);
            EXPECT_NE(outcome.result.error().message.find("byte " + std::to_string(size)),
                      std::string::npos);
        }
    }
}

TEST(CarDecoder, NamesTheBlockThatIsNotWhatItsCidSays) {
    Bytes car = car_of(roots, blocks);
    car.back() ^= 1U;
    const Outcome outcome = read(car, car.size());
    ASSERT_FALSE(outcome.result.ok());
    EXPECT_EQ(outcome.result.error().code, Errc::hash_mismatch);
    EXPECT_NE(outcome.result.error().message.find(blocks[2].cid.to_string()), std::string::npos);
    EXPECT_EQ(outcome.cids.size(), 2U);
    EXPECT_TRUE(read(car, car.size(), Hashing::caller).result.ok());
}

TEST(CarDecoder, RefusesHashFunctionsThatCannotBeComputedByName) {
    Bytes car = encode_header(roots);
    const Bytes section =
        from_hex("26 01 55 d5 20" + std::string(64, '0') + "61 62"); // md5's number
    car.insert(car.end(), section.begin(), section.end());
    const Outcome outcome = read(car, car.size());
    ASSERT_FALSE(outcome.result.ok());
    EXPECT_EQ(outcome.result.error().code, Errc::unsupported);
    EXPECT_TRUE(outcome.cids.empty());
}

TEST(CarDecoder, TakesDuplicatesIdentityCidsAndVersion0AsTheyAre) {
    const Bytes data = copy_of(bytes_of("inside"));
    const Cid identity = Cid::v1(Codec::raw, HashCode::identity, data);
    const Cid v0 = Cid::v0(sha2_256(data));
    const std::vector<Block> list{
        blocks[0], blocks[0], {identity, LentBytes::of(data)}, {v0, LentBytes::of(data)}};
    const Outcome outcome = read(car_of({}, list), 1000);
    ASSERT_TRUE(outcome.result.ok()) << outcome.result.error().message;
    EXPECT_EQ(outcome.cids, cids_of(list));
}

TEST(CarDecoder, RefusesAnIdentityCidWithOtherBytes) {
    Bytes car = encode_header(roots);
    append_section(
        car, Cid::v1(Codec::raw, HashCode::identity, bytes_of("inside")), bytes_of("outside"));
    EXPECT_EQ(code(car), Errc::hash_mismatch);
}

TEST(CarDecoder, RefusesLengthsThatAreNotTheShortest) {
    Bytes car = encode_header(roots);
    car.push_back(0x80);
    car.push_back(0x00);
    EXPECT_EQ(code(car), Errc::malformed);
    EXPECT_EQ(code(from_hex("8a00 a1 67 76657273696f6e 02")), Errc::malformed);
    EXPECT_NE(code(from_hex("ffffffffffffffffff01")), Errc{}); // Ten bytes.
}

TEST(CarDecoder, RefusesASectionOfNoBytesAndOneWithoutACid) {
    Bytes car = encode_header(roots);
    car.push_back(0x00);
    EXPECT_EQ(code(car), Errc::malformed);
    car.back() = 0x01;
    car.push_back(0x01);
    EXPECT_EQ(code(car), Errc::malformed);
}

TEST(CarDecoder, RefusesWhatIsTooLongBeforeItComes) {
    const auto with_length = [](Bytes car, std::uint64_t length) {
        append_varint(car, length);
        return car;
    };
    const Bytes header = encode_header(roots);
    EXPECT_EQ(code(with_length(header, limits::section_bytes_max + 1)), Errc::too_large);
    EXPECT_EQ(code(with_length(header, std::uint64_t{1} << 62U)), Errc::too_large);
    EXPECT_EQ(code(with_length(header, limits::section_bytes_max)), Errc::malformed)
        << "only early";
    EXPECT_EQ(code(with_length({}, limits::header_bytes_max + 1)), Errc::too_large);
    EXPECT_EQ(code(with_length({}, limits::header_bytes_max)), Errc::malformed);
}

TEST(CarDecoder, RefusesABlockOneByteTooLarge) {
    const Bytes largest(ic::limits::block_bytes_max, 7);
    Bytes car = encode_header(roots);
    append_section(car, cid_of(Codec::raw, largest), largest);
    EXPECT_EQ(code(car), Errc{});
    const Bytes larger(ic::limits::block_bytes_max + 1, 7);
    car = encode_header(roots);
    append_section(car, cid_of(Codec::raw, larger), larger);
    EXPECT_EQ(code(car), Errc::too_large);
}

TEST(CarDecoder, ReadsTheCarInsideACarV2) {
    const Bytes inner = car_of(roots, blocks);
    const std::vector<testing::V2> forms{
        {},
        {.padding = 1413},
        {.index = Bytes(300, 0xff)},
        {.padding = 7, .index = Bytes(3, 0xff), .characteristics = 0x80}};
    for (const testing::V2& form : forms) {
        const Bytes car = wrapped(inner, form);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, car.size()}) {
            const Outcome outcome = read(car, piece);
            ASSERT_TRUE(outcome.result.ok()) << outcome.result.error().message;
            EXPECT_EQ(outcome.cids, cids_of(blocks));
            EXPECT_EQ(outcome.whole_bytes, 51 + form.padding + inner.size());
        }
    }
}

TEST(CarDecoder, NoticesACarV2ThatEndsEarlyEvenBetweenBlocks) {
    const Bytes inner = car_of(roots, blocks);
    const Bytes car = wrapped(inner, {.padding = 3});
    for (std::size_t size = 0; size < car.size(); ++size) {
        EXPECT_FALSE(read(ByteView{car}.first(size), 64).result.ok()) << size;
    }
}

TEST(CarDecoder, RefusesACarV2WhosePartsDoNotFit) {
    const Bytes inner = car_of(roots, blocks);
    const auto changed = [&](std::size_t at, std::uint64_t value) {
        Bytes car = wrapped(inner);
        Bytes bytes;
        testing::append_little_endian(bytes, value);
        std::ranges::copy(bytes, car.begin() + static_cast<std::ptrdiff_t>(at));
        return code(car);
    };
    EXPECT_EQ(changed(27, 50), Errc::malformed) << "inside the header";
    EXPECT_EQ(changed(27, ~std::uint64_t{0}), Errc::malformed);
    EXPECT_EQ(changed(35, 0), Errc::malformed) << "no bytes";
    EXPECT_EQ(changed(35, inner.size() - 1), Errc::malformed) << "cuts a section";
    EXPECT_EQ(changed(35, inner.size() + 1), Errc::malformed) << "ends early";
    EXPECT_EQ(changed(43, 52), Errc::malformed) << "an index inside the CARv1";
    EXPECT_EQ(code(wrapped(inner, {.characteristics = 0x01})), Errc::unsupported);
    EXPECT_EQ(code(wrapped(wrapped(inner))), Errc::malformed) << "a CARv2 inside a CARv2";
}

} // namespace
} // namespace ic::car
