#pragma once
/// Progress: one line on a terminal that says how far a transfer is.

#include "base/time.h"
#include "cli/context.h"

#include <cstdint>
#include <string>

namespace ic::cli {

/// Whether a progress line is drawn.
enum class ShowProgress : std::uint8_t { at_terminal, always, never };

/// `-p, --progress` as Kubo's commands take it: `--progress=false` is never, and without the flag
/// it depends on the terminal. Lifetime: as the command line.
class ProgressFlag {
public:
    void add(Command& command);
    ShowProgress show() const;

private:
    bool value_ = false;
    const Option* option_ = nullptr;
};

/// Draws on standard error, at most ten times a second; the line is wiped when this goes.
/// Threads: one.
class Progress {
public:
    /// `total_bytes` 0: not known, so there is no percentage and no time left.
    Progress(Streams& streams,
             std::uint64_t total_bytes,
             ShowProgress show = ShowProgress::at_terminal);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void advance(std::uint64_t bytes);

    /// For who learns it on the way.
    void set_total(std::uint64_t total_bytes) { total_bytes_ = total_bytes; }

    /// Wipes the line, so that something else can be printed; the next `advance` draws it again.
    void clear();

private:
    Streams& streams_;
    const bool draws_;
    std::uint64_t total_bytes_;
    const Instant started_;
    std::uint64_t done_bytes_ = 0;
    Instant drawn_;
    bool is_shown_ = false;
};

/// "12 MiB of 1.5 GiB, 1 %, 400 MiB/s, 4 s left".
std::string progress_text(std::uint64_t done_bytes, std::uint64_t total_bytes, double seconds);

} // namespace ic::cli
