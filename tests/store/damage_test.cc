/// Bits that the disk flips: 1,000 of them, half in the tables, half in segments; and pages that
/// kill who reads them. No wrong byte is delivered, what cannot be delivered is an error, `repo
/// verify` names it, and only children die.

#include "base/file.h"
#include "blockstore/embedded/testing/store_folder.h"
#include "blockstore/verifying_store.h"
#include "store/write_log.h"
#include "wiring/verification.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <random>

namespace ic {
namespace {

using testing_store::block_of;
using testing_store::Files;
using testing_store::in_child;
using testing_store::put_block;
using testing_store::put_node;
using testing_store::raw_cid;
using testing_store::StoreFolder;

constexpr int flips = 1000;
constexpr std::uint32_t blocks = 150;

std::size_t size_of(std::uint32_t number) { return number % 5 == 0 ? 40'000 : 100 + number * 13; }

/// What a child says of a damaged store.
constexpr int all_well = 0, something_missing = 1, wrong_bytes = 2;

int read_everything(const std::string& folder, const Cid& root) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    Result<std::unique_ptr<EmbeddedStore>> store = EmbeddedStore::open({.folder = folder});
    if (!store) {
        return something_missing;
    }
    VerifyingStore verifying(**store);
    int result = all_well;
    for (std::uint32_t number = 0; number < blocks; ++number) {
        const Bytes data = block_of(number, size_of(number));
        const Result<LentBytes> block = verifying.get(raw_cid(data));
        if (!block) {
            result = something_missing;
        } else if (copy_of(block->view()) != data) {
            return wrong_bytes;
        }
    }
    const Result<std::optional<Pin>> pin = (*store)->pins().find(root);
    if (pin && *pin && (*pin)->name != "everything") {
        return wrong_bytes;
    }
    return pin && *pin && verifying.get(root).ok() ? result : something_missing;
}

/// A sound store, and copies of it that a test damages.
class Damage : public testing::Test {
protected:
    Damage() {
        const auto store = made_.open({.segment_bytes_max = 300'000});
        std::vector<Cid> children;
        for (std::uint32_t number = 0; number < blocks; ++number) {
            children.push_back(put_block(*store, number, size_of(number)));
        }
        root_ = put_node(*store, children);
        EXPECT_TRUE(store->pins().add({.cid = root_, .name = "everything"}).ok());
        settings_.kubo = "off";
        const char* given = std::getenv("IC_STORE_SEED");
        lots.seed(given != nullptr ? std::strtoull(given, nullptr, 10) : 1);
    }

    void SetUp() override {
        good = testing_store::read_files(made_.path());
        for (const auto& [name, bytes] : good) {
            if (name != tables) {
                segments.push_back(name);
            }
        }
        ASSERT_FALSE(segments.empty());
    }

    /// Reads all of the damaged store and verifies it; fails for wrong bytes, and where a reader
    /// met what the verification does not report.
    void check(const Files& bad, const std::string& what) {
        testing_store::write_files(bad, damaged_.path());
        const int end = in_child([&] { return read_everything(damaged_.path(), root_); });
        ASSERT_NE(end, wrong_bytes) << what;
        noticed_ += end != all_well ? 1 : 0;
        readers_killed_ += end > 128 ? 1 : 0;
        int findings = 0;
        const auto on_finding = [&](const wiring::Finding& finding) -> Result<void> {
            ++findings;
            verifiers_killed_ += finding.what.find("was killed") != std::string::npos ? 1 : 0;
            return {};
        };
        const Result<wiring::Verified> verified = wiring::verify_store(
            home_,
            settings_,
            {.repair = wiring::Repair::none, .on_finding = on_finding, .on_progress = {}});
        if (end != all_well) {
            ASSERT_TRUE(!verified || findings != 0) << what << ", end " << end;
        }
    }

    void print(int count, const char* what) {
        std::printf("%d %s: %d noticed by a reader, which %d of them killed; %d processes that "
                    "verified were killed\n",
                    count,
                    what,
                    noticed_,
                    readers_killed_,
                    verifiers_killed_);
    }

    static constexpr const char* tables = "data.mdb";
    Files good;
    std::vector<std::string> segments;
    std::mt19937_64 lots;
    int noticed_ = 0;
    int readers_killed_ = 0;
    int verifiers_killed_ = 0;

private:
    const StoreFolder made_, damaged_;
    const config::Home home_{damaged_.outer()};
    config::Settings settings_;
    Cid root_;
};

TEST_F(Damage, FlippedBitsGiveNoWrongBytesAndAreReported) {
    for (int flip = 0; flip < flips; ++flip) {
        Files bad = good;
        const std::string& name = flip % 2 == 0 ? tables : segments[lots() % segments.size()];
        Bytes& file = bad[name];
        const std::uint64_t bit = lots() % (file.size() * 8);
        file[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_NO_FATAL_FAILURE(
            check(bad, "flip " + std::to_string(flip) + ", bit " + std::to_string(bit)));
    }
    print(flips, "flipped bits");
    EXPECT_GT(noticed_, flips / 4) << "or the test would test nothing";
}

// What steers LMDB through the file: flags and offsets at the head of a page, its list of entries,
// and whether the page is in the file at all.
TEST_F(Damage, PagesThatKillTheirReaderKillNobodyElse) {
    constexpr std::size_t page_bytes = 4096;
    constexpr std::size_t head_bytes = 16 + 32; // The fixed part, and the first 16 offsets.
    constexpr int count = 300;
    const std::size_t pages = good[tables].size() / page_bytes;
    for (int number = 0; number < count; ++number) {
        Files bad = good;
        Bytes& file = bad[tables];
        // Cut off before its two meta pages, the file is a new store's.
        const std::size_t page = number % 10 == 0 ? 2 + lots() % (pages - 2) : lots() % pages;
        std::string what = "case " + std::to_string(number) + ", page " + std::to_string(page);
        if (number % 10 == 0) {
            file.resize(page * page_bytes);
            what += " and all behind it cut off";
        } else {
            const std::size_t at = lots() % head_bytes;
            file[page * page_bytes + at] = static_cast<std::uint8_t>(lots());
            what += ", byte " + std::to_string(at);
        }
        ASSERT_NO_FATAL_FAILURE(check(bad, what));
    }
    print(count, "damaged pages");
    EXPECT_GT(readers_killed_, 0) << "or the test would test nothing";
    EXPECT_GT(verifiers_killed_, 0);
}

} // namespace
} // namespace ic
