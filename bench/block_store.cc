/// The block store alone: large blocks in LMDB and in segments beside each other, one round of each
/// in turn, so that both meet the same machine. docs/decisions/0002-blocks-in-segments.md. Writes
/// some hundred megabytes below $TMPDIR, and removes them.

#include "blockstore/embedded/embedded_store.h"
#include "blockstore/verifying_store.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace ic;
using Clock = std::chrono::steady_clock;

constexpr std::size_t mib = std::size_t{1} << 20U;

void require(const Result<void>& done) {
    if (!done) {
        std::fprintf(stderr, "%s\n", done.error().message.c_str());
        std::exit(1);
    }
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Time that passed, and time that the processor spent on this process: the second says what a core
/// can do on a machine that others use too.
class Timer {
public:
    double wall() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

    double cpu() const { return cpu_seconds() - cpu_; }

private:
    Clock::time_point start_ = Clock::now();
    double cpu_ = cpu_seconds();
};

/// Bytes that no disk can pack, different for each seed. Source: xorshift64*, Vigna 2014.
Bytes noise(std::uint64_t seed, std::size_t size) {
    Bytes data(size);
    std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
        state ^= state >> 12U;
        state ^= state << 25U;
        state ^= state >> 27U;
        const std::uint64_t word = state * 0x2545f4914f6cdd1d;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            data[at + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
        }
    }
    return data;
}

/// Blocks that are changed in their first bytes to be others.
struct Load {
    Bytes data;
    std::vector<Cid> cids;
};

void number(Bytes& data, std::uint64_t value) {
    for (std::size_t byte = 0; byte < 8; ++byte) {
        data[byte] = static_cast<std::uint8_t>(value >> (8 * byte));
    }
}

Load make_load(std::size_t count, std::size_t size) {
    Load load{.data = noise(size, size), .cids = {}};
    for (std::size_t index = 0; index < count; ++index) {
        number(load.data, index);
        load.cids.push_back(cid_of(Codec::raw, load.data));
    }
    return load;
}

void note(const std::string& name, double mebibytes, const Timer& timer) {
    std::printf("%s\tMiB/s\t%.2f\n", name.c_str(), mebibytes / timer.wall());
    std::printf("%s, processor\tMiB/s\t%.2f\n", name.c_str(), mebibytes / timer.cpu());
}

void measure(const std::string& name, const EmbeddedOptions& options, Load& load) {
    std::filesystem::remove_all(options.folder);
    auto store = EmbeddedStore::open(options);
    require(store ? Result<void>{} : Result<void>(store.error()));
    EmbeddedStore& blocks = **store;
    const double total = static_cast<double>(load.cids.size() * load.data.size()) / mib;

    const Timer writing;
    for (std::size_t index = 0; index < load.cids.size(); ++index) {
        number(load.data, index);
        require(blocks.put(load.cids[index], load.data));
    }
    require(blocks.sync());
    note(name + ", put and sync", total, writing);

    const Timer reading;
    for (const Cid& cid : load.cids) {
        const auto block = blocks.get(cid);
        require(block ? Result<void>{} : Result<void>(block.error()));
    }
    note(name + ", get", total, reading);

    VerifyingStore verifying(blocks);
    const Timer checking;
    for (const Cid& cid : load.cids) {
        const auto block = verifying.get(cid);
        require(block ? Result<void>{} : Result<void>(block.error()));
    }
    note(name + ", get and verify", total, checking);
}

/// With the hash of each block, as an add does it on one core.
void measure_hashed(const std::string& name, const EmbeddedOptions& options, Load& load) {
    std::filesystem::remove_all(options.folder);
    auto store = EmbeddedStore::open(options);
    require(store ? Result<void>{} : Result<void>(store.error()));
    const double total = static_cast<double>(load.cids.size() * load.data.size()) / mib;
    const Timer timer;
    for (std::size_t index = 0; index < load.cids.size(); ++index) {
        number(load.data, index);
        require((*store)->put(cid_of(Codec::raw, load.data), load.data));
    }
    require((*store)->sync());
    note(name + ", hash, put and sync", total, timer);
}

void measure_hash(Load& load) {
    const double total = static_cast<double>(load.cids.size() * load.data.size()) / mib;
    const Timer timer;
    std::size_t same = 0;
    for (std::size_t index = 0; index < load.cids.size(); ++index) {
        number(load.data, index);
        same += cid_of(Codec::raw, load.data) == load.cids[index] ? 1U : 0U;
    }
    require(same == load.cids.size() ? Result<void>{}
                                     : Result<void>(Error{Errc::internal, "hash"}));
    note("hash alone", total, timer);
}

} // namespace

int main() {
    constexpr int rounds = 5;
    constexpr std::size_t in_tables = std::numeric_limits<std::size_t>::max();
    const std::string folder = (std::filesystem::temp_directory_path() /
                                ("bench-block-store-" + std::to_string(::getpid())))
                                   .string();
    Load large = make_load(512, mib), middle = make_load(2048, mib / 4);
    Load edge = make_load(20'000, std::size_t{32} << 10U), small = make_load(100'000, 1000);
    for (int round = 0; round < rounds; ++round) {
        measure_hash(large);
        for (const auto& [name, min] : {std::pair{std::string("LMDB"), in_tables},
                                        {std::string("segments"), std::size_t{1}}}) {
            EmbeddedOptions options;
            options.folder = folder;
            options.segment_block_bytes_min = min;
            measure(name + ", 1 MiB", options, large);
            measure_hashed(name + ", 1 MiB", options, large);
            measure(name + ", 256 KiB", options, middle);
            measure(name + ", 32 KiB", options, edge);
            measure(name + ", 1000 B", options, small);
        }
    }
    std::filesystem::remove_all(folder);
    return 0;
}
