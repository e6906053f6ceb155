#include "cli/progress.h"

#include "base/text.h"

#include <chrono>

namespace ic::cli {

void ProgressFlag::add(Command& command) {
    option_ = command.add_flag(
        "-p,--progress", value_, "Show how far it is; on at a terminal, --progress=false is off");
}

ShowProgress ProgressFlag::show() const {
    if (option_->count() == 0) {
        return ShowProgress::at_terminal;
    }
    return value_ ? ShowProgress::always : ShowProgress::never;
}

Progress::Progress(Streams& streams, std::uint64_t total_bytes, ShowProgress show)
    : streams_(streams)
    , draws_(show == ShowProgress::always ||
             (show == ShowProgress::at_terminal && streams.err_is_terminal()))
    , total_bytes_(total_bytes)
    , started_(now_since_boot())
    , drawn_(started_) {}

Progress::~Progress() { clear(); }

void Progress::advance(std::uint64_t bytes) {
    done_bytes_ += bytes;
    if (!draws_) {
        return;
    }
    const Instant now = now_since_boot();
    if (now - drawn_ < std::chrono::milliseconds(100)) {
        return;
    }
    drawn_ = now;
    is_shown_ = true;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    streams_.note("\r\x1b[K" + progress_text(done_bytes_, total_bytes_, seconds));
}

void Progress::clear() {
    if (is_shown_) {
        streams_.note("\r\x1b[K");
        is_shown_ = false;
    }
}

std::string progress_text(std::uint64_t done_bytes, std::uint64_t total_bytes, double seconds) {
    std::string text = human_bytes(done_bytes);
    if (total_bytes != 0) {
        const double share = static_cast<double>(done_bytes) / static_cast<double>(total_bytes);
        text += " of " + human_bytes(total_bytes) + ", " +
                std::to_string(static_cast<int>(share * 100)) + " %";
    }
    if (seconds > 0) {
        const double rate = static_cast<double>(done_bytes) / seconds;
        text += ", " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
        if (total_bytes > done_bytes && rate > 0) {
            const double left = static_cast<double>(total_bytes - done_bytes) / rate;
            text += ", " + std::to_string(static_cast<std::uint64_t>(left + 1)) + " s left";
        }
    }
    return text;
}

} // namespace ic::cli
