#pragma once
/// RunService: what the broker does for one run, from its Start to its Finished.

#include "base/bytes.h"
#include "base/result.h"
#include "executor/channel/endpoint.h"
#include "executor/channel/window.h"
#include "executor/executor.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

namespace ic::executor::process {

/// Answers an executor's requests from a Host, gathers what the guest writes, and holds the
/// executor to the job's limits a second time: one that a guest has taken over gets no further than
/// those. Threads: one. Lifetime: the references outlive it.
class RunService {
public:
    RunService(const Task& task,
               const Debugging& debugging,
               Host& host,
               channel::Endpoint& endpoint,
               const channel::Window& window);

    /// Handles everything that arrives until the run is over. `unsupported` in `not_loaded` asks
    /// for a new artifact. Errors: executor_crashed if the executor breaks a rule, unavailable if
    /// it is gone; it must be killed then.
    Result<void> serve(std::uint64_t run);

    /// What came, complete after `serve` succeeded, else as far as it came.
    Outcome take_outcome();

    /// Set if the executor could not load the module; nothing ran then.
    const std::optional<Error>& not_loaded() const { return not_loaded_; }

private:
    Result<void> answer(const channel::GetBlock& request);
    Result<void> answer(const channel::AddWrite& request);
    Result<void> answer(const channel::CurlOpen& request);
    Result<void> answer(const channel::CurlRead& request);
    Result<void> take(const channel::AddDrop& message);
    Result<void> take(const channel::CurlClose& message);
    Result<void> take(const channel::Log& message);
    Result<void> take(const channel::Output& message);
    Result<void> take(const channel::Trace& message);
    Result<void> take(const channel::DumpPiece& message);
    Result<void> take(channel::Finished& message);
    Result<void> handle(channel::Message& message, std::uint64_t run);

    Result<void> write_output(job::Stream stream, ByteView data);
    Result<void> reply_error(std::uint32_t sequence, const Error& error);
    Result<channel::Reply> write_piece(const channel::AddWrite& request);
    std::uint32_t free_number();
    bool may_open() const;

    const Task& task_;
    const Debugging debugging_;
    Host& host_;
    channel::Endpoint& endpoint_;
    const channel::Window& window_;

    Outcome outcome_;
    std::optional<Error> not_loaded_;
    bool finished_ = false;
    std::map<std::uint32_t, std::unique_ptr<Adder>> adders_;
    std::map<std::uint32_t, std::unique_ptr<CurlBody>> bodies_;
    std::uint32_t last_number_ = 0;
    std::uint64_t bytes_added_ = 0;
    Bytes piece_; // Being added; its memory serves all pieces.
    std::uint64_t trace_bytes_ = 0;
    std::array<std::uint64_t, 2> dump_bytes_{};
};

} // namespace ic::executor::process
