// A guest that reads a file of 1 GiB and one that adds as much, 1 MiB a call, through a real
// executor process behind all walls. The channel alone: the broker's store is a double that hashes
// and keeps nothing. And from end to end: `ipfs-compute run` with its own store, which verifies
// what it reads and hashes and syncs what is added; its start is part of it. Beside them one copy
// of the same bytes, and their hash. Needs 4 GiB of disk. Run: bench/run channel_bulk

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "executor/wasm/testing/guests.h"
#include "unixfs/file_builder.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace ic;
using bench::microseconds;

constexpr std::size_t mib = std::size_t{1} << 20U;
constexpr std::size_t file_mib = 1024;
constexpr std::size_t distinct_mib = 64; ///< More than the processor keeps near.
constexpr int rounds = 10;
constexpr int rounds_with_store = 5;

/// Blocks in memory, lent without a copy; what is added is counted and gone.
class Double final : public executor::Host, public BlockSink {
public:
    Result<LentBytes> get(const Cid& cid) override {
        const auto found = blocks_.find(cid);
        return found == blocks_.end() ? Result<LentBytes>(Error{Errc::not_found, cid.to_string()})
                                      : Result<LentBytes>(found->second);
    }

    Result<void> put(const Cid& cid, ByteView data) override {
        blocks_.try_emplace(cid, LentBytes::of(copy_of(data)));
        return {};
    }

    Result<std::unique_ptr<executor::Adder>> add() override {
        return std::unique_ptr<executor::Adder>(std::make_unique<Counter>(added));
    }

    Result<std::unique_ptr<executor::CurlBody>> curl(std::string_view,
                                                     const executor::Task&) override {
        return Error{Errc::refused, "no network here"};
    }

    void log(std::string_view) override {}
    void output(job::Stream, ByteView) override {}
    void stage(job::Stage) override {}
    void trace(std::string_view) override {}
    void dump(executor::Dump, ByteView) override {}

    std::uint64_t added = 0;

private:
    class Counter final : public executor::Adder {
    public:
        explicit Counter(std::uint64_t& added) : added_(added) {}

        Result<void> write(ByteView data) override {
            added_ += data.size();
            return {};
        }

        Result<Cid> finish() override { return cid_of(Codec::raw, {}); }

    private:
        std::uint64_t& added_;
    };

    std::map<Cid, LentBytes> blocks_;
};

