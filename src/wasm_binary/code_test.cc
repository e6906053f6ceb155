// Laws of the reader of code: each instruction has its length, and each feature is seen where it
// is used. Opcodes: WebAssembly core specification 3.0, section 5.4, and the threads proposal.

#include "wasm_binary/code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace ic::wasm_binary {
namespace {

struct Read {
    bool ok = false;
    Features features;
    std::string error;
};

Read read_code(Bytes instructions) {
    Bytes body{0}; // No locals.
    body.insert(body.end(), instructions.begin(), instructions.end());
    body.push_back(0x0b);
    Read read;
    const Result<void> result = read_body(Reader(body), read.features);
    read.ok = result.ok();
    read.error = result ? "" : result.error().message;
    return read;
}

struct Case {
    const char* name;
    Bytes instructions;
    std::optional<Feature> feature;
};

std::vector<Case> cases() {
    return {
        {"nop", {0x01}, std::nullopt},
        {"block", {0x02, 0x40, 0x0b}, std::nullopt},
        {"if else with a result",
         {0x41, 1, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b},
         std::nullopt},
        {"br_table", {0x0e, 2, 0, 1, 0}, std::nullopt},
        {"i32.load", {0x28, 2, 0x80, 0x01}, std::nullopt},
        {"i64.const of ten bytes",
         {0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f},
         std::nullopt},
        {"f64.const", {0x44, 1, 2, 3, 4, 5, 6, 7, 8}, std::nullopt},
        {"block of a type", {0x02, 0x00, 0x0b}, Feature::multi_value},
        {"i32.extend8_s", {0xc0}, Feature::sign_extension},
        {"i32.trunc_sat_f32_s", {0xfc, 0}, Feature::saturating_conversions},
        {"memory.copy", {0xfc, 10, 0, 0}, Feature::bulk_memory},
        {"table.grow", {0xfc, 15, 0}, Feature::reference_types},
        {"call_indirect of table 1", {0x11, 0, 1}, Feature::reference_types},
        {"i64.add128", {0xfc, 19}, Feature::wide_arithmetic},
        {"v128.const",
         {0xfd, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
         Feature::simd},
        {"v128.load32_lane", {0xfd, 86, 2, 0, 3}, Feature::simd},
        {"i8x16.relaxed_swizzle", {0xfd, 0x80, 0x02}, Feature::relaxed_simd},
        {"i32.atomic.load", {0xfe, 0x10, 2, 0}, Feature::threads},
        {"atomic.fence", {0xfe, 3, 0}, Feature::threads},
        {"return_call", {0x12, 0}, Feature::tail_call},
        {"call_ref", {0x14, 0}, Feature::function_references},
        {"struct.new", {0xfb, 0, 0}, Feature::gc},
        {"br_on_cast", {0xfb, 24, 0, 0, 0x6e, 0x6d}, Feature::gc},
        {"throw", {0x08, 0}, Feature::exceptions},
        {"try_table", {0x1f, 0x40, 1, 0, 0, 0, 0x0b}, Feature::exceptions},
        {"try and delegate", {0x06, 0x40, 0x18, 0}, Feature::legacy_exceptions},
        {"i32.load of memory 1", {0x28, 0x42, 1, 0}, Feature::multi_memory},
        {"resume", {0xe3, 0, 1, 0, 0, 0}, Feature::stack_switching},
    };
}

TEST(Code, SeesEachFeatureAndReadsToTheEnd) {
    for (const Case& one : cases()) {
        const Read read = read_code(one.instructions);
        EXPECT_TRUE(read.ok) << one.name << ": " << read.error;
        for (const FeatureRow& row : feature_rows()) {
            EXPECT_EQ(read.features.has(row.feature), one.feature == row.feature)
                << one.name << ": " << row.name;
        }
    }
}

TEST(Code, EveryCutOfEveryInstructionIsRefused) {
    for (const Case& one : cases()) {
        Bytes body{0};
        body.insert(body.end(), one.instructions.begin(), one.instructions.end());
        body.push_back(0x0b);
        for (std::size_t size = 0; size < body.size(); ++size) {
            Features features;
            EXPECT_FALSE(read_body(Reader(ByteView{body}.first(size)), features))
                << one.name << " cut to " << size;
        }
        body.push_back(0x01);
        Features features;
        EXPECT_FALSE(read_body(Reader(body), features)) << one.name << " with more behind it";
    }
}

TEST(Code, RefusesInstructionsThatNobodyKnows) {
    for (const Bytes& unknown : std::vector<Bytes>{
             {0x27}, {0xc5}, {0xff}, {0xfc, 18}, {0xfc, 23}, {0xfd, 0x94, 0x02}, {0xfe, 0x4f}}) {
        EXPECT_FALSE(read_code(unknown).ok) << to_hex(unknown);
    }
}

TEST(Code, TakesFiftyThousandLocalsAndRefusesOneMore) {
    Features features;
    const Bytes most{1, 0xd0, 0x86, 0x03, 0x7f, 0x0b}; // 50,000
    EXPECT_TRUE(read_body(Reader(most), features));
    const Bytes more{1, 0xd1, 0x86, 0x03, 0x7f, 0x0b};
    EXPECT_FALSE(read_body(Reader(more), features));
}

TEST(Code, NestingCostsNoStack) {
    Bytes body{0};
    for (int i = 0; i < 1'000'000; ++i) {
        body.push_back(0x02);
        body.push_back(0x40);
    }
    body.insert(body.end(), 1'000'001, 0x0b);
    Features features;
    EXPECT_TRUE(read_body(Reader(body), features));
}

TEST(Reader, RefusesIntegersThatDoNotFit) {
    const Bytes largest{0xff, 0xff, 0xff, 0xff, 0x0f};
    EXPECT_EQ(*Reader(largest).u32(), 0xffff'ffffU);
    const Bytes one_bit_more{0xff, 0xff, 0xff, 0xff, 0x1f};
    EXPECT_FALSE(Reader(one_bit_more).u32());
    const Bytes one_byte_more{0xff, 0xff, 0xff, 0xff, 0x8f, 0x00};
    EXPECT_FALSE(Reader(one_byte_more).u32());
    const Bytes padded{0x80, 0x80, 0x80, 0x80, 0x00};
    EXPECT_EQ(*Reader(padded).u32(), 0U);
    const Bytes minus_one{0x7f};
    EXPECT_EQ(*Reader(minus_one).s33(), -1);
    const Bytes least{0x80, 0x80, 0x80, 0x80, 0x78};
    EXPECT_EQ(*Reader(least).s32(), INT64_C(-2147483648));
    const Bytes below{0x80, 0x80, 0x80, 0x80, 0x70};
    EXPECT_FALSE(Reader(below).s32());
}

} // namespace
} // namespace ic::wasm_binary
