#include "base/time.h"
#include "cli/commands.h"
#include "simulation/chart.h"
#include "simulation/simulation.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

using simulation::Outcome;
using simulation::per_job;
using simulation::Point;

struct Flags {
    std::string nodes = "10,100,1000,10000,100000,1000000";
    std::string loss = "0";
    std::string churn = "0";
    unsigned jobs = 100;
    unsigned jobs_per_s = 5;
    unsigned coordinators = 10;
    unsigned slots = 1;
    unsigned run_ms = 1'000;
    unsigned delay_ms = 20;
    unsigned busy = 0;
    unsigned doubling = 0;
    unsigned mesh = 6;
    unsigned bidders = 16;
    unsigned probes = 2;
    std::uint64_t seed = 1;
    bool svg = false;
    bool markdown = false;
};

/// The numbers of "10,100,1000".
Result<std::vector<std::uint32_t>> numbers(const std::string& text, const std::string& flag) {
    std::vector<std::uint32_t> list;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (true) {
        std::uint32_t value = 0;
        const auto read = std::from_chars(at, end, value);
        if (read.ec != std::errc{} || (read.ptr != end && *read.ptr != ',')) {
            return Error{Errc::usage,
                         flag + ": '" + text + "' is no list of numbers such as 10,100,1000"};
        }
        list.push_back(value);
        if (read.ptr == end) {
            return list;
        }
        at = read.ptr + 1;
    }
}

double percent(unsigned value) { return static_cast<double>(value) / 100; }

simulation::Options row_of(const Flags& flags) {
    return {.coordinators = flags.coordinators,
            .slots = flags.slots,
            .jobs = flags.jobs,
            .jobs_per_s = static_cast<double>(flags.jobs_per_s),
            .run = std::chrono::milliseconds{flags.run_ms},
            .delay = std::chrono::milliseconds{flags.delay_ms},
            .doubling = percent(flags.doubling),
            .busy = percent(flags.busy),
            .mesh = flags.mesh,
            .bidders = flags.bidders,
            .probes = flags.probes,
            .seed = flags.seed};
}

/// A row a churn, loss and size, in this order; all checked before the first is simulated.
Result<std::vector<simulation::Options>> rows_of(const Flags& flags) {
    std::vector<simulation::Options> rows;
    const auto all_nodes = TRY(numbers(flags.nodes, "--nodes"));
    const auto all_losses = TRY(numbers(flags.loss, "--loss"));
    const auto all_churns = TRY(numbers(flags.churn, "--churn"));
    for (const std::uint32_t churn : all_churns) {
        for (const std::uint32_t loss : all_losses) {
            for (const std::uint32_t nodes : all_nodes) {
                simulation::Options row = row_of(flags);
                row.nodes = nodes;
                row.loss = percent(loss);
                row.churn = percent(churn);
                TRY(simulation::check(row));
                rows.push_back(row);
            }
        }
    }
    return rows;
}

/// `text` at the right of so many columns.
std::string column(const std::string& text, std::size_t width) {
    return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string fixed(double value, int digits) {
    std::array<char, 64> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
    return {buffer.data(), static_cast<std::size_t>(size)};
}

const std::string heading =
    "  nodes  loss  churn   done  failed  runs/job  at once  start ms  (p95)   end ms  (p95)"
    "  direct/job  adverts/job  broadcasts/job  copies/job/node\n";

std::string line(const Point& point) {
    const Outcome& outcome = point.outcome;
    const double copies = per_job(outcome.copies, outcome) / point.options.nodes;
    return column(std::to_string(point.options.nodes), 7) +
           column(fixed(100 * point.options.loss, 0) + " %", 6) +
           column(fixed(100 * point.options.churn, 0) + " %", 7) +
           column(std::to_string(outcome.done), 7) + column(std::to_string(outcome.failed), 8) +
           column(fixed(per_job(outcome.runs, outcome), 2), 10) +
           column(std::to_string(outcome.at_once_max), 9) +
           column(fixed(outcome.started.median_ms, 0), 10) +
           column(fixed(outcome.started.p95_ms, 0), 7) +
           column(fixed(outcome.ended.median_ms, 0), 9) +
           column(fixed(outcome.ended.p95_ms, 0), 7) +
           column(fixed(per_job(outcome.direct, outcome), 1), 12) +
           column(fixed(per_job(outcome.adverts, outcome), 1), 13) +
           column(fixed(per_job(outcome.broadcasts, outcome), 2), 16) +
           column(fixed(copies, 2), 17) + "\n";
}

const std::string markdown_heading =
    "| nodes | loss | churn | runs/job | start ms (p95) | end ms (p95) | direct/job | adverts/job |"
    " broadcasts/job | copies/job/node |\n"
    "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";

/// "12,345".
std::string grouped(double value) {
    std::string text = fixed(value, 0);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, 1, ',');
    }
    return text;
}