std::string reader_of(const Cid& file) {
    const std::string path = "/ipfs/" + file.to_string();
    return R"((module
  (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
  (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
  (memory (export "memory") 40)
  (data (i32.const 64) ")" +
           path + R"(")
  (func (export "_start") (local $file i64) (local $count i64) (local $sum i64)
    (local.set $file (call $get (i32.const 64) (i32.const )" +
           std::to_string(path.size()) + R"()))
    (loop $again
      (local.set $count (call $read (local.get $file) (i32.const 65536) (i32.const 1048576)))
      (local.set $sum (i64.add (local.get $sum) (local.get $count)))
      (br_if $again (i64.gt_s (local.get $count) (i64.const 0))))
    (if (i64.ne (local.get $sum) (i64.const )" +
           std::to_string(file_mib * mib) + R"()) (then unreachable)))))";
}

std::string writer() {
    return R"((module
  (import "env" "ipfsComputeAddOpen" (func $open (result i64)))
  (import "env" "ipfsComputeWrite" (func $write (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeAddFinish" (func $finish (param i64) (result i64)))
  (memory (export "memory") 40)
  (func (export "_start") (local $file i64) (local $left i32)
    (local.set $file (call $open))
    (local.set $left (i32.const )" +
           std::to_string(file_mib) + R"())
    (loop $again
      (i32.store (i32.const 65536) (local.get $left))
      (if (i64.ne (call $write (local.get $file) (i32.const 65536) (i32.const 1048576))
                  (i64.const 1048576)) (then unreachable))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (if (i64.le_s (call $finish (local.get $file)) (i64.const 0)) (then unreachable)))))";
}

/// Not compressible, and no piece like another.
std::vector<Bytes> make_pieces() {
    std::vector<Bytes> pieces(distinct_mib, Bytes(mib));
    std::uint64_t state = 1;
    for (Bytes& piece : pieces) {
        for (std::size_t at = 0; at < piece.size(); at += sizeof(state)) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            std::memcpy(piece.data() + at, &state, sizeof(state));
        }
    }
    return pieces;
}

executor::Task task_for(Double& host, const std::string& text) {
    const Bytes wasm = executor::wasm::wasm_of(text);
    executor::Task task;
    task.spec.module = cid_of(Codec::raw, wasm);
    bench::must(host.put(task.spec.module, wasm));
    return task;
}

void print_rate(const char* what, double took_us) {
    constexpr double us_a_second = 1e6;
    bench::print_sample(
        what, "GiB/s", static_cast<double>(file_mib) / 1024 * us_a_second / took_us);
}

void measure_alone(executor::Executor& pool,
                   Double& host,
                   const Cid& file,
                   const std::vector<Bytes>& pieces) {
    const executor::Task reading = task_for(host, reader_of(file));
    const executor::Task writing = task_for(host, writer());
    const executor::process::testing::FakePermit permit;
    const auto run = [&](const executor::Task& task) {
        const executor::Outcome outcome = pool.run(task, permit, host);
        if (!outcome.ending.ok()) {
            bench::give_up(outcome.ending.message);
        }
    };
    Bytes target(mib);
    for (int round = -1; round < rounds; ++round) {
        const double read = microseconds([&] { run(reading); });
        const double written = microseconds([&] { run(writing); });
        const double copied = microseconds([&] {
            for (std::size_t piece = 0; piece < file_mib; ++piece) {
                std::memcpy(target.data(), pieces[piece % distinct_mib].data(), mib);
                asm volatile("" : : "r"(target.data()) : "memory");
            }
        });
        if (round >= 0) { // The first compiles.
            print_rate("guest reads, the channel alone", read);
            print_rate("guest writes, the channel alone", written);
            print_rate("one copy of the bytes, alone", copied);
        }
    }
    if (host.added != (rounds + 1) * file_mib * mib) {
        bench::give_up("not all was added");
    }
}

void measure_with_store(const Cid& file, const std::vector<Bytes>& pieces) {
    const char* program = std::getenv("IC_PROGRAM");
    if (program == nullptr) {
        bench::give_up("IC_PROGRAM does not name the program; start this with bench/run");
    }
    const testing_support::TemporaryFolder folder;
    const std::vector<std::string> environment{"IPFS_COMPUTE_PATH=" + folder.path() + "/home",
                                               "IPFS_PATH=" + folder.path() + "/no-kubo"};
    const auto write_file = [&](const std::string& name, const auto& write) {
        std::ofstream out(folder.path() + "/" + name, std::ios::binary);
        write(out);
        return folder.path() + "/" + name;
    };
    const auto write_bytes = [](std::ofstream& out, const Bytes& bytes) {
        out.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
    };
    const std::string content = write_file("content", [&](std::ofstream& out) {
        for (std::size_t piece = 0; piece < file_mib; ++piece) {
            write_bytes(out, pieces[piece % distinct_mib]);
        }
    });
    const std::string reading = write_file("reader.wasm", [&](std::ofstream& out) {
        write_bytes(out, executor::wasm::wasm_of(reader_of(file)));
    });
    const std::string writing = write_file("writer.wasm", [&](std::ofstream& out) {
        write_bytes(out, executor::wasm::wasm_of(writer()));
    });
    bench::run_to_end({program, "add", content}, environment);
    const auto run = [&](const std::string& module) {
        return microseconds(
            [&] { bench::run_to_end({program, "run", "--wasm-file", module}, environment); });
    };
    for (int round = -1; round < rounds_with_store; ++round) {
        const double read = run(reading);
        const double written = run(writing);
        const double hashed = microseconds([&] {
            for (std::size_t piece = 0; piece < file_mib; ++piece) {
                static_cast<void>(cid_of(Codec::raw, pieces[piece % distinct_mib]));
            }
        });
        if (round >= 0) {
            print_rate("guest reads, from end to end (verified)", read);
            print_rate("guest writes, from end to end (hashed)", written);
            print_rate("SHA-256 of the bytes, alone", hashed);
        }
    }
}

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    const std::vector<Bytes> pieces = make_pieces();
    Double host;
    unixfs::FileBuilder builder(unixfs::Profile{}, host);
    for (std::size_t piece = 0; piece < file_mib; ++piece) {
        bench::must(builder.write(pieces[piece % distinct_mib]));
    }
    const Cid file = bench::must(builder.finish()).cid;
    {
        const testing_support::TemporaryFolder folder;
        const auto pool = bench::open_executors(bench::pool_options(folder.path() + "/modules", 1));
        measure_alone(*pool, host, file, pieces);
    }
    measure_with_store(file, pieces);
    return 0;
}
