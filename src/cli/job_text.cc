#include "cli/job_text.h"

#include "base/quantity.h"
#include "base/text.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace ic::cli {
namespace {

using nlohmann::json;

json cid_or_null(const std::optional<Cid>& cid) { return cid ? json(cid->to_string()) : json(); }

json errc_or_null(const std::optional<Errc>& error) {
    return error ? json(std::string(name(*error))) : json();
}

json labels_json(const ledger::Labels& labels) {
    json all = json::object();
    for (const auto& [key, value] : labels) {
        all[key] = value;
    }
    return all;
}

std::optional<job::SignedReceipt> accepted_receipt(const ledger::JobDetail& detail) {
    for (const ledger::ReceiptRow& row : detail.receipts) {
        if (row.fate != job::ReceiptFate::accepted) {
            continue;
        }
        if (Result<job::SignedReceipt> read = job::read_receipt(row.receipt)) {
            return std::move(read).take();
        }
    }
    return std::nullopt;
}

std::string short_instance(const job::Instance& instance) {
    return instance.to_string().substr(0, 8);
}

/// What lease::Verdict's words mean, where the coordinator had no more to say.
std::string explained(std::string_view verdict) {
    if (verdict == "finished") {
        return "its receipt was taken";
    }
    if (verdict == "granted") {
        return "it was given the job, and no receipt of it was taken";
    }
    if (verdict == "not-chosen") {
        return "it had a free slot, another worker was given the job";
    }
    if (verdict == "no-bid") {
        return "it had offered no free slot when the job was given away";
    }
    return {};
}

/// What the guest wrote.
std::string rows_of_streams(const job::Receipt& receipt) {
    const auto cid_row = [](const std::string& key, const std::optional<Cid>& cid) {
        return row_text(key, cid ? cid->to_string() : "none");
    };
    return cid_row("Output", receipt.output) + cid_row("Errors", receipt.errors) +
           cid_row("Log", receipt.log);
}

} // namespace

std::string row_text(const std::string& key, const std::string& value) {
    std::string line = key + ":";
    line.resize(std::max<std::size_t>(line.size() + 1, 14), ' ');
    return line + value + "\n";
}

json to_json(const job::Ending& ending) {
    return {
        {"ok", ending.ok()},
        {"error", errc_or_null(ending.error)},
        {"message", ending.message},
        {"exit_status", ending.exit_status},
        {"value", ending.value ? json(*ending.value) : json()},
    };
}

json to_json(const job::Usage& usage) {
    return {
        {"fetch_us", usage.fetch_us},
        {"compile_us", usage.compile_us},
        {"run_us", usage.run_us},
        {"publish_us", usage.publish_us},
        {"cpu_us", usage.cpu_us},
        {"fuel", usage.fuel},
        {"memory_bytes_peak", usage.memory_bytes_peak},
        {"bytes_read", usage.bytes_read},
        {"bytes_added", usage.bytes_added},
        {"host_calls", usage.host_calls},
    };
}

json to_json(const job::SignedReceipt& signed_receipt) {
    const job::Receipt& receipt = signed_receipt.receipt;
    return {
        {"cid", signed_receipt.cid.to_string()},
        {"worker", receipt.worker.to_did()},
        {"instance", receipt.instance.to_string()},
        {"job", receipt.job.to_string()},
        {"task", receipt.task.to_string()},
        {"computation", receipt.computation.to_string()},
        {"epoch", receipt.epoch.to_string()},
        {"ending", to_json(receipt.ending)},
        {"output", cid_or_null(receipt.output)},
        {"errors", cid_or_null(receipt.errors)},
        {"log", cid_or_null(receipt.log)},
        {"usage", to_json(receipt.usage)},
        {"software", receipt.software},
        {"finished_at", receipt.finished_at.value},
        {"providers", receipt.providers},
    };
}

