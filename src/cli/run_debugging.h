#pragma once
/// What `run --trace`, `--coredump` and `--profile` show and write.

#include "base/result.h"
#include "base/unique_fd.h"
#include "cli/context.h"
#include "executor/executor.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic::cli {

/// As they stand on the command line.
struct DebuggingFlags {
    const Option* trace_given = nullptr;
    std::string trace; ///< A file; empty: standard error.
    std::string coredump;
    std::string profile;
};

/// Declares them on `command`.
void add_debugging_flags(Command& command, DebuggingFlags& flags);

/// Threads: one.
class RunDebugging {
public:
    RunDebugging(Context& context, const DebuggingFlags& flags)
        : context_(context)
        , flags_(flags) {}

    executor::Debugging wanted() const;

    /// Makes the trace's file, so that a name that cannot be written is said before the run.
    /// Errors: as files.
    Result<void> open();

    void trace(std::string_view line);
    void dump(executor::Dump kind, ByteView piece);

    /// Says what was written, or why there is nothing. Errors: the first of writing a file, which
    /// is not said: as a rule it ends the command.
    Result<void> finish();

    /// Says that first error: the guest's own failure ends the command.
    void note_unwritten();

private:
    /// A file that is made when its first byte comes: an old one stays if there is nothing new.
    struct File {
        UniqueFd fd;
        std::uint64_t bytes = 0;
        Result<void> state;
    };

    const std::string& path_of(executor::Dump kind) const;
    static void write(File& file, const std::string& path, ByteView bytes);

    Context& context_;
    const DebuggingFlags& flags_;
    File trace_;
    std::array<File, 2> dumps_;
    std::string unwritten_; ///< The line about the first that failed.
};

/// A line of a trace (docs/formats/json.md) for people: "0.001234 fd_write(1, 8, 1, 12) = success,
/// 6 bytes, 4.1 us". As it is, if it is no such line.
std::string trace_text(std::string_view line);

} // namespace ic::cli
