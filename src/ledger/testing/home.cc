#include "ledger/testing/home.h"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace {

std::atomic<std::uint64_t> sync_count{0};
std::atomic<int> full_disks{0};

ssize_t write_at(int fd, const void* data, std::size_t size, off_t offset) {
    if (full_disks > 0) {
        errno = ENOSPC;
        return -1;
    }
    return ::syscall(SYS_pwrite64, fd, data, size, offset);
}

} // namespace

// These stand before the C library's for the whole test program, SQLite included.
extern "C" {

int fdatasync(int fd) {
    ++sync_count;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int fsync(int fd) {
    ++sync_count;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
    return write_at(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, std::size_t size, off_t offset) {
    return write_at(fd, data, size, offset);
}

} // extern "C"

namespace ic::ledger::testing {
namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "ledger test home: %s\n", why.c_str());
    std::abort();
}

} // namespace

Home::Home() {
    std::string name = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        give_up("no temporary folder");
    }
    folder_ = name;
}

Home::~Home() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<LedgerWriter> Home::open_writer(const Retention& retention) const {
    Result<std::unique_ptr<LedgerWriter>> writer = LedgerWriter::open(file(), retention);
    if (!writer) {
        give_up(writer.error().message);
    }
    return std::move(writer).take();
}

LedgerReader Home::open_reader() const {
    Result<LedgerReader> reader = LedgerReader::open(file());
    if (!reader) {
        give_up(reader.error().message);
    }
    return std::move(reader).take();
}

void Home::run_sql(const char* sql) const {
    sqlite3* handle = nullptr;
    if (sqlite3_open(file().c_str(), &handle) != SQLITE_OK ||
        sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        give_up(sqlite3_errmsg(handle));
    }
    sqlite3_close(handle);
}

void Home::write_file(const std::string& text) const {
    std::ofstream out(file(), std::ios::binary);
    out << text;
}

job::Instance instance(std::uint8_t n) {
    job::Instance made;
    made.bytes.fill(n);
    return made;
}

Cid cid(std::uint32_t n) { return cid_of(Codec::raw, bytes_of("cid " + std::to_string(n))); }

JobAccepted accepted(std::uint32_t n, const job::Instance& owner) {
    JobAccepted job;
    job.ids = {
        .job = cid(1000 * n + 1), .task = cid(1000 * n + 2), .computation = cid(1000 * n + 3)};
    job.submitter.bytes.fill(3);
    job.owner = owner;
    job.invocation = copy_of(bytes_of("invocation " + std::to_string(n)));
    job.at = {1000};
    return job;
}

JobGranted granted(const JobAccepted& job, job::Epoch epoch, const job::Instance& worker) {
    JobGranted grant{.job = job.ids.job,
                     .epoch = epoch,
                     .worker = {.key = {}, .instance = worker},
                     .duration_ms = 3000,
                     .at = {1200}};
    grant.worker.key.bytes.fill(4);
    return grant;
}

JobFinished finished(const JobAccepted& job, const JobGranted& grant) {
    return {.job = job.ids.job,
            .computation = job.ids.computation,
            .receipt_cid = cid_of(Codec::dag_cbor, job.ids.job.bytes()),
            .receipt = copy_of(job.ids.job.bytes()),
            .epoch = grant.epoch,
            .worker = grant.worker,
            .error = std::nullopt,
            .message = "",
            .memoizable = true,
            .from_memo = false,
            .at = {2000}};
}

Result<void> write(LedgerWriter& writer, std::vector<Record> records) {
    Outcomes outcomes;
    writer.submit(std::move(records), outcomes.take());
    return outcomes.wait(1)[0];
}

LedgerWriter::Done Outcomes::take() {
    const std::lock_guard lock(mutex_);
    results_.emplace_back();
    return [this, index = results_.size() - 1](Result<void> result) {
        const std::lock_guard inner(mutex_);
        results_[index] = std::move(result);
        ++arrived_;
        changed_.notify_all();
    };
}

std::vector<Result<void>> Outcomes::wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return arrived_ >= count; });
    return results_;
}

Gate::Gate(LedgerWriter& writer) {
    writer.submit({}, [this](const Result<void>&) {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        left_ = true;
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reached_; });
}

void Gate::open() {
    std::unique_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return left_; });
}

std::uint64_t syncs() { return sync_count; }

FullDisk::FullDisk() { ++full_disks; }

FullDisk::~FullDisk() { --full_disks; }

} // namespace ic::ledger::testing
