/// docs/limits.md says what job::Limits and default_policy say, and this is what keeps it so.

#include "blockstore/gateway/gateway_source.h"
#include "blockstore/read_ahead.h"
#include "car_store/dag_reader.h"
#include "executor/channel/walls.h"
#include "executor/process/artifact_cache.h"
#include "executor/process/cgroup.h"
#include "executor/process/pool.h"
#include "executor/wasm/limits.h"
#include "exporter/save.h"
#include "ipld/block.h"
#include "job/spec.h"
#include "job/testing/vectors.h"
#include "lease/options.h"
#include "ledger/records.h"
#include "wiring/kubo_dialler.h"
#include "wiring/providers.h"
#include "wiring/workshop.h"
#include "worker/active_run.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace ic::wiring {
namespace {

/// "1,000,000".
std::string count_text(std::uint64_t count) {
    const std::string digits = std::to_string(count);
    std::string text;
    for (std::size_t at = 0; at < digits.size(); ++at) {
        if (at != 0 && (digits.size() - at) % 3 == 0) {
            text.push_back(',');
        }
        text.push_back(digits[at]);
    }
    return text;
}

/// Exact: the largest unit of which it is a whole number.
std::string bytes_text(std::uint64_t bytes) {
    std::size_t unit = 0;
    const std::vector<std::string> units{" B", " KiB", " MiB", " GiB", " TiB"};
    for (; bytes != 0 && bytes % 1024 == 0 && unit + 1 < units.size(); bytes /= 1024) {
        ++unit;
    }
    return std::to_string(bytes) + units[unit];
}

/// Exact; minutes from two on, so that "60 s" stays that.
std::string time_text(std::uint64_t ms) {
    EXPECT_EQ(ms % 1000, 0U);
    const std::uint64_t seconds = ms / 1000;
    if (seconds % 3600 == 0) {
        return std::to_string(seconds / 3600) + " h";
    }
    return seconds % 60 == 0 && seconds > 60 ? std::to_string(seconds / 60) + " min"
                                             : std::to_string(seconds) + " s";
}

/// The rows of all tables, by their first cell.
std::map<std::string, std::vector<std::string>> rows_of_page() {
    std::map<std::string, std::vector<std::string>> rows;
    std::istringstream page(job::testing::read_text("docs/limits.md"));
    for (std::string line; std::getline(page, line);) {
        if (!line.starts_with("| ")) {
            continue;
        }
        std::vector<std::string> cells;
        std::istringstream text(line.substr(1));
        for (std::string cell; std::getline(text, cell, '|');) {
            const std::size_t first = cell.find_first_not_of(' ');
            cells.push_back(first == std::string::npos
                                ? ""
                                : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
        }
        std::string key = cells.front();
        EXPECT_TRUE(rows.emplace(key, std::move(cells)).second || key == "limit") << line;
    }
    return rows;
}

class LimitsPage : public testing::Test {
protected:
    /// The cells that follow the row's name.
    void expect_row(const std::string& name, const std::vector<std::string>& expected) {
        const auto row = rows_.find(name);
        ASSERT_NE(row, rows_.end()) << "docs/limits.md has no row '" << name << "'";
        ASSERT_GT(row->second.size(), expected.size()) << name;
        const std::vector<std::string> found(row->second.begin() + 1,
                                             row->second.begin() + 1 +
                                                 static_cast<std::ptrdiff_t>(expected.size()));
        EXPECT_EQ(found, expected) << name;
    }

    const std::map<std::string, std::vector<std::string>> rows_ = rows_of_page();
};

TEST_F(LimitsPage, SaysTheLimitsOfARunAndANodesMaxima) {
    const job::Limits own;
    const job::Limits most = default_policy({}).maxima;
    expect_row("module size",
               {bytes_text(own.module_bytes_max), bytes_text(most.module_bytes_max)});
    expect_row("compile time", {time_text(own.compile_ms_max), time_text(most.compile_ms_max)});
    expect_row(
        "compile memory",
        {bytes_text(own.compile_memory_bytes_max), bytes_text(most.compile_memory_bytes_max)});
    expect_row("linear memory",
               {bytes_text(own.memory_bytes_max), bytes_text(most.memory_bytes_max)});
    expect_row("elements of a table",
               {count_text(own.table_elements_max), count_text(most.table_elements_max)});
    expect_row("wall time of the run stage, one attempt",
               {time_text(own.wall_ms_max), time_text(most.wall_ms_max)});
    expect_row("standard output and error together",
               {bytes_text(own.output_bytes_max), bytes_text(most.output_bytes_max)});
    expect_row("log", {bytes_text(own.log_bytes_max), bytes_text(most.log_bytes_max)});
    expect_row("bytes added", {bytes_text(own.add_bytes_max), bytes_text(most.add_bytes_max)});
    expect_row("handles open at once", {count_text(own.handles_max), count_text(most.handles_max)});
    expect_row("HTTP responses open at once",
               {count_text(own.curls_max), count_text(most.curls_max)});
    expect_row("calls of host functions",
               {count_text(own.host_calls_max), count_text(most.host_calls_max)});
    // 0 stands for the words in the page.
    EXPECT_EQ(own.cpu_ms_max, 0U);
    EXPECT_EQ(most.cpu_ms_max, 0U);
    expect_row("processor time", {"as the wall time", "as the wall time"});
    EXPECT_EQ(own.fuel_max, 0U);
    EXPECT_EQ(most.fuel_max, 0U);
    expect_row("fuel", {"not metered", "no bound"});
}

// Each limit of a run: its flag is one of `submit`'s page, its error one of ours, and its test is
// there.
TEST_F(LimitsPage, NamesForEachLimitAFlagAnErrorAndATest) {
    constexpr std::size_t columns = 6;
    constexpr std::size_t limits_of_a_run = 15;
    const std::string flags = job::testing::read_text("docs/commands/submit.md");
    const std::string tests = job::testing::read_text("src/executor/wasm/exact_limits_test.cc") +
                              job::testing::read_text("tests/executor/"
                                                      "executor_process_system_test.cc");
    std::size_t found = 0;
    for (const auto& [name, cells] : rows_) {
        if (cells.size() != columns || name == "limit") {
            continue;
        }
        ++found;
        const std::string& flag = cells[3];
        if (flag != "none") {
            ASSERT_GT(flag.size(), 2U) << name;
            EXPECT_NE(flags.find(flag.substr(0, flag.size() - 1)), std::string::npos) << flag;
        }
        bool is_code = false;
        for (std::uint64_t number = 1; errc_of(number); ++number) {
            is_code = is_code || cells[4] == "`" + std::string(ic::name(*errc_of(number))) + "`";
        }
        EXPECT_TRUE(is_code) << name << ": " << cells[4];
        const std::size_t dot = cells[5].find('.');
        ASSERT_NE(dot, std::string::npos) << name << " has no test";
        const std::string suite = cells[5].substr(1, dot - 1);
        const std::string law = cells[5].substr(dot + 1, cells[5].size() - dot - 2);
        EXPECT_NE(tests.find("(" + suite + ", " + law + ") {"), std::string::npos) << cells[5];
    }
    EXPECT_EQ(found, limits_of_a_run);
}

TEST_F(LimitsPage, SaysTheTimesOfStages) {
    const job::StageTimeouts times;
    expect_row("waiting for a worker", {time_text(times.queue_ms_max)});
    expect_row("from a bid to a running lease, one attempt", {time_text(times.claim_ms_max)});
    expect_row("module and event present and verified", {time_text(times.fetch_ms_max)});
    expect_row("results stored", {time_text(times.publish_ms_max)});
    expect_row("all stages and attempts", {time_text(times.total_ms_max)});
    EXPECT_NE(job::testing::read_text("docs/limits.md")
                  .find(std::to_string(times.attempts_max) + " times at most (`--retries`)"),
              std::string::npos);
}

TEST_F(LimitsPage, SaysHowLargeTheDocumentsMayBe) {
    expect_row("an invocation", {bytes_text(job::limits::invocation_bytes_max)});
    expect_row("arguments", {count_text(job::limits::arguments_max)});
    expect_row("variables", {count_text(job::limits::environment_max)});
    expect_row("inputs", {count_text(job::limits::inputs_max)});
    expect_row("imports", {count_text(job::limits::imports_max)});
    expect_row("an import's name", {bytes_text(job::limits::import_name_bytes_max)});
    expect_row("hosts", {count_text(job::limits::allow_hosts_max)});
    expect_row("constraints; values of one",
               {count_text(job::limits::constraints_max) + "; " +
                count_text(job::limits::constraint_values_max)});
    expect_row("labels", {count_text(job::limits::labels_max)});
    expect_row("one argument, name, value, host or label",
               {bytes_text(job::limits::text_bytes_max)});
    expect_row("the handler's name", {bytes_text(job::limits::handler_bytes_max)});
}

TEST_F(LimitsPage, SaysWhatIsTheNodes) {
    const lease::CoordinatorOptions coordinator;
    const executor::process::PoolOptions pool;
    expect_row("runs of one executor process", {count_text(pool.runs_per_process_max)});
    expect_row("memory of an executor after a run", {bytes_text(pool.resident_bytes_max)});
    expect_row("modules loaded in an executor", {count_text(pool.modules_per_process_max)});
    expect_row("machine code of modules loaded in an executor",
               {bytes_text(pool.module_bytes_per_process_max)});
    expect_row("descriptors of an executor or compiler",
               {count_text(executor::channel::limits::open_files_max)});
    expect_row("files that a guest adds at once",
               {count_text(executor::wasm::limits::adds_open_max)});
    expect_row("text of a listing; of all that are open",
               {bytes_text(executor::wasm::limits::listing_bytes_max) + "; " +
                bytes_text(executor::wasm::limits::listings_bytes_max)});
    expect_row("blocks and links of files that are open",
               {bytes_text(executor::wasm::limits::files_bytes_max)});
    const executor::process::ArtifactCacheOptions artifacts;
    expect_row("artifacts in a broker's memory",
               {bytes_text(artifacts.memory_bytes_max) + ", " +
                count_text(artifacts.memory_artifacts_max) + " artifacts"});
    expect_row("of a run, shown while it runs, that waits",
               {bytes_text(worker::limits::live_bytes_max) + ", a piece or line " +
                bytes_text(worker::limits::live_piece_bytes) + " on top"});
    expect_row("tables of a run, of all its modules",
               {count_text(executor::wasm::limits::tables_max)});
    expect_row("memory of all executors and compilers",
               {std::to_string(executor::process::limits::group_memory_percent) +
                " % of the broker's group's or the machine's, no swap"});
    expect_row("processes and threads of all executors and compilers",
               {std::to_string(executor::process::limits::group_tasks_per_slot) +
                " a slot, and one a core of each"});
    expect_row("stack",
               {bytes_text(executor::wasm::limits::wasm_stack_bytes_max),
                bytes_text(executor::wasm::limits::wasm_stack_bytes_max)});
    expect_row("a block", {bytes_text(ic::limits::block_bytes_max)});
    expect_row("a message on the bus", {bytes_text(job::limits::message_bytes_max)});
    expect_row("Kubos of paired machines that are dialled at once; one of them",
               {count_text(limits::kubo_dials_at_once_max) + "; " +
                time_text(static_cast<std::uint64_t>(limits::dial_time_max.count()))});
    expect_row("gateways", {count_text(ic::limits::gateways_max)});
    expect_row("links of a CAR from a gateway that wait at once",
               {count_text(car::limits::awaited_blocks_max)});
    expect_row("bytes of such a CAR that bring nothing new, in a row",
               {bytes_text(car::limits::repeated_bytes_max)});
    expect_row("what comes whole from a Kubo",
               {bytes_text(car_store::limits::whole_dag_bytes_max)});
    expect_row("a CAR from a Kubo beyond what was asked for",
               {bytes_text(car_store::limits::car_bytes_more_max) + ", " +
                count_text(car_store::limits::car_blocks_max) + " blocks in all"});
    expect_row("read ahead", {count_text(ReadAheadOptions{}.blocks_max) + " blocks"});
    expect_row("folders within folders that `get` makes",
               {count_text(exporter::limits::folders_deep_max)});
    expect_row("jobs open at one coordinator",
               {count_text(coordinator.jobs_open_max) + ", " +
                bytes_text(coordinator.invocation_bytes_open_max) + " of invocations"});
    expect_row("ended jobs kept",
               {count_text(ledger::limits::ended_jobs_max) + ", " +
                std::to_string(ledger::limits::ended_age_ms_max / 86'400'000) + " days"});
}

} // namespace
} // namespace ic::wiring
