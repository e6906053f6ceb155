#pragma once
/// Doctor: whether everything that a node needs is there, looked at one thing after another.

#include "base/result.h"
#include "config/home.h"
#include "executor/channel/wall_set.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::wiring {

enum class Verdict : std::uint8_t {
    ok,
    warn, ///< Works, but not as it could.
    fail, ///< Something that jobs need does not work.
};

/// "ok", "warn", "fail".
std::string_view name(Verdict verdict);

/// One thing that was looked at. A value.
struct Check {
    std::string what; ///< A word: "store".
    Verdict verdict = Verdict::ok;
    std::string found;         ///< For people: what is there, or what is wrong.
    std::string remedy;        ///< What to type or do; empty where nothing is to be done.
    std::optional<Errc> error; ///< Of a fail.

    friend bool operator==(const Check&, const Check&) = default;
};

/// Looks at home, configuration, key, store, ledger, bus, executors, gateways, Kubo (and with
/// `ipfs` = `kubo` at the network: network_doctor.h), isolation, clock and disk, in this order.
/// Makes what is missing in a home, as every command does, and runs a module that does nothing in
/// an executor of its own. Never stops at a fail: what cannot be looked at is left out. Requires:
/// this program is the one whose executors are started (/proc/self/exe).
std::vector<Check> examine(const std::string& home_path,
                           config::Environment environment,
                           const std::vector<std::string>& settings);

// --- the judgements, without looking -------------------------------------------------------------

namespace limits {
/// Ours: below the first the disk is called nearly full, below the second full.
inline constexpr std::uint64_t disk_bytes_low = std::uint64_t{1} << 30U;
inline constexpr std::uint64_t disk_bytes_full = std::uint64_t{64} << 20U;
/// Ours: how far ahead of the clock a time in the ledger may be.
inline constexpr std::chrono::seconds clock_skew_max{60};
} // namespace limits

/// `free` bytes on the disk of `path`.
Check judge_disk(const std::string& path, std::uint64_t free_bytes);

/// The clock, against the day of this program's release and the newest job of the ledger.
Check judge_clock(std::chrono::sys_seconds now, std::optional<std::chrono::sys_seconds> newest_job);

/// `mode` of the home, `owner` of it and who asks.
Check judge_home(const std::string& path,
                 std::uint32_t mode,
                 std::uint32_t owner,
                 std::uint32_t user);

/// The walls around executors, from what the kernel said to each attempt. A wall of `required` that
/// does not stand fails, any other warns.
Check judge_isolation(const executor::channel::WallErrors& errors,
                      executor::channel::WallSet required);

} // namespace ic::wiring
