// WASI preview 1: clocks and poll_oneoff.

#include "executor/wasm/boundary.h"
#include "executor/wasm/engine_config.h"
#include "executor/wasm/wasi.h"
#include "executor/wasm/wasi_types.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

namespace ic::executor::wasm::wasi {
namespace {

// `clockid`.
constexpr std::uint32_t clock_wall = 0;
constexpr std::uint32_t clock_monotonic = 1;
constexpr std::uint32_t clock_process = 2;
constexpr std::uint32_t clock_thread = 3;

std::optional<std::uint64_t> read_clock(const Run& run, std::uint32_t clock) {
    switch (clock) {
    case clock_wall:
        return run.clock.wall();
    case clock_monotonic:
        return run.clock.monotonic();
    case clock_process:
    case clock_thread:
        return run.clock.processor();
    default:
        return std::nullopt;
    }
}

Errno clock_time_get(Run& run, std::uint32_t clock, std::uint64_t /*precision*/, Address out) {
    const auto time = read_clock(run, clock);
    if (!time) {
        return Errno::inval;
    }
    return run.memory.store(out, *time) ? Errno::success : Errno::fault;
}

Errno clock_res_get(Run& run, std::uint32_t clock, Address out) {
    if (clock > clock_thread) {
        return Errno::inval;
    }
    return run.memory.store(out, std::uint64_t{1}) ? Errno::success : Errno::fault;
}

// --- poll_oneoff --------------------------------------------------------------------------------

// `eventtype`.
constexpr std::uint8_t event_clock = 0;
constexpr std::uint8_t event_read = 1;
constexpr std::uint8_t event_write = 2;

constexpr std::uint64_t subscription_bytes = 48;
constexpr std::uint64_t event_bytes = 32;

struct Subscription {
    std::uint64_t userdata = 0;
    std::uint8_t type = event_clock;
    Errno error = Errno::success;
    std::uint64_t wait = 0; ///< Nanoseconds from now; 0: ready.
    Fd fd = 0;
};

// `subscription`: userdata 0, type 8; of a clock: id 16, timeout 24, precision 32, flags 40; of a
// read or write: descriptor 16.
std::optional<Subscription> load_subscription(Run& run, std::uint64_t at) {
    const GuestMemory& memory = run.memory;
    if (!memory.slice(at, subscription_bytes)) {
        return std::nullopt;
    }
    Subscription subscription;
    subscription.userdata = *memory.load<std::uint64_t>(at);
    subscription.type = *memory.load<std::uint8_t>(at + 8);
    if (subscription.type == event_clock) {
        const auto now = read_clock(run, *memory.load<std::uint32_t>(at + 16));
        const std::uint64_t timeout = *memory.load<std::uint64_t>(at + 24);
        const bool absolute = (*memory.load<std::uint16_t>(at + 40) & 1U) != 0;
        if (!now) {
            subscription.error = Errno::inval;
        } else {
            subscription.wait = absolute ? timeout - std::min(timeout, *now) : timeout;
        }
    } else if (subscription.type == event_read || subscription.type == event_write) {
        subscription.fd = *memory.load<std::uint32_t>(at + 16);
        const bool right_way = (subscription.fd == fd_input) == (subscription.type == event_read);
        if (stream_of(run, subscription.fd) == nullptr || !right_way) {
            subscription.error = Errno::badf;
        }
    } else {
        subscription.error = Errno::inval;
    }
    return subscription;
}

/// Lets the time pass; virtual time at once, real time in pieces of a beat.
void sleep_for(Run& run, std::uint64_t nanoseconds) {
    if (run.clock.is_virtual()) {
        run.clock.advance(nanoseconds);
        return;
    }
    const Instant from = now_since_boot();
    while (run.beat()) {
        const auto slept = static_cast<std::uint64_t>((now_since_boot() - from).count());
        if (slept >= nanoseconds) {
            return;
        }
        constexpr auto piece_max =
            static_cast<std::uint64_t>(std::chrono::nanoseconds{tick_interval}.count());
        const timespec piece{
            .tv_sec = 0, .tv_nsec = static_cast<long>(std::min(nanoseconds - slept, piece_max))};
        nanosleep(&piece, nullptr);
    }
}

// `event`: userdata 0, error 8, type 10; of a read or write: bytes 16, flags 24.
bool store_event(Run& run, std::uint64_t at, const Subscription& subscription) {
    const auto place = run.memory.slice(at, event_bytes);
    if (!place) {
        return false;
    }
    std::fill(place->begin(), place->end(), std::uint8_t{0});
    std::uint64_t bytes = 0;
    if (subscription.error == Errno::success && subscription.type == event_read) {
        const std::uint64_t size = run.event_size();
        bytes = size - std::min(size, run.standard[fd_input].position);
    } else if (subscription.error == Errno::success && subscription.type == event_write) {
        bytes = run.task().spec.limits.output_bytes_max;
    }
    return run.memory.store(at, subscription.userdata) &&
           run.memory.store(at + 8, static_cast<std::uint16_t>(subscription.error)) &&
           run.memory.store(at + 10, subscription.type) && run.memory.store(at + 16, bytes);
}

Errno poll_oneoff(Run& run, Address subscriptions, Address events, Size count, Address count_out) {
    if (count == 0 || count > limits::subscriptions_max) {
        return Errno::inval;
    }
    // All are read before anything is written: the two areas may overlap.
    std::vector<Subscription> ready;
    std::uint64_t wait = UINT64_MAX;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto subscription =
            load_subscription(run, subscriptions + std::uint64_t{i} * subscription_bytes);
        if (!subscription) {
            return Errno::fault;
        }
        if (subscription->wait < wait) {
            wait = subscription->wait;
            ready.clear();
        }
        if (subscription->wait == wait) {
            ready.push_back(*subscription);
        }
    }
    if (wait > 0) {
        sleep_for(run, wait);
    }
    std::uint32_t stored = 0;
    for (const Subscription& subscription : ready) {
        if (!store_event(run, events + stored * event_bytes, subscription)) {
            return Errno::fault;
        }
        ++stored;
    }
    return run.memory.store(count_out, stored) ? Errno::success : Errno::fault;
}

} // namespace

Result<void> define_poll(wasmtime_linker_t* linker) {
    TRY(define<&clock_res_get>(linker, module_name, "clock_res_get"));
    TRY(define<&clock_time_get>(linker, module_name, "clock_time_get"));
    TRY(define<&poll_oneoff>(linker, module_name, "poll_oneoff"));
    return {};
}

} // namespace ic::executor::wasm::wasi