json to_json(const job::Invocation& invocation) {
    const job::JobSpec& spec = invocation.spec;
    json environment = json::object();
    for (const auto& [key, value] : spec.environment) {
        environment[key] = value;
    }
    json inputs = json::object();
    for (const auto& [key, cid] : spec.inputs) {
        inputs[key] = cid.to_string();
    }
    json imports = json::object();
    for (const auto& [key, cid] : spec.imports) {
        imports[key] = cid.to_string();
    }
    json constraints = json::array();
    for (const job::Constraint& constraint : spec.constraints) {
        constraints.push_back(job::to_string(constraint));
    }
    return {
        {"issuer", invocation.issuer.to_did()},
        {"audience", invocation.audience.to_did()},
        {"module", spec.module.to_string()},
        {"imports", imports},
        {"handler", spec.handler},
        {"arguments", spec.arguments},
        {"environment", environment},
        {"event", cid_or_null(spec.event)},
        {"inputs", inputs},
        {"allow_hosts", spec.allow_hosts},
        {"constraints", constraints},
        {"effects", spec.effects == job::Effects::pure ? "pure" : "impure"},
        {"nonce", to_hex(invocation.nonce)},
        {"priority", invocation.priority},
        {"labels", labels_json(invocation.labels)},
        {"providers", invocation.providers},
        {"limits",
         {{"module_bytes_max", spec.limits.module_bytes_max},
          {"compile_ms_max", spec.limits.compile_ms_max},
          {"compile_memory_bytes_max", spec.limits.compile_memory_bytes_max},
          {"memory_bytes_max", spec.limits.memory_bytes_max},
          {"table_elements_max", spec.limits.table_elements_max},
          {"wall_ms_max", spec.limits.wall_ms_max},
          {"cpu_ms_max", spec.limits.cpu_ms_max},
          {"fuel_max", spec.limits.fuel_max},
          {"output_bytes_max", spec.limits.output_bytes_max},
          {"log_bytes_max", spec.limits.log_bytes_max},
          {"add_bytes_max", spec.limits.add_bytes_max},
          {"handles_max", spec.limits.handles_max},
          {"host_calls_max", spec.limits.host_calls_max},
          {"curls_max", spec.limits.curls_max}}},
        {"timeouts",
         {{"queue_ms_max", invocation.timeouts.queue_ms_max},
          {"claim_ms_max", invocation.timeouts.claim_ms_max},
          {"fetch_ms_max", invocation.timeouts.fetch_ms_max},
          {"publish_ms_max", invocation.timeouts.publish_ms_max},
          {"total_ms_max", invocation.timeouts.total_ms_max},
          {"retries_max", invocation.timeouts.attempts_max}}},
    };
}

json to_json(const ledger::JobRow& row) {
    return {
        {"job", row.ids.job.to_string()},
        {"task", row.ids.task.to_string()},
        {"computation", row.ids.computation.to_string()},
        {"submitter", row.submitter.to_did()},
        {"state", std::string(name(row.state))},
        {"attempts", row.attempts},
        {"priority", row.priority},
        {"labels", labels_json(row.labels)},
        {"error", errc_or_null(row.error)},
        {"message", row.message},
        {"from_memo", row.from_memo},
        {"accepted_at", utc_text(row.accepted_at)},
        {"ended_at", row.ended_at ? json(utc_text(*row.ended_at)) : json()},
        {"cursor", row.sequence},
    };
}

json to_json(const ledger::JobDetail& detail) {
    json all = to_json(detail.row);
    const Result<job::SignedInvocation> invocation = job::read_invocation(detail.invocation);
    all["invocation"] = invocation ? to_json(invocation->invocation) : json();
    json stages = json::array();
    for (const StageLine& line : stages_of(detail)) {
        stages.push_back({{"stage", line.stage},
                          {"after_ms", line.after_ms ? json(*line.after_ms) : json()},
                          {"took_us", line.took_us ? json(*line.took_us) : json()},
                          {"detail", line.detail}});
    }
    all["stages"] = stages;
    json workers = json::array();
    for (const ledger::WorkerConsidered& worker : detail.considered) {
        workers.push_back({{"worker", worker.worker.key.to_did()},
                           {"instance", worker.worker.instance.to_string()},
                           {"verdict", worker.reason},
                           {"message", worker.message}});
    }
    all["workers"] = workers;
    const auto receipt = accepted_receipt(detail);
    all["receipt"] = receipt ? to_json(*receipt) : json();
    return all;
}

std::string summary_of(const job::Ending& ending) {
    if (ending.error) {
        return std::string(name(*ending.error)) + ": " + printable(ending.message);
    }
    return ending.exit_status == 0 ? "success" : "exit " + std::to_string(ending.exit_status);
}

std::vector<StageLine> stages_of(const ledger::JobDetail& detail) {
    const std::int64_t start = detail.row.accepted_at.value;
    std::vector<StageLine> lines;
    lines.push_back({"accepted", 0, std::nullopt, ""});
    for (const ledger::GrantRow& grant : detail.grants) {
        lines.push_back(
            {"granted",
             grant.at.value - start,
             std::nullopt,
             "to " + short_instance(grant.worker.instance) + ", epoch " + grant.epoch.to_string()});
    }
    for (const ledger::StageReached& reached : detail.stages) {
        if (reached.stage > job::Stage::granted && reached.stage < job::Stage::finished) {
            lines.push_back({std::string(name(reached.stage)),
                             reached.at.value - start,
                             std::nullopt,
                             "attempt " + std::to_string(reached.attempt)});
        }
    }
    const auto receipt = accepted_receipt(detail);
    if (receipt && !detail.row.from_memo) {
        const job::Usage& usage = receipt->receipt.usage;
        const auto took = [&](const char* stage, std::uint64_t us) {
            lines.push_back({stage, std::nullopt, static_cast<std::int64_t>(us), "measured"});
        };
        took("fetching", usage.fetch_us);
        took("compiling", usage.compile_us);
        took("running", usage.run_us);
        took("publishing", usage.publish_us);
    }
    if (detail.row.ended_at) {
        lines.push_back({std::string(name(detail.row.state)),
                         detail.row.ended_at->value - start,
                         std::nullopt,
                         detail.row.from_memo ? "answered from an earlier receipt" : ""});
    }
    return lines;
}