std::string grouped(const simulation::Spread& spread) {
    return grouped(spread.median_ms) + " (" + grouped(spread.p95_ms) + ")";
}

std::string markdown_line(const Point& point) {
    const Outcome& outcome = point.outcome;
    const double copies = per_job(outcome.copies, outcome) / point.options.nodes;
    std::string text = "|";
    for (const std::string& cell : {grouped(point.options.nodes),
                                    fixed(100 * point.options.loss, 0) + " %",
                                    fixed(100 * point.options.churn, 0) + " %",
                                    fixed(per_job(outcome.runs, outcome), 2),
                                    grouped(outcome.started),
                                    grouped(outcome.ended),
                                    fixed(per_job(outcome.direct, outcome), 1),
                                    fixed(per_job(outcome.adverts, outcome), 1),
                                    fixed(per_job(outcome.broadcasts, outcome), 2),
                                    fixed(copies, 2)}) {
        text.append(" ").append(cell).append(" |");
    }
    return text + "\n";
}

nlohmann::json spread_json(const simulation::Spread& spread) {
    return {{"median_ms", spread.median_ms}, {"p95_ms", spread.p95_ms}, {"max_ms", spread.max_ms}};
}

std::string json_line(const Point& point) {
    const Outcome& outcome = point.outcome;
    const nlohmann::json json{{"nodes", point.options.nodes},
                              {"loss", point.options.loss},
                              {"churn", point.options.churn},
                              {"seed", point.options.seed},
                              {"jobs", outcome.jobs},
                              {"done", outcome.done},
                              {"failed", outcome.failed},
                              {"runs", outcome.runs},
                              {"runs_per_job", per_job(outcome.runs, outcome)},
                              {"at_once_max", outcome.at_once_max},
                              {"started", spread_json(outcome.started)},
                              {"ended", spread_json(outcome.ended)},
                              {"direct_per_job", per_job(outcome.direct, outcome)},
                              {"adverts_per_job", per_job(outcome.adverts, outcome)},
                              {"broadcasts_per_job", per_job(outcome.broadcasts, outcome)},
                              {"copies_per_job", per_job(outcome.copies, outcome)},
                              {"machines_max", outcome.machines_max},
                              {"events", outcome.events}};
    return json.dump() + "\n";
}

/// One line on a terminal, which is wiped at the end of a row.
class RowProgress {
public:
    RowProgress(Streams& streams, const simulation::Options& row)
        : streams_(streams)
        , row_(row)
        , drawn_(now_since_boot()) {}
    RowProgress(const RowProgress&) = delete;

    ~RowProgress() {
        if (is_shown_) {
            streams_.note("\r\x1b[K");
        }
    }

    void ended(const simulation::Progress& progress) {
        const Instant now = now_since_boot();
        if (!streams_.err_is_terminal() || now - drawn_ < std::chrono::milliseconds(100)) {
            return;
        }
        drawn_ = now;
        is_shown_ = true;
        streams_.note("\r\x1b[K" + std::to_string(row_.nodes) + " nodes, " +
                      fixed(100 * row_.loss, 0) +
                      " % loss: " + std::to_string(progress.jobs_ended) + " of " +
                      std::to_string(progress.jobs) + " jobs");
    }

private:
    Streams& streams_;
    const simulation::Options& row_;
    Instant drawn_;
    bool is_shown_ = false;
};

