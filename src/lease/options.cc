#include "lease/options.h"

namespace ic::lease {
namespace {

using namespace std::chrono_literals;

Result<void> check_timing(const Timing& timing) {
    if (timing.duration < 10ms || timing.renew_every < 1ms || timing.stop_max < 0ms) {
        return Error{Errc::usage, "lease: duration must be 10 ms or more, renewal 1 ms or more"};
    }
    if (timing.duration > 1h || timing.stop_max > 1h) {
        return Error{Errc::usage, "lease: duration and stop time must be 1 h or less"};
    }
    if (timing.renew_every * 2 > timing.duration) {
        return Error{Errc::usage, "lease: renewal must come at least twice in a duration"};
    }
    if (!is_fenced(timing)) {
        return Error{Errc::usage,
                     "lease: the fence ends before a guest can be sure to have stopped"};
    }
    return {};
}

Result<void> check_pauses(std::chrono::milliseconds first, std::chrono::milliseconds longest) {
    if (first < 1ms || longest < first) {
        return Error{Errc::usage, "lease: a first pause must be 1 ms or more and not the longest"};
    }
    return {};
}

} // namespace

Result<void> check(const CoordinatorOptions& options) {
    TRY(check_timing(options.timing));
    TRY(check_pauses(options.announce_first, options.announce_longest));
    TRY(check_pauses(options.retry_first, options.retry_longest));
    if (options.bid_age_max >= options.timing.duration) {
        return Error{Errc::usage, "lease: a bid must not be granted on when its lease is over"};
    }
    if (options.announce_pace < 1ms || options.jobs_open_max == 0 || options.peers_max == 0) {
        return Error{Errc::usage, "lease: pace, jobs_open_max and peers_max must not be 0"};
    }
    return {};
}

Result<void> check(const WorkerOptions& options) {
    TRY(check_timing(options.timing));
    TRY(check_pauses(options.receipt_first, options.receipt_longest));
    if (options.bid_refresh * 2 > options.timing.duration) {
        return Error{Errc::usage, "lease: a bid must be refreshed before half its lease is over"};
    }
    if (options.rendezvous.bidders == 0) {
        return Error{Errc::usage, "lease: some worker must bid"};
    }
    if (options.advert_every < 0ms || options.adverts_a_second_max == 0) {
        return Error{Errc::usage, "lease: adverts must have a pace"};
    }
    if (options.renew_when_lost < 1ms || options.bid_refresh < 1ms) {
        return Error{Errc::usage, "lease: refresh and repetition must be 1 ms or more"};
    }
    return {};
}

} // namespace ic::lease