std::string utc_text(ledger::UnixMillis at) {
    const std::time_t seconds = static_cast<std::time_t>(at.value / 1000);
    std::tm broken_down{};
    ::gmtime_r(&seconds, &broken_down);
    std::array<char, 40> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &broken_down);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(),
                  fraction.size(),
                  ".%03dZ",
                  static_cast<int>(at.value % 1000 + 1000) % 1000);
    return std::string(text.data()) + fraction.data();
}

std::string describe(const ledger::JobDetail& detail) {
    const ledger::JobRow& row = detail.row;
    std::string text = row_text("Job", row.ids.job.to_string());
    text += row_text("State", std::string(name(row.state)));
    if (const auto invocation = job::read_invocation(detail.invocation)) {
        const job::JobSpec& spec = invocation->invocation.spec;
        text += row_text("Module", spec.module.to_string());
        for (const auto& [key, cid] : spec.imports) {
            text += row_text("Import", printable(key) + "=" + cid.to_string());
        }
        text += row_text("Handler", printable(spec.handler));
        text += row_text("Effects", spec.effects == job::Effects::pure ? "pure" : "impure");
        for (const job::Constraint& constraint : spec.constraints) {
            text += row_text("Constraint", job::to_string(constraint));
        }
    }
    text += row_text("Task", row.ids.task.to_string());
    text += row_text("Computation", row.ids.computation.to_string());
    text += row_text("Submitter", row.submitter.to_did());
    for (const auto& [key, value] : row.labels) {
        text += row_text("Label", printable(key) + "=" + printable(value));
    }
    text += row_text("Accepted", utc_text(row.accepted_at));
    text += row_text("Attempts", std::to_string(row.attempts));
    if (row.error) {
        text += row_text("Error", std::string(name(*row.error)) + ": " + printable(row.message));
    }
    text += "Stages:\n";
    for (const StageLine& line : stages_of(detail)) {
        std::string when = line.after_ms ? "+" + std::to_string(*line.after_ms) + " ms"
                           : line.took_us
                               ? "took " + human_duration(std::chrono::microseconds{*line.took_us})
                               : "";
        when.resize(std::max<std::size_t>(when.size() + 1, 16), ' ');
        std::string stage = line.stage;
        stage.resize(std::max<std::size_t>(stage.size() + 1, 12), ' ');
        std::string whole = "  " + stage + when + line.detail;
        whole.erase(whole.find_last_not_of(' ') + 1);
        text += whole + "\n";
    }
    text += "Workers:\n";
    for (const ledger::WorkerConsidered& worker : detail.considered) {
        const std::string why =
            worker.message.empty() ? explained(worker.reason) : printable(worker.message);
        text += "  " + short_instance(worker.worker.instance) + "  " + printable(worker.reason) +
                (why.empty() ? "" : ": " + why) + "\n";
    }
    if (const auto receipt = accepted_receipt(detail)) {
        text += row_text("Ending", summary_of(receipt->receipt.ending));
        text += row_text("Receipt", receipt->cid.to_string());
        text += rows_of_streams(receipt->receipt);
    }
    return text;
}

std::string describe(const job::SignedReceipt& signed_receipt, bool is_trusted) {
    const job::Receipt& receipt = signed_receipt.receipt;
    std::string text = row_text("Receipt", signed_receipt.cid.to_string());
    text += row_text("Worker",
                     receipt.worker.to_did() + (is_trusted ? ", trusted" : ", not trusted here"));
    text += row_text("Job", receipt.job.to_string());
    text += row_text("Task", receipt.task.to_string());
    text += row_text("Computation", receipt.computation.to_string());
    text += row_text("Epoch", receipt.epoch.to_string());
    text += row_text("Finished", utc_text({receipt.finished_at.value * 1000}));
    text += row_text("Software", printable(receipt.software));
    text += row_text("Ending", summary_of(receipt.ending));
    if (receipt.ending.value) {
        text += row_text("Value", std::to_string(*receipt.ending.value));
    }
    text += rows_of_streams(receipt);
    for (const std::string& provider : receipt.providers) {
        text += row_text("Provider", provider);
    }
    return text;
}

} // namespace ic::cli
