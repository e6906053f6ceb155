#include "cli/module_text.h"

#include "base/quantity.h"
#include "base/text.h"
#include "cli/module_check.h"
#include "job/spec.h"
#include "wasm_binary/host_abi.h"
#include "wasm_binary/linking.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace ic::cli {
namespace {

using nlohmann::json;
using namespace wasm_binary;

/// What a guest can see that is not the same everywhere, and what a pure job gets instead.
struct Sight {
    Observes observes;
    std::string_view name;
    std::string_view in_a_pure_job;
};

constexpr Sight sights[] = {
    {Observes::clock, "clock", "a virtual clock"},
    {Observes::random, "random", "bytes from the job's seed"},
    {Observes::network, "network", "`refused`: give --allow-host, which makes the job impure"},
};

std::vector<Sight> sights_of(const Module& module) {
    std::vector<Sight> seen;
    for (const Sight& sight : sights) {
        if (std::ranges::any_of(module.imports, [&](const Import& import) {
                const HostFunction* function = host_function(import.module, import.name);
                return function != nullptr && function->observes == sight.observes;
            })) {
            seen.push_back(sight);
        }
    }
    return seen;
}

std::vector<std::string> imported_from(const Module& module, bool of_wasi) {
    std::vector<std::string> names;
    for (const Import& import : module.imports) {
        if (import.module.starts_with("wasi_") == of_wasi &&
            (of_wasi || host_function(import.module, import.name) != nullptr)) {
            names.emplace_back(import.name);
        }
    }
    std::ranges::sort(names);
    const auto same = std::ranges::unique(names);
    names.erase(same.begin(), same.end());
    return names;
}

/// Exports that a job may name as its handler.
std::vector<NamedFunction> handlers_of(const Module& module) {
    std::vector<NamedFunction> handlers = exported_functions(module);
    std::erase_if(handlers, [](const NamedFunction& function) {
        // Any number of arguments will do here: the types alone are asked.
        const std::vector<std::string> zeros(function.type.parameters.size(), "0");
        return !handler_arguments(function.name, &function.type, {}, zeros);
    });
    return handlers;
}

json json_of(const Bounds& bounds) {
    return {{"minimum", bounds.minimum},
            {"maximum", bounds.maximum ? json(*bounds.maximum) : json()},
            {"shared", bounds.is_shared},
            {"is_64", bounds.is_64}};
}

json features_json(const Module& module) {
    json all = json::array();
    for (const FeatureRow& row : feature_rows()) {
        if (const auto first = module.features.first(row.feature)) {
            all.push_back({{"name", row.name}, {"on", row.on}, {"offset", *first}});
        }
    }
    return all;
}

json custom_json(const Module& module) {
    json all = json::array();
    for (const CustomSection& section : module.custom) {
        all.push_back({{"name", section.name}, {"bytes", section.content.size()}});
    }
    return all;
}

json compiled_json(const std::optional<Result<wiring::Compiled>>& compiled) {
    if (!compiled || !*compiled) {
        return nullptr;
    }
    return {{"bytes", (*compiled)->artifact_bytes},
            {"was_there", (*compiled)->was_there},
            {"took_us", (*compiled)->took.count()}};
}

json items_json(const Module& module) {
    json imports = json::array();
    for (const Import& import : module.imports) {
        imports.push_back({{"module", import.module},
                           {"name", import.name},
                           {"kind", name_of(import.kind)},
                           {"type", module.type_text(import.kind, import.index)}});
    }
    json exports = json::array();
    for (const Export& made : module.exports) {
        exports.push_back({{"name", made.name},
                           {"kind", name_of(made.kind)},
                           {"type", module.type_text(made.kind, made.index)}});
    }
    json handlers = json::array();
    for (const NamedFunction& handler : handlers_of(module)) {
        handlers.push_back({{"name", handler.name}, {"type", to_string(handler.type)}});
    }
    json memories = json::array();
    for (const Bounds& memory : module.memories) {
        memories.push_back(json_of(memory));
    }
    json tables = json::array();
    for (const TableType& table : module.tables) {
        json one = json_of(table.bounds);
        one["element"] = to_string(table.element);
        tables.push_back(one);
    }
    return {{"imports", imports},
            {"exports", exports},
            {"handlers", handlers},
            {"memories", memories},
            {"tables", tables}};
}

// --- text ---------------------------------------------------------------------------------------

std::string row(const std::string& key, const std::string& value) {
    std::string line = key + ":";
    line.resize(std::max<std::size_t>(line.size() + 1, 14), ' ');
    return line + value + "\n";
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + printable(word);
    }
    return text.empty() ? "none" : text;
}

