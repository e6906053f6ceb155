#include "blockstore/memory_store.h"
#include "car/writer.h"
#include "car_store/dag_reader.h"
#include "ipld/dag_pb.h"
#include "ipld/testing/memory_blocks.h"
#include "unixfs/data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ic::car_store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Pieces final : public car::ByteStream {
public:
    explicit Pieces(Bytes bytes) : bytes_(std::move(bytes)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        const std::size_t count = std::min(into.size(), bytes_.size() - at_);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        return count;
    }

private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

/// Waits until it is stopped.
class Silence final : public car::ByteStream {
public:
    explicit Silence(Stop stop) : stop_(std::move(stop)) {}

    Result<std::size_t> read(std::span<std::uint8_t> /*into*/) override {
        for (;;) {
            if (std::optional<Error> error = stop_()) {
                return std::move(*error);
            }
            std::this_thread::sleep_for(1ms);
        }
    }

private:
    Stop stop_;
};

/// A file of `leaves` raw blocks under one root, in `blocks`.
struct File {
    Cid root;
    std::vector<Cid> leaves;
    std::size_t leaf_bytes = 0;
};

File make_file(MemoryBlocks& blocks, std::size_t leaves, std::size_t leaf_bytes) {
    File file{.root = {}, .leaves = {}, .leaf_bytes = leaf_bytes};
    dag_pb::Node node;
    unixfs::Data data{.type = unixfs::DataType::file, .file_size = leaves * leaf_bytes};
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
        Bytes bytes(leaf_bytes, static_cast<std::uint8_t>(leaf));
        bytes[0] = static_cast<std::uint8_t>(leaf >> 8U);
        file.leaves.push_back(blocks.add(Codec::raw, bytes));
        node.links.push_back({.cid = file.leaves.back(), .name = "", .tsize = leaf_bytes});
        data.block_sizes.push_back(leaf_bytes);
    }
    const Bytes message = unixfs::encode_data(data);
    node.data = message;
    file.root = blocks.add(Codec::dag_pb, dag_pb::encode(node));
    return file;
}

void append(Bytes& car, MemoryBlocks& from, const Cid& cid) {
    const LentBytes data = std::move(from.get(cid)).take();
    const Bytes head = car::section_head(cid, data.size());
    car.insert(car.end(), head.begin(), head.end());
    car.insert(car.end(), data.view().begin(), data.view().end());
}

/// Honest: sends what of `file` is asked for.
Bytes car_of(MemoryBlocks& blocks, const File& file, const ReadPlan& plan) {
    const std::vector<Cid> roots{plan.root};
    Bytes car = car::encode_header(roots);
    append(car, blocks, file.root);
    for (std::size_t leaf = 0; leaf < file.leaves.size(); ++leaf) {
        const std::uint64_t begin = leaf * file.leaf_bytes;
        if (begin < plan.end && begin + file.leaf_bytes > plan.offset) {
            append(car, blocks, file.leaves[leaf]);
        }
    }
    return car;
}

using Answer =
    std::function<Result<std::unique_ptr<car::ByteStream>>(const ReadPlan&, const Stop&)>;

class Sender final : public CarSender {
public:
    explicit Sender(Answer answer) : answer_(std::move(answer)) {}

    bool may_ask() override { return noted.size() < 3; }

    Result<std::unique_ptr<car::ByteStream>> open(const ReadPlan& plan, const Stop& stop) override {
        plans.push_back(plan);
        return answer_(plan, stop);
    }

    void note(const Error& error) override { noted.push_back(error); }

    std::vector<ReadPlan> plans;
    std::vector<Error> noted;

private:
    Answer answer_;
};

class DagReading : public ::testing::Test {
protected:
    Answer honest(const File& file) {
        return [this, file](const ReadPlan& plan,
                            const Stop&) -> Result<std::unique_ptr<car::ByteStream>> {
            return std::unique_ptr<car::ByteStream>(
                std::make_unique<Pieces>(car_of(remote, file, plan)));
        };
    }

    static Answer bytes(Bytes car) {
        return [car = std::move(car)](const ReadPlan&,
                                      const Stop&) -> Result<std::unique_ptr<car::ByteStream>> {
            return std::unique_ptr<car::ByteStream>(std::make_unique<Pieces>(car));
        };
    }

    DagReader reader(std::vector<CarSender*> senders, std::chrono::milliseconds time_max = 60s) {
        return {local,
                {.senders = std::move(senders),
                 .single = [this](const Cid& cid, const Stop&) -> Result<LentBytes> {
                     return remote.get(cid);
                 },
                 .block_time_max = time_max,
                 .stop = [this] { return stop; }},
                counts};
    }

