#include "blockstore/memory_store.h"
#include "blockstore/ordered_sources.h"
#include "blockstore/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ic {
namespace {

Cid numbered(int number) { return cid_of(Codec::raw, bytes_of(std::to_string(number))); }

std::vector<UpcomingBlock> numbers(int first, int last) {
    std::vector<UpcomingBlock> soon;
    for (int number = first; number <= last; ++number) {
        soon.push_back({.cid = numbered(number)});
    }
    return soon;
}

/// Has the blocks 0 to 99; those that are held back are given when they are let go.
class Slow final : public BlockSource {
public:
    Slow() {
        for (int number = 0; number < 100; ++number) {
            names_[numbered(number)] = number;
        }
    }

    Result<LentBytes> get(const Cid& cid) override {
        std::unique_lock lock(mutex_);
        const int number = names_.at(cid);
        asked_.push_back(number);
        changed_.notify_all();
        changed_.wait(lock, [&] { return number != held_back_; });
        if (number == 13) {
            return Error{Errc::hash_mismatch, "13"};
        }
        return LentBytes::of(copy_of(bytes_of(std::to_string(number))));
    }

    void hold_back(int number) {
        const std::lock_guard lock(mutex_);
        held_back_ = number;
        changed_.notify_all();
    }

    void wait_until_asked(int number) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return std::ranges::count(asked_, number) != 0; });
    }

    std::vector<int> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Cid, int> names_;
    std::vector<int> asked_;
    int held_back_ = -1;
};

TEST(ReadAhead, GivesWhatTheSourceGives) {
    Slow source;
    ReadAhead ahead(source, {});
    for (int number = 0; number < 100; ++number) {
        ahead.expect({}, numbers(number, std::min(number + 8, 99)));
        const Result<LentBytes> block = ahead.get(numbered(number));
        if (number == 13) {
            EXPECT_EQ(block.error().code, Errc::hash_mismatch);
        } else {
            EXPECT_EQ(text_of(block->view()), std::to_string(number));
        }
    }
}

TEST(ReadAhead, HasTheNextOnesReadyBeforeTheyAreAskedFor) {
    Slow source;
    ReadAhead ahead(source, {.blocks_max = 3, .threads = 1});
    ahead.expect({}, numbers(0, 9));
    source.wait_until_asked(3);
    EXPECT_EQ(source.asked(), (std::vector<int>{1, 2, 3})) << "0 is the reader's, and 3 the most";
    for (int number = 1; number <= 3; ++number) {
        EXPECT_EQ(text_of(ahead.get(numbered(number))->view()), std::to_string(number));
    }
    EXPECT_EQ(source.asked().size(), 3U);
}

TEST(ReadAhead, TakesABlockItselfThatNobodyHasBegun) {
    Slow source;
    source.hold_back(1);
    ReadAhead ahead(source, {.blocks_max = 8, .threads = 1});
    ahead.expect({}, numbers(0, 5));
    source.wait_until_asked(1); // The one helper is busy with 1.
    EXPECT_EQ(text_of(ahead.get(numbered(2))->view()), "2");
    source.hold_back(-1);
    EXPECT_EQ(text_of(ahead.get(numbered(1))->view()), "1") << "waited for, not asked for twice";
    const std::vector<int> asked = source.asked();
    EXPECT_EQ(std::ranges::count(asked, 1), 1);
    EXPECT_EQ(std::ranges::count(asked, 2), 1);
}

TEST(ReadAhead, LetsGoWhatIsNotExpectedAnyMore) {
    Slow source;
    source.hold_back(1);
    ReadAhead ahead(source, {.blocks_max = 4, .threads = 1});
    ahead.expect({}, numbers(0, 4));
    source.wait_until_asked(1);
    ahead.expect({}, numbers(50, 54));
    source.hold_back(-1);
    source.wait_until_asked(53);
    const std::vector<int> asked = source.asked();
    EXPECT_EQ(std::ranges::count_if(asked, [](int number) { return number > 1 && number < 50; }),
              0);
    EXPECT_EQ(text_of(ahead.get(numbered(1))->view()), "1") << "asked for anew";
}

TEST(ReadAhead, EndsWhileABlockIsOnItsWay) {
    Slow source;
    source.hold_back(1);
    std::thread later;
    {
        ReadAhead ahead(source, {});
        ahead.expect({}, numbers(0, 4));
        source.wait_until_asked(1);
        later = std::thread([&] { source.hold_back(-1); });
    }
    later.join();
}

/// Counts hints.
class Hinted final : public BlockSource {
public:
    Result<LentBytes> get(const Cid&) override { return Error{Errc::not_found, "first: none"}; }

    std::size_t foresight_blocks() const override { return 5; }

    void expect(const Cid&, std::span<const UpcomingBlock>) override { ++expected; }

    void plan(const ReadPlan&) override { ++planned; }

    int expected = 0;
    int planned = 0;
};

TEST(OrderedSources, AsksTheNextWhereOneHasNothing) {
    Hinted first;
    MemoryStore second;
    ASSERT_TRUE(second.put(numbered(1), bytes_of("1")).ok());
    OrderedSources both({first, second});
    EXPECT_EQ(text_of(both.get(numbered(1))->view()), "1");
    const Error error = both.get(numbered(2)).error();
    EXPECT_EQ(error.code, Errc::cid_unavailable);
    EXPECT_TRUE(error.message.starts_with("first: none. Also: block ")) << error.message;
    EXPECT_EQ(both.foresight_blocks(), 5U);
    both.expect({}, {});
    both.plan({});
    EXPECT_EQ(first.expected + first.planned, 2);
}

} // namespace
} // namespace ic