std::string features_text(const Module& module) {
    std::vector<std::string> names;
    for (const FeatureRow& feature : feature_rows()) {
        if (module.features.has(feature.feature)) {
            names.push_back(std::string(feature.name) + (feature.on ? "" : " (off here)"));
        }
    }
    return listed(names);
}

std::string custom_text(const Module& module) {
    std::vector<std::string> all;
    for (const CustomSection& section : module.custom) {
        all.push_back(std::string(section.name) + " " + human_bytes(section.content.size()));
    }
    return listed(all);
}

std::string debug_text(const Module& module) {
    const std::size_t dwarf = dwarf_bytes(module.custom);
    const std::optional<NameSection> names = names_of(module.custom);
    std::string text = names ? "names of " + std::to_string(names->functions) + " functions"
                             : "no names of functions";
    return text + (dwarf > 0 ? ", source lines (DWARF, " + human_bytes(dwarf) + ")"
                             : ", no source lines: compile with -g for them");
}

std::string items_text(const Module& module) {
    std::string text = "Handlers:\n";
    for (const NamedFunction& handler : handlers_of(module)) {
        text += "  " + printable(handler.name) + " " + to_string(handler.type) + "\n";
    }
    text += "Imports:\n";
    for (const Import& import : module.imports) {
        text += "  " + printable(import.module) + "." + printable(import.name) + "  " +
                std::string(name_of(import.kind)) + " " +
                module.type_text(import.kind, import.index) + "\n";
    }
    text += "Exports:\n";
    for (const Export& made : module.exports) {
        text += "  " + printable(made.name) + "  " + std::string(name_of(made.kind)) + " " +
                module.type_text(made.kind, made.index) + "\n";
    }
    return text;
}

std::string compiled_text(const Result<wiring::Compiled>& compiled) {
    if (!compiled) {
        return std::string(name(compiled.error().code)) + ": " +
               printable(compiled.error().message);
    }
    return human_bytes(compiled->artifact_bytes) +
           (compiled->was_there ? ", was in the cache"
                                : ", took " + human_duration(compiled->took));
}

/// Whether it runs here, if `imports` are given to it: all that is known of it says so.
Result<void> runs_with(const InspectedModule& inspected,
                       std::span<const std::string_view> imports) {
    TRY(check_host(inspected.module, imports));
    constexpr std::uint64_t bytes_max = job::Limits{}.module_bytes_max;
    if (inspected.bytes > bytes_max) {
        return module_too_large(inspected.bytes, bytes_max);
    }
    if (inspected.compiled && !*inspected.compiled) {
        return inspected.compiled->error();
    }
    return {};
}

/// "yes", what else it takes, or why not.
std::string runs_here_text(const InspectedModule& inspected) {
    const std::vector<std::string_view> needs = needs_of(inspected.module);
    std::string flags;
    for (const std::string_view name : needs) {
        flags += " --import " + printable(name) + "=CID";
    }
    const Result<void> alone = runs_with(inspected, {});
    if (alone) {
        return "yes";
    }
    if (!needs.empty() && needs.size() <= job::limits::imports_max && runs_with(inspected, needs)) {
        return "yes, with" + flags;
    }
    return "no: " + std::string(name(alone.error().code)) + ": " + printable(alone.error().message);
}

