#pragma once
/// ChannelServices: what a run asks for, over the channel to the broker.

#include "base/bytes.h"
#include "executor/channel/endpoint.h"
#include "executor/channel/window.h"
#include "executor/executor.h"
#include "executor/wasm/services.h"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace ic::executor::wasm {

/// One run's. Small files to be added wait here until they are finished, so that one crosses once.
/// Threads: as Services. Lifetime: the references outlive it.
class ChannelServices : public Services {
public:
    ChannelServices(channel::Endpoint& endpoint, const channel::Window& window);

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
    void trace(std::string_view lines) override;
    void dump(Dump kind, ByteView piece) override;
    Instant lease_until() const override;
    std::optional<Errc> stop_reason() const override;

    /// Sends what of the streams has not gone out yet, and the end. Errors: as Endpoint::send.
    Result<void> finish(std::uint64_t run, Outcome outcome);

private:
    struct Adding {
        std::uint32_t adder = 0; ///< The broker's number; 0: it does not know of it yet.
        Bytes waiting;
    };

    Result<channel::Reply> ask(const channel::Message& request, std::uint32_t sequence);
    /// Sends what waits and `more` after it, together at most a window. What is larger than a
    /// window is thus copied there from the guest's memory, and nowhere else before.
    Result<channel::Reply> flush(Adding& adding, ByteView more, bool last);
    /// A copy of the bytes, which the next answer overwrites. Of a large block into memory that an
    /// earlier one had: fresh memory costs more than the copy.
    LentBytes keep(ByteView block);
    Result<ByteView> window_bytes(const channel::Reply& reply) const;
    void tell(const channel::Message& message);

    channel::Endpoint& endpoint_;
    const channel::Window& window_;
    std::uint32_t sequence_ = 0;
    std::uint32_t last_id_ = 0;
    std::map<std::uint32_t, Adding> adding_;
    std::vector<std::shared_ptr<Bytes>> buffers_; // Lent out where there is another owner.
    std::size_t output_sent_ = 0;
    std::size_t errors_sent_ = 0;
    std::size_t log_sent_ = 0;
    bool broken_ = false; ///< The channel is: nothing more can be done but to end.
};

} // namespace ic::executor::wasm