/// What is printed of one row once it is simulated: in a picture nothing yet.
std::string row_text(const Context& context, const Flags& flags, const Point& point) {
    if (flags.svg) {
        return {};
    }
    if (context.json) {
        return json_line(point);
    }
    return flags.markdown ? markdown_line(point) : line(point);
}

Result<int> simulate(Context& context, const Flags& flags) {
    if (int{flags.svg} + int{flags.markdown} + int{context.json} > 1) {
        return Error{Errc::usage, "--svg, --markdown and --json exclude one another"};
    }
    const std::vector<simulation::Options> rows = TRY(rows_of(flags));
    std::vector<Point> points;
    if (!flags.svg && !context.json) {
        TRY(context.streams.print(flags.markdown ? markdown_heading : heading));
    }
    for (const simulation::Options& row : rows) {
        RowProgress progress(context.streams, row);
        points.push_back(
            {row, simulation::simulate(row, [&progress](const simulation::Progress& at) {
                 progress.ended(at);
             })});
        TRY(context.streams.print(row_text(context, flags, points.back())));
        TRY(context.streams.flush());
    }
    if (flags.svg) {
        TRY(context.streams.print(simulation::chart(points)));
    }
    return 0;
}

} // namespace

void add_simulate(Command& app, Context& context) {
    Command* command = app.add_subcommand(
        "simulate", "Compute how the protocol does on networks of up to a million nodes");
    auto flags = std::make_shared<Flags>(); // Kept by the action.
    const auto number = [command](const char* name, unsigned& value, const char* help) {
        return command->add_option(name, value, help)->type_name("N")->capture_default_str();
    };
    command->add_option("--nodes", flags->nodes, "Sizes of the network, a row each")
        ->type_name("N,N...")
        ->capture_default_str();
    command->add_option("--loss", flags->loss, "Messages lost, percent; rows for each")
        ->type_name("P,P...")
        ->capture_default_str();
    command->add_option("--churn", flags->churn, "Workers that go in a minute, percent; likewise")
        ->type_name("P,P...")
        ->capture_default_str();
    number("--busy", flags->busy, "Workers that other work keeps, percent");
    number("--doubling", flags->doubling, "Messages that come twice, percent");
    number("--jobs", flags->jobs, "Jobs a row");
    number("--rate", flags->jobs_per_s, "Jobs submitted in a second");
    number("--coordinators", flags->coordinators, "Nodes that jobs are submitted to");
    number("--slots", flags->slots, "Jobs that a worker runs at once");
    number("--run", flags->run_ms, "Mean length of a run, ms");
    number("--delay", flags->delay_ms, "Mean time of a message over a link, ms");
    number("--mesh", flags->mesh, "Peers to which a node passes broadcasts on");
    number("--bidders", flags->bidders, "Workers called by a first announcement; 0: all");
    number("--probes", flags->probes, "Idle workers asked before a job is announced");
    command->add_option("--seed", flags->seed, "Same seed, same result")
        ->type_name("N")
        ->capture_default_str();
    command->add_flag("--svg", flags->svg, "Print a picture instead of a table");
    command->add_flag("--markdown", flags->markdown, "Print the table as Markdown");
    context.add_json(*command);
    command->footer("Nothing is sent: the network is a model, the protocol's machines are real.\n\n"
                    "Examples:\n"
                    "  ipfs-compute simulate\n"
                    "  ipfs-compute simulate --nodes 1000,100000 --loss 0,10,30 --churn 50\n"
                    "  ipfs-compute simulate --loss 0,10,30 --churn 0,50 --svg > simulation.svg");
    context.on_run(*command, [&context, flags] { return simulate(context, *flags); });
}

} // namespace ic::cli
