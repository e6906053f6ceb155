/// Bits that the disk flips: 1,000 of them, half in the tables, half in segments. No wrong byte is
/// delivered, what cannot be delivered is an error, `repo verify` names it, and only children die.

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

TEST(FlippedBits, GiveNoWrongBytesAndAreReported) {
    const StoreFolder made, damaged;
    Cid root;
    {
        const auto store = made.open({.segment_bytes_max = 300'000});
        std::vector<Cid> children;
        for (std::uint32_t number = 0; number < blocks; ++number) {
            children.push_back(put_block(*store, number, size_of(number)));
        }
        root = put_node(*store, children);
        ASSERT_TRUE(store->pins().add({.cid = root, .name = "everything"}).ok());
    }
    const Files good = testing_store::read_files(made.path());
    std::vector<std::string> segments;
    for (const auto& [name, bytes] : good) {
        if (name != "data.mdb") {
            segments.push_back(name);
        }
    }
    ASSERT_FALSE(segments.empty());
    const char* given = std::getenv("IC_STORE_SEED");
    std::mt19937_64 lots(given != nullptr ? std::strtoull(given, nullptr, 10) : 1);
    const config::Home home{damaged.outer()};
    config::Settings settings;
    settings.kubo = "off";
    int noticed = 0, killed = 0;
    for (int flip = 0; flip < flips; ++flip) {
        Files bad = good;
        Bytes& file = bad[flip % 2 == 0 ? "data.mdb" : segments[lots() % segments.size()]];
        const std::uint64_t bit = lots() % (file.size() * 8);
        file[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        testing_store::write_files(bad, damaged.path());

        const int end = in_child([&] { return read_everything(damaged.path(), root); });
        ASSERT_NE(end, wrong_bytes) << "flip " << flip << ", bit " << bit;
        killed += end > 128 ? 1 : 0;

        int findings = 0;
        const Result<wiring::Verified> verified =
            wiring::verify_store(home,
                                 settings,
                                 {.repair = wiring::Repair::none,
                                  .on_finding = [&](const wiring::Finding&) -> Result<void> {
                                      ++findings;
                                      return {};
                                  },
                                  .on_progress = {}});
        const bool is_reported = !verified || findings != 0;
        if (end != all_well) {
            ++noticed;
            ASSERT_TRUE(is_reported)
                << "flip " << flip << " in " << (flip % 2 == 0 ? "tables" : "segment") << ", bit "
                << bit << ", end " << end;
        }
    }
    RecordProperty("noticed", noticed);
    RecordProperty("killed", killed);
    std::printf("%d flips: %d noticed by a reader, %d of them killed it\n", flips, noticed, killed);
    EXPECT_GT(noticed, flips / 4) << "or the test would test nothing";
}

} // namespace
} // namespace ic