    /// Reads it as FileReader does: its root, then each leaf.
    void read_all(DagReader& from, const File& file) {
        ASSERT_TRUE(from.get(file.root).ok());
        for (const Cid& leaf : file.leaves) {
            ASSERT_TRUE(from.get(leaf).ok());
        }
    }

    MemoryBlocks remote;
    MemoryStore local;
    DagReaderCounts counts;
    std::optional<Error> stop;
};

TEST_F(DagReading, TakesAWholeDagInOneCar) {
    const File file = make_file(remote, 40, 5'000);
    Sender sender(honest(file));
    DagReader from = reader({&sender});
    read_all(from, file);
    EXPECT_EQ(sender.plans.size(), 1U);
    EXPECT_EQ(counts.whole, 1U);
    EXPECT_EQ(counts.blocks, 41U);
    EXPECT_EQ(counts.single, 0U);
    EXPECT_EQ(counts.failed, 0U);
}

TEST_F(DagReading, CallsOnceBeforeItAsksAnybody) {
    const File file = make_file(remote, 40, 5'000);
    Sender sender(honest(file));
    int calls = 0;
    DagReader from(local,
                   {.senders = {&sender},
                    .single = [this](const Cid& cid, const Stop&) { return remote.get(cid); },
                    .stop = {},
                    .before_asking =
                        [&](const Stop&) {
                            ++calls;
                            EXPECT_TRUE(sender.plans.empty());
                        }},
                   counts);
    const Cid here = cid_of(Codec::raw, bytes_of("here"));
    ASSERT_TRUE(local.put(here, bytes_of("here")).ok());
    ASSERT_TRUE(from.get(here).ok());
    EXPECT_EQ(calls, 0);
    read_all(from, file);
    ASSERT_TRUE(from.get(remote.add(Codec::raw, bytes_of("another"))).ok());
    EXPECT_EQ(calls, 1);
}

TEST_F(DagReading, AsksForNothingThatIsHere) {
    const File file = make_file(remote, 3, 100);
    for (const auto& [cid, data] : remote.blocks) {
        ASSERT_TRUE(local.put(cid, data.view()).ok());
    }
    Sender sender(honest(file));
    DagReader from = reader({&sender});
    read_all(from, file);
    EXPECT_TRUE(sender.plans.empty());
}

TEST_F(DagReading, TakesASingleBlockAlone) {
    const Cid cid = remote.add(Codec::raw, bytes_of("one"));
    Sender sender(bytes({}));
    DagReader from = reader({&sender});
    EXPECT_EQ(text_of(from.get(cid)->view()), "one");
    EXPECT_TRUE(sender.plans.empty());
    EXPECT_TRUE(*local.has(cid));
}

TEST_F(DagReading, ReadsALargeFileInGrowingRanges) {
    const File file = make_file(remote, 64, 1U << 20U); // Some 64 MiB: far above what comes whole.
    Sender sender(honest(file));
    DagReader from = reader({&sender});
    read_all(from, file);
    ASSERT_GE(sender.plans.size(), 3U);
    EXPECT_EQ(sender.plans[0].scope, ReadPlan::Scope::all) << "until the root says how large it is";
    EXPECT_EQ(sender.plans[1].offset, 0U);
    EXPECT_EQ(sender.plans[1].end, limits::range_bytes_first);
    EXPECT_EQ(sender.plans[2].offset, limits::range_bytes_first);
    EXPECT_EQ(sender.plans[2].end, 3 * limits::range_bytes_first) << "twice as much";
    for (std::size_t at = 1; at < sender.plans.size(); ++at) {
        EXPECT_EQ(sender.plans[at].scope, ReadPlan::Scope::entity);
        EXPECT_LE(sender.plans[at].end - sender.plans[at].offset, limits::range_bytes_max);
    }
    EXPECT_LT(sender.plans.size(), 10U);
    EXPECT_EQ(counts.single, 0U);
}

TEST_F(DagReading, BringsNoMoreOfALargeFileThanIsReadHereAndThere) {
    const File file = make_file(remote, 64, 1U << 20U);
    Sender sender(honest(file));
    DagReader from = reader({&sender});
    ASSERT_TRUE(from.get(file.root).ok());
    for (const std::size_t leaf : {50U, 20U, 33U, 60U}) {
        ASSERT_TRUE(from.get(file.leaves[leaf]).ok());
    }
    EXPECT_EQ(counts.single, 4U);
    EXPECT_EQ(local.stat()->blocks, 5U) << "the root and four leaves";
}

TEST_F(DagReading, GoesOnWhereAnEarlierReaderStopped) {
    const File file = make_file(remote, 64, 1U << 20U);
    for (const Cid& cid : {file.root, file.leaves[0], file.leaves[1]}) {
        ASSERT_TRUE(local.put(cid, remote.get(cid)->view()).ok());
    }
    Sender sender(honest(file));
    DagReader from = reader({&sender});
    read_all(from, file);
    EXPECT_EQ(sender.plans.front().offset, std::uint64_t{2} << 20U);
    EXPECT_EQ(counts.single, 0U);
}

/// What a sender may do wrong; the reader gets its file all the same.
struct Fault {
    std::string name;
    std::function<Bytes(MemoryBlocks&, const File&)> car;
    std::string says;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const std::vector<Fault> faults{
    {"Nothing", [](MemoryBlocks&, const File&) { return Bytes{}; }, "ended early"},
    {"AHeaderAlone",
     [](MemoryBlocks&, const File& file) {
         const std::vector<Cid> roots{file.root};
         return car::encode_header(roots);
     },
     "not even its root"},
    {"APage",
     [](MemoryBlocks&, const File&) {
         return copy_of(
             bytes_of("<!doctype html><html><body>Sign in to use this network</body></html>"));
     },
     "its CAR is wrong"},
    {"Half",
     [](MemoryBlocks& blocks, const File& file) {
         Bytes car = car_of(blocks, file, {.root = file.root});
         car.resize(car.size() / 2);
         return car;
     },
     "ended early"},
    {"ADamagedBlock",
     [](MemoryBlocks& blocks, const File& file) {
         Bytes car = car_of(blocks, file, {.root = file.root});
         car.back() ^= 1U;
         return car;
     },
     "not what the hash names"},
    {"AnotherRoot",
     [](MemoryBlocks& blocks, const File&) {
         const File other = make_file(blocks, 2, 77);
         return car_of(blocks, other, {.root = other.root});
     },
     "not asked for"},
    {"ABlockTooMany",
     [](MemoryBlocks& blocks, const File& file) {
         const std::vector<Cid> roots{file.root};
         Bytes car = car::encode_header(roots);
         append(car, blocks, file.root);
         append(car, blocks, blocks.add(Codec::raw, bytes_of("smuggled")));
         return car;
     },
     "not asked for"},
};

class FaultySender : public DagReading, public ::testing::WithParamInterface<Fault> {};

TEST_P(FaultySender, IsCountedAndTheNextOneAsked) {
    const File file = make_file(remote, 12, 3'000);
    Sender faulty(bytes(GetParam().car(remote, file)));
    Sender good(honest(file));
    DagReader from = reader({&faulty, &good});
    read_all(from, file);
    EXPECT_GE(counts.failed, 1U);
    ASSERT_FALSE(faulty.noted.empty());
    EXPECT_THAT(faulty.noted.front().message, HasSubstr(GetParam().says));
    EXPECT_TRUE(good.noted.empty());
    EXPECT_EQ(local.stat()->blocks, 13U) << "and nothing that does not belong to it";
}

TEST_P(FaultySender, AloneLeavesBlocksThatComeOneByOne) {
    const File file = make_file(remote, 12, 3'000);
    Sender faulty(bytes(GetParam().car(remote, file)));
    DagReader from = reader({&faulty});
    read_all(from, file);
    EXPECT_GE(counts.failed, 1U);
    EXPECT_GE(counts.single, 1U);
    EXPECT_EQ(local.stat()->blocks, 13U);
}

INSTANTIATE_TEST_SUITE_P(All, FaultySender, ::testing::ValuesIn(faults), [](const auto& fault) {
    return fault.param.name;
});

TEST_F(DagReading, ACarThatClaimsLittleAndBringsMuchIsLeftAtItsBound) {
    // Each node claims that nothing is below it; what comes is true, and far too much.
    std::vector<Bytes> nodes;
    const Bytes message = unixfs::encode_data({.type = unixfs::DataType::directory});
    dag_pb::Node root;
    root.data = message;
    Bytes sections;
    for (std::size_t index = 0; index < 40; ++index) {
        const Cid cid = remote.add(Codec::raw, Bytes(1U << 20U, static_cast<std::uint8_t>(index)));
        root.links.push_back({.cid = cid, .name = std::to_string(100 + index), .tsize = 1});
    }
    const Cid cid = remote.add(Codec::dag_pb, dag_pb::encode(root));
    const std::vector<Cid> roots{cid};
    Bytes car = car::encode_header(roots);
    append(car, remote, cid);
    for (const dag_pb::Link& link : root.links) {
        append(car, remote, link.cid);
    }
    Sender sender(bytes(std::move(car)));
    DagReader from = reader({&sender});
    ASSERT_TRUE(from.get(cid).ok());
    constexpr std::uint64_t block = 2U << 20U;
    EXPECT_LE(counts.bytes, limits::whole_dag_bytes_max + limits::car_bytes_more_max + block);
    EXPECT_LT(local.stat()->blocks, 41U);
}

TEST_F(DagReading, ASenderThatSaysNothingGetsHalfOfTheTime) {
    const File file = make_file(remote, 4, 100);
    Sender silent(
        [](const ReadPlan&, const Stop& until) -> Result<std::unique_ptr<car::ByteStream>> {
            return std::unique_ptr<car::ByteStream>(std::make_unique<Silence>(until));
        });
    Sender good(honest(file));
    DagReader from = reader({&silent, &good}, 2s);
    read_all(from, file);
    EXPECT_EQ(silent.plans.size(), 1U);
    ASSERT_EQ(silent.noted.size(), 1U);
    EXPECT_EQ(silent.noted.front().code, Errc::unavailable);
}

TEST_F(DagReading, WhatNobodyHasIsUnavailableWithinItsTime) {
    const Cid nobodys = cid_of(Codec::dag_pb, bytes_of("nobody has it"));
    Sender silent(
        [](const ReadPlan&, const Stop& until) -> Result<std::unique_ptr<car::ByteStream>> {
            return std::unique_ptr<car::ByteStream>(std::make_unique<Silence>(until));
        });
    DagReader from = reader({&silent}, 50ms);
    const Result<LentBytes> block = from.get(nobodys);
    ASSERT_FALSE(block.ok());
    EXPECT_EQ(block.error().code, Errc::cid_unavailable);
    EXPECT_THAT(block.error().message, HasSubstr(nobodys.to_string()));
    EXPECT_THAT(block.error().message, HasSubstr("within 50 ms"));
}

TEST_F(DagReading, ATimeoutIsTheBlocksIfNothingHasCome) {
    const File file = make_file(remote, 4, 100);
    const auto answer = [this](Bytes car) -> Answer {
        return
            [this, car](const ReadPlan&, const Stop&) -> Result<std::unique_ptr<car::ByteStream>> {
                stop = Error{Errc::fetch_timeout, "the fetch stage is over"};
                return std::unique_ptr<car::ByteStream>(std::make_unique<Pieces>(car));
            };
    };
    Sender nothing(answer({}));
    DagReader from = reader({&nothing});
    const Result<LentBytes> block = from.get(file.root);
    ASSERT_FALSE(block.ok());
    EXPECT_EQ(block.error().code, Errc::cid_unavailable);
    EXPECT_THAT(block.error().message, HasSubstr("nobody gave it: the fetch stage is over"));

    stop.reset();
    Bytes car = car_of(remote, file, {.root = file.root});
    car.resize(car.size() - 50);
    Sender most(answer(std::move(car)));
    DagReader again = reader({&most});
    EXPECT_TRUE(again.get(file.root).ok()) << "it came, whatever came after it";
    EXPECT_EQ(again.get(file.leaves.back()).error().code, Errc::cid_unavailable);
}

TEST_F(DagReading, EndsAtOnceWhenItIsStopped) {
    const File file = make_file(remote, 4, 100);
    Sender silent(
        [this](const ReadPlan&, const Stop& until) -> Result<std::unique_ptr<car::ByteStream>> {
            stop = Error{Errc::lease_lost, "the lease is over"};
            return std::unique_ptr<car::ByteStream>(std::make_unique<Silence>(until));
        });
    DagReader from = reader({&silent}, 1h);
    EXPECT_EQ(from.get(file.root).error().code, Errc::lease_lost);
    EXPECT_EQ(counts.single, 0U);
}

/// Holds no more than a few blocks.
class FullStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& cid) override { return inner_.get(cid); }

    Result<void> put(const Cid&, ByteView) override { return Error{Errc::storage_full, "no room"}; }

    Result<bool> has(const Cid& cid) override { return inner_.has(cid); }

    Result<void> sync() override { return {}; }

    Result<StoreStat> stat() override { return inner_.stat(); }

    Result<std::unique_ptr<WriteSession>> begin_session() override {
        return inner_.begin_session();
    }

private:
    MemoryStore inner_;
};

TEST_F(DagReading, ReadsOnWithoutRoomAndAsksForNoMoreCars) {
    const File file = make_file(remote, 6, 100);
    Sender sender(honest(file));
    FullStore full;
    DagReader from(full,
                   {.senders = {&sender},
                    .single = [this](const Cid& cid, const Stop&) { return remote.get(cid); },
                    .block_time_max = 60s,
                    .stop = {}},
                   counts);
    read_all(from, file);
    EXPECT_EQ(sender.plans.size(), 1U);
    EXPECT_TRUE(sender.noted.empty()) << "it is not the sender's fault";
    EXPECT_EQ(counts.single, 7U);
}

} // namespace
} // namespace ic::car_store
