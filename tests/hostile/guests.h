#pragma once
/// The guests that mean harm, and how each has to end.

#include "executor/executor.h"
#include "hostile/workbench.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::hostile {

/// A guest ends with an error of ours; or it ends well, and what it was told comes back as its
/// value (a negated error number of the host functions, an errno of WASI) or its exit status.
struct Guest {
    std::string name;
    std::function<Bytes(Host&)> module; ///< May put into the host what the guest asks for.
    std::string ends = "ok";            ///< Name of the error.
    std::optional<std::int64_t> value{};
    std::int32_t exit_status = 0;
    std::function<void(job::JobSpec&)> change{}; ///< Of the workbench's task.
    std::chrono::milliseconds limit{}; ///< When it has to be over; of what ends itself: 0.
};

/// A module whose exported function `run` has this body; all that it may import is there, with the
/// names of the functions ($log, $add, $fd_write, ...), one page of memory, a table of one
/// function.
Bytes guest(std::string_view body, std::string_view more = "");

std::vector<Guest> guests_of_limits();   ///< Too long, too much, too many.
std::vector<Guest> guests_of_traps();    ///< What the engine traps.
std::vector<Guest> guests_of_pointers(); ///< Arguments of host functions that make no sense.
std::vector<Guest> guests_of_content();  ///< Paths, content and hosts that are not theirs.
std::vector<Guest> guests_of_bytes();    ///< Modules that are none, or more than is allowed.
std::vector<Guest> guests_of_imports();  ///< Jobs of several modules.

/// All of them.
std::vector<Guest> all_guests();

} // namespace ic::hostile
