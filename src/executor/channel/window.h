#pragma once
/// Window: memory that the broker shares with one executor, for bytes too many for messages and
/// for the few values that change while a guest runs.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "ipld/block.h"

#include <atomic>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace ic::executor::channel {

namespace limits {
/// One block, the largest thing that goes to a guest at once.
inline constexpr std::size_t to_executor_bytes = ic::limits::block_bytes_max;
/// Ours: one piece of a file being added (a default chunk).
inline constexpr std::size_t to_broker_bytes = std::size_t{1} << 20U;
} // namespace limits

/// How far the run may go on. Written by the broker, read by the executor; the broker never reads
/// it back, since a compromised executor can write here too.
struct Control {
    std::atomic<std::int64_t> lease_until_ns{0}; ///< Instant::since_boot.
    std::atomic<std::uint32_t> stop_reason{0};   ///< An Errc's number; 0: go on.
    std::atomic<std::uint32_t> sleep_at_once{
        0}; ///< Not 0: the executor waits with Patience::sleep.
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

/// Copies all bytes to the start of `area`, which has room. (std::ranges::copy goes byte by byte
/// between spans of constant and of other bytes.)
inline void copy_to(std::span<std::uint8_t> area, ByteView bytes) {
    assert(bytes.size() <= area.size());
    if (!bytes.empty()) {
        std::memcpy(area.data(), bytes.data(), bytes.size());
    }
}

/// A sealed memfd and its mapping: control page, bytes to the executor, bytes to the broker.
/// Whoever reads bytes copies them before it checks them: the other side can change them meanwhile.
/// Threads: the control page from any, the areas by turns that the messages decide.
class Window {
public:
    /// The broker's: a new memfd that can neither grow nor shrink any more (a smaller one would be
    /// a bus error in the broker). Errors: unavailable.
    static Result<Window> create();

    /// The executor's. Errors: malformed (another size or no seals), unavailable.
    static Result<Window> attach(UniqueFd memory);

    Window(Window&& other) noexcept;
    Window& operator=(Window&& other) noexcept;
    ~Window();

    Control& control() const;
    std::span<std::uint8_t> to_executor() const;
    std::span<std::uint8_t> to_broker() const;

    int descriptor() const { return memory_.get(); }

    /// Broker: what holds from now on.
    void allow(Instant lease_until, std::optional<Errc> stop) const;

private:
    Window(UniqueFd memory, std::uint8_t* base);
    static Result<Window> map(UniqueFd memory);

    UniqueFd memory_;
    std::uint8_t* base_ = nullptr;
};

} // namespace ic::executor::channel
