#pragma once
/// Verifying a home's store, in a process of its own: damage in the right place kills who reads it.

#include "base/result.h"
#include "config/home.h"
#include "config/settings.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ic::wiring {

/// What is done about a block that is not what its CID says.
enum class Repair : std::uint8_t {
    none,
    drop,  ///< It is removed, and so are segments that no table names.
    local, ///< It is removed; blocks of segments that no table names are taken in again.
    heal,  ///< As `local`, and what was removed is fetched again where it can be had.
};

/// One thing that is not in order, and what became of it.
struct Finding {
    enum class Fate : std::uint8_t { left, removed, not_removed, healed, not_healed };
    enum class Subject : std::uint8_t {
        block,   ///< `name` is its CID, or the hexadecimal digits of a key that is none.
        pin,     ///< `name` is its CID, or likewise.
        range,   ///< Blocks from `name` on could not be read: the process that tried was killed.
        segment, ///< Of this name: no table knows it, and whole blocks are in it.
    };
    Subject subject = Subject::block;
    std::string name;
    std::string what;   ///< The damage.
    std::string more{}; ///< Why it could not be removed or healed; else empty.
    Fate fate = Fate::left;
};

struct VerifyOptions {
    Repair repair = Repair::none;
    std::function<Result<void>(const Finding&)> on_finding;
    std::function<void(std::uint64_t blocks)> on_progress; ///< May be empty.
};

struct Verified {
    std::uint64_t blocks = 0; ///< That were looked at, damaged ones too.
    std::uint64_t damaged = 0;
    std::uint64_t removed = 0;
    std::uint64_t not_removed = 0;
    std::uint64_t healed = 0;
    std::uint64_t not_healed = 0;
};

/// Hashes every block of the home's store, and reads every pin, in child processes: if one is
/// killed by what it reads, that is a finding, and another goes on behind it. Errors: as
/// Stores::open, when the store cannot be opened at all; the callback's. Requires: this process has
/// not opened the store and has no other threads.
Result<Verified> verify_store(const config::Home& home,
                              const config::Settings& settings,
                              const VerifyOptions& options);

} // namespace ic::wiring
