#pragma once
/// MemoryServices: what a guest asks for, answered from memory, with faults on demand.

#include "executor/wasm/services.h"
#include "ipld/block.h"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ic::executor::wasm {

/// Threads: as Services; `stop` may be set from any.
class MemoryServices : public Services, public BlockSink {
public:
    Result<LentBytes> block(const Cid& cid) override;
    Result<std::uint32_t> add_open() override;
    Result<void> add_write(std::uint32_t id, ByteView data) override;
    Result<Cid> add_finish(std::uint32_t id) override;
    void add_drop(std::uint32_t id) override;
    Result<CurlOpened> curl_open(std::string_view request) override;
    Result<std::size_t> curl_read(std::uint32_t id, std::span<std::uint8_t> into) override;
    void curl_close(std::uint32_t id) override;
    void log(std::string_view lines) override;
    void output(job::Stream stream, ByteView data) override;
    void trace(std::string_view lines) override { trace_seen += lines; }

    void dump(Dump kind, ByteView piece) override {
        (kind == Dump::coredump ? coredump_seen : profile_seen) += text_of(piece);
    }

    Instant lease_until() const override { return lease_; }
    std::optional<Errc> stop_reason() const override;

    /// Fills `blocks`.
    Result<void> put(const Cid& cid, ByteView data) override;

    /// A raw block.
    Cid put_raw(std::string_view text);

    std::map<Cid, Bytes> blocks;
    std::map<std::uint32_t, Bytes> adding;       ///< What is being added.
    std::map<std::uint32_t, std::string> bodies; ///< Responses not closed.
    std::string log_seen;
    std::string output_seen;
    std::string errors_seen;
    std::string trace_seen;
    std::string coredump_seen;
    std::string profile_seen;
    std::size_t log_calls = 0;
    std::size_t block_calls = 0;
    std::vector<std::string> requests;
    Instant lease_ = Instant::never();
    std::atomic<int> stop{0};        ///< An Errc's number.
    std::optional<Errc> block_fault; ///< What `block` answers.
    std::optional<Errc> curl_fault;
    bool throws = false; ///< `block` throws, as a library below it might.
    std::string body = "body";

private:
    std::uint32_t next_ = 1;
};

} // namespace ic::executor::wasm
