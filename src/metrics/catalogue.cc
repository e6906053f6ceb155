#include "metrics/catalogue.h"

#include "base/result.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>

namespace ic::metrics {
namespace {

using Values = std::vector<std::string_view>;

/// These, then the name of every error.
Values and_errors(std::initializer_list<std::string_view> first) {
    Values values(first);
    for (std::uint64_t number = 1; const std::optional<Errc> error = errc_of(number); ++number) {
        values.push_back(ic::name(*error));
    }
    return values;
}

Family counter(Metric metric, std::string_view name, std::string_view help, Label label = {}) {
    return {.metric = metric,
            .kind = Kind::counter,
            .name = name,
            .help = help,
            .label = std::move(label)};
}

Family gauge(Metric metric, std::string_view name, std::string_view help, Label label = {}) {
    return {.metric = metric,
            .kind = Kind::gauge,
            .name = name,
            .help = help,
            .label = std::move(label)};
}

Label sources() { return {"source", {"gateway", "kubo"}}; }

/// Of what jobs go through.
std::vector<Family> of_jobs() {
    return {
        counter(Metric::jobs_accepted,
                "ipfs_compute_jobs_accepted_total",
                "Jobs that this node accepted as their coordinator."),
        counter(Metric::jobs_ended,
                "ipfs_compute_jobs_ended_total",
                "Jobs that ended at this node as their coordinator.",
                {"ending", and_errors({"success", "guest-exit"})}),
        counter(Metric::jobs_from_memo,
                "ipfs_compute_jobs_from_memo_total",
                "Jobs that were answered from an earlier receipt; among those that ended."),
        gauge(Metric::jobs_open,
              "ipfs_compute_jobs_open",
              "Jobs that this node coordinates and that have not ended."),
        gauge(Metric::jobs_queued,
              "ipfs_compute_jobs_queued",
              "Jobs among those open that wait for a worker."),
    };
}

std::vector<Family> of_leases() {
    return {
        counter(Metric::leases_granted,
                "ipfs_compute_leases_granted_total",
                "Leases that this node granted."),
        counter(Metric::leases_released,
                "ipfs_compute_leases_released_total",
                "Leases that ended without a job's end: lease-lost ran out unheard of, worker-lost "
                "is a worker that died, handed-back was not begun, others failed.",
                {"reason", and_errors({"handed-back"})}),
    };
}

std::vector<Family> of_runs() {
    Family cpu = counter(Metric::guest_cpu,
                         "ipfs_compute_guest_cpu_seconds_total",
                         "Processor time of guests that ran here.");
    cpu.scale = 1e-6;
    Family stage{.metric = Metric::stage,
                 .kind = Kind::histogram,
                 .name = "ipfs_compute_stage_seconds",
                 .help = "How long the stages of jobs lasted: queue at the coordinator, the others "
                         "at the worker.",
                 .label = {"stage", {"queue", "claim", "fetch", "compile", "run", "publish"}}};
    stage.scale = 1e-9;
    return {
        counter(Metric::runs_ended,
                "ipfs_compute_runs_ended_total",
                "Runs that ended here.",
                {"ending", and_errors({"success", "guest-exit"})}),
        gauge(Metric::slots, "ipfs_compute_slots", "Jobs that may run here at once."),
        gauge(Metric::slots_busy,
              "ipfs_compute_slots_busy",
              "Leases held here: jobs that run, and those taken ahead that are about to."),
        stage,
        cpu,
    };
}

std::vector<Family> of_executors() {
    return {
        counter(Metric::artifact_cache_hits,
                "ipfs_compute_artifact_cache_hits_total",
                "Modules of runs whose machine code was here."),
        counter(Metric::artifact_cache_misses,
                "ipfs_compute_artifact_cache_misses_total",
                "Modules of runs that had to be fetched and compiled."),
        counter(Metric::executors_replaced,
                "ipfs_compute_executors_replaced_total",
                "Executor processes that another one took the place of: they died, had to be "
                "killed at a limit or stop, had run jobs of another submitter "
                "(`isolation.processes`), or had run often or large enough.",
                {"cause", {"died", "killed", "owner", "worn-out"}}),
    };
}

std::vector<Family> of_messages() {
    return {
        counter(Metric::announcements_declined,
                "ipfs_compute_announcements_declined_total",
                "Announced jobs that this worker does not take.",
                {"reason", and_errors({})}),
        counter(Metric::announcements_received,
                "ipfs_compute_announcements_received_total",
                "Announcements of jobs that came to this worker."),
        counter(Metric::announcements_sent,
                "ipfs_compute_announcements_sent_total",
                "Announcements of jobs that this node sent to all."),
        counter(Metric::bids_received,
                "ipfs_compute_bids_received_total",
                "Bids that came to this node, its own worker's too."),
        counter(Metric::bids_sent,
                "ipfs_compute_bids_sent_total",
                "Bids that this worker sent, to its own process too."),
        counter(Metric::requests_rejected,
                "ipfs_compute_requests_rejected_total",
                "Requests of clients that this node said no to.",
                {"reason", and_errors({})}),
        gauge(Metric::peers,
              "ipfs_compute_peers",
              "Processes that this node has a link to: of this home by the bus, others by the "
              "network.",
              {"link", {"bus", "network"}}),
        counter(Metric::topic_packets,
                "ipfs_compute_topic_packets_total",
                "Packets on Kubo's pubsub: published, taken, or why not taken.",
                {"outcome",
                 {"published",
                  "taken",
                  "own",
                  "for-others",
                  "not-trusted",
                  "seen-before",
                  "too-many",
                  "bad"}}),
    };
}

std::vector<Family> of_blocks() {
    return {
        counter(Metric::block_bytes_fetched,
                "ipfs_compute_block_fetched_bytes_total",
                "Bytes of the blocks that were fetched.",
                sources()),
        counter(Metric::blocks_fetched,
                "ipfs_compute_blocks_fetched_total",
                "Blocks fetched from elsewhere and verified.",
                sources()),
        counter(Metric::blocks_missed,
                "ipfs_compute_blocks_missed_total",
                "Blocks that were asked for elsewhere and not to be had.",
                sources()),
        counter(Metric::blocks_refused,
                "ipfs_compute_blocks_refused_total",
                "Blocks from elsewhere that are not what their CID says.",
                sources()),
        gauge(Metric::store_disk_bytes,
              "ipfs_compute_store_disk_bytes",
              "Bytes of the disk that the files of the block store take."),
    };
}

std::vector<Family> of_surroundings() {
    Family requests =
        counter(Metric::kubo_requests,
                "ipfs_compute_kubo_requests_total",
                "Requests to Kubo's API for pubsub, results, streams and state; single "
                "blocks are among the blocks fetched.",
                {"endpoint",
                 {"block",
                  "config",
                  "dag",
                  "id",
                  "key",
                  "p2p",
                  "pin",
                  "pubsub",
                  "repo",
                  "routing",
                  "swarm",
                  "version",
                  other}});
    requests.second_label = {"outcome", {"ok", "refused", "failed", "not-asked"}};
    return {
        gauge(Metric::kubo_breaker_open,
              "ipfs_compute_kubo_breaker_open",
              "1 while Kubo is not asked because it failed several times in a row."),
        requests,
        counter(Metric::spans,
                "ipfs_compute_spans_total",
                "Spans that the traces' collector was told, and those that it could not be.",
                {"outcome", {"told", "dropped"}}),
        counter(Metric::log_lines_dropped,
                "ipfs_compute_log_lines_dropped_total",
                "Log lines that nobody read in time."),
    };
}

std::vector<Family> made() {
    std::vector<Family> all;
    for (std::vector<Family>& part : std::array{of_jobs(),
                                                of_leases(),
                                                of_runs(),
                                                of_executors(),
                                                of_messages(),
                                                of_blocks(),
                                                of_surroundings()}) {
        for (Family& family : part) {
            const auto at = static_cast<std::size_t>(family.metric);
            all.resize(std::max(all.size(), at + 1));
            all[at] = std::move(family);
        }
    }
    return all;
}

} // namespace

std::string_view name(Kind kind) {
    constexpr std::array<std::string_view, 3> names{"counter", "gauge", "histogram"};
    return names.at(static_cast<std::size_t>(kind));
}

std::span<const Family> catalogue() {
    static const std::vector<Family> all = made(); // A constant.
    return all;
}

std::string_view name(Metric metric) { return catalogue()[static_cast<std::size_t>(metric)].name; }

std::span<const double> second_bounds() {
    // From what a message within the process takes to what a whole job may.
    static constexpr std::array<double, 14> bounds{
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60, 600};
    return bounds;
}

} // namespace ic::metrics
