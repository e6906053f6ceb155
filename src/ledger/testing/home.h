#pragma once
/// A ledger in a folder of its own, records to write, and a disk that can be full. For tests.

#include "ledger/ledger.h"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ic::ledger::testing {

/// A temporary folder, removed when this goes.
class Home {
public:
    Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;
    ~Home();

    std::filesystem::path file() const { return folder_ / "ledger.db"; }

    /// These end the test program if the ledger cannot be opened.
    std::unique_ptr<LedgerWriter> open_writer(const Retention& retention = {}) const;
    LedgerReader open_reader() const;

    void run_sql(const char* sql) const;
    void write_file(const std::string& text) const;

private:
    std::filesystem::path folder_;
};

job::Instance instance(std::uint8_t n);
Cid cid(std::uint32_t n);

/// Job number n, of its own computation, accepted at 1,000 ms.
JobAccepted accepted(std::uint32_t n, const job::Instance& owner);
JobGranted granted(const JobAccepted& job, job::Epoch epoch, const job::Instance& worker);
/// By the worker of that grant, memoizable.
JobFinished finished(const JobAccepted& job, const JobGranted& grant);

/// Submits and waits.
Result<void> write(LedgerWriter& writer, std::vector<Record> records);

/// Collects what becomes of several submissions.
class Outcomes {
public:
    LedgerWriter::Done take();
    /// Waits until so many are there; by order of `take`, those still missing as success.
    std::vector<Result<void>> wait(std::size_t count);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Result<void>> results_;
    std::size_t arrived_ = 0;
};

/// Holds a writer's thread, so that what is submitted meanwhile becomes one group.
class Gate {
public:
    explicit Gate(LedgerWriter& writer);
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() { open(); }
    void open();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
    bool left_ = false;
};

/// How often this process has asked the kernel to sync a file.
std::uint64_t syncs();

/// While one lives, no file of this process can be written to: the disk is full.
class FullDisk {
public:
    FullDisk();
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk();
};

} // namespace ic::ledger::testing