/// Whether a pure job can do all that it is made for.
bool is_for_pure_jobs(const InspectedModule& inspected) {
    return can_be_pure(inspected.module) && runs_with(inspected, needs_of(inspected.module));
}

} // namespace

json to_json(const InspectedModule& inspected) {
    const Module& module = inspected.module;
    const Result<void> runs = runs_with(inspected, {});
    json sees = json::array();
    for (const Sight& sight : sights_of(module)) {
        sees.push_back(sight.name);
    }
    json producers = json::array();
    for (const Producer& producer : producers_of(module.custom)) {
        producers.push_back(
            {{"field", producer.field}, {"name", producer.name}, {"version", producer.version}});
    }
    const std::optional<NameSection> names = names_of(module.custom);
    const bool failed = inspected.compiled && !*inspected.compiled;
    const std::string empty;
    json all = items_json(module);
    all["module"] = inspected.cid ? json(inspected.cid->to_string()) : json();
    all["bytes"] = inspected.bytes;
    all["kind"] = name_of(module.role());
    all["needs"] = needs_of(module);
    all["runs_here"] = runs.ok();
    all["error"] = runs ? json() : json(std::string(name(runs.error().code)));
    all["message"] = runs ? empty : runs.error().message;
    all["can_be_pure"] = is_for_pure_jobs(inspected);
    all["sees"] = sees;
    all["features"] = features_json(module);
    all["wasi"] = imported_from(module, true);
    all["host_functions"] = imported_from(module, false);
    all["start"] = module.start ? json(*module.start) : json();
    all["functions"] = module.functions.size();
    all["code_bytes"] = module.code_bytes;
    all["data_bytes"] = module.data_bytes;
    all["custom"] = custom_json(module);
    all["name"] = names && names->module ? json(std::string(*names->module)) : json();
    all["named_functions"] = names ? names->functions : 0;
    all["dwarf_bytes"] = dwarf_bytes(module.custom);
    all["producers"] = producers;
    all["compiled"] = compiled_json(inspected.compiled);
    all["compile_error"] =
        failed ? json(std::string(name(inspected.compiled->error().code))) : json();
    return all;
}

std::string describe(const InspectedModule& inspected) {
    const Module& module = inspected.module;
    std::string text;
    if (inspected.cid) {
        text += row("Module", inspected.cid->to_string());
    }
    text += row("Size",
                human_bytes(inspected.bytes) + " (code " + human_bytes(module.code_bytes) +
                    ", data " + human_bytes(module.data_bytes) + ", " +
                    std::to_string(module.functions.size()) + " functions)");
    text += row("Kind", std::string(name_of(module.role())));
    text += row("Runs here", runs_here_text(inspected));
    text += row("Can be pure", is_for_pure_jobs(inspected) ? "yes" : "no");
    for (const Sight& sight : sights_of(module)) {
        text +=
            row("Sees",
                std::string(sight.name) + "; a pure job gets " + std::string(sight.in_a_pure_job));
    }
    text += row("Features", features_text(module));
    for (const Bounds& memory : module.memories) {
        text += row("Memory", memory_to_string(memory) + " of 64 KiB");
    }
    for (const TableType& table : module.tables) {
        text += row("Table", to_string(table));
    }
    text += row("WASI", listed(imported_from(module, true)));
    text += row("Host calls", listed(imported_from(module, false)));
    if (module.start) {
        text += row("Start", "function " + std::to_string(*module.start) + ", before any handler");
    }
    text += row("Debugging", debug_text(module));
    text += row("Custom", custom_text(module));
    for (const Producer& producer : producers_of(module.custom)) {
        text += row("Made by",
                    printable(producer.name) + (producer.version.empty() ? "" : " ") +
                        printable(producer.version) + " (" + printable(producer.field) + ")");
    }
    if (inspected.compiled) {
        text += row("Compiled", compiled_text(*inspected.compiled));
    }
    return text + items_text(module);
}

} // namespace ic::cli
