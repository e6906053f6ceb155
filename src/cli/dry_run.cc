#include "cli/dry_run.h"

#include "base/quantity.h"
#include "base/text.h"
#include "cli/job_text.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace ic::cli {
namespace {

constexpr std::uint64_t scratch_bytes_max = std::uint64_t{256} << 20U;

/// "256 MiB", "1 min", as the key says what it counts.
std::string amount_of(std::string_view key, std::uint64_t value) {
    if (value == 0 && key == "fuel_max") {
        return "not metered";
    }
    if (value == 0 && key == "cpu_ms_max") {
        return "as wall_ms_max";
    }
    if (key.ends_with("_bytes_max")) {
        return human_bytes(value);
    }
    if (key.ends_with("_ms_max")) {
        return human_duration(std::chrono::milliseconds{value});
    }
    return std::to_string(value);
}

std::string amounts_text(const nlohmann::json& amounts) {
    std::string text;
    for (const auto& [key, value] : amounts.items()) {
        std::string line = "  " + key;
        line.resize(std::max<std::size_t>(line.size() + 1, 29), ' ');
        text += line + amount_of(key, value.get<std::uint64_t>()) + "\n";
    }
    return text;
}

std::string text_of_job(const job::Invocation& invocation, bool module_is_here) {
    const job::JobSpec& spec = invocation.spec;
    std::string text = row_text("Submitted", "no, --dry-run");
    text += row_text("Computation", job::computation_of(spec).to_string());
    text += row_text("Module",
                     spec.module.to_string() +
                         (module_is_here ? "" : " (not on this machine: not looked at)"));
    for (const auto& [key, cid] : spec.imports) {
        text += row_text("Import", printable(key) + "=" + cid.to_string());
    }
    text += row_text("Handler", printable(spec.handler));
    for (const std::string& argument : spec.arguments) {
        text += row_text("Argument", printable(argument));
    }
    for (const auto& [key, value] : spec.environment) {
        text += row_text("Variable", printable(key) + "=" + printable(value));
    }
    if (spec.event) {
        text += row_text("Event", spec.event->to_string());
    }
    for (const auto& [key, cid] : spec.inputs) {
        text += row_text("Input", printable(key) + "=" + cid.to_string());
    }
    text += row_text("Effects", spec.effects == job::Effects::pure ? "pure" : "impure");
    for (const std::string& host : spec.allow_hosts) {
        text += row_text("Host", printable(host));
    }
    for (const auto& [key, value] : invocation.labels) {
        text += row_text("Label", printable(key) + "=" + printable(value));
    }
    for (const job::Constraint& constraint : spec.constraints) {
        text += row_text("Constraint", job::to_string(constraint));
    }
    text += row_text("Priority", std::to_string(invocation.priority));
    const nlohmann::json all = to_json(invocation);
    text += "Limits:\n" + amounts_text(all["limits"]);
    return text + "Stages:\n" + amounts_text(all["timeouts"]);
}

} // namespace

Result<LentBytes> ScratchStore::get(const Cid& cid) {
    return TRY(put_here_.has(cid)) ? put_here_.get(cid) : under_.get(cid);
}

Result<void> ScratchStore::put(const Cid& cid, ByteView data) {
    const StoreStat held = TRY(put_here_.stat());
    return held.bytes + data.size() <= scratch_bytes_max ? put_here_.put(cid, data)
                                                         : Result<void>{};
}

Result<bool> ScratchStore::has(const Cid& cid) {
    return TRY(put_here_.has(cid)) ? Result<bool>(true) : under_.has(cid);
}

Result<void> ScratchStore::sync() { return {}; }

Result<StoreStat> ScratchStore::stat() { return under_.stat(); }

Result<std::unique_ptr<WriteSession>> ScratchStore::begin_session() {
    return put_here_.begin_session();
}

Result<void>
print_dry_run(Context& context, BlockStore& store, const job::SignedInvocation& invocation) {
    const job::JobSpec& spec = invocation.invocation.spec;
    const bool module_is_here = TRY(store.has(spec.module));
    if (context.json) {
        const nlohmann::json document{{"dry_run", true},
                                      {"computation", job::computation_of(spec).to_string()},
                                      {"module_is_here", module_is_here},
                                      {"document_bytes", invocation.document.size()},
                                      {"invocation", to_json(invocation.invocation)}};
        return context.streams.print(document.dump() + "\n");
    }
    return context.streams.print(text_of_job(invocation.invocation, module_is_here));
}

} // namespace ic::cli
