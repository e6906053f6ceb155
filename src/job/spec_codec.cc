#include "job/spec_codec.h"

#include "ipld/dag_cbor.h"
#include "ipld/utf8.h"
#include "job/fields.h"

#include <algorithm>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view effects_pure = "pure";
constexpr std::string_view effects_impure = "impure";

List list_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

template <class Value>
Map map_of(const std::vector<std::pair<std::string, Value>>& pairs) {
    return {pairs.begin(), pairs.end()};
}

Map limits_of(const Limits& limits) {
    Map map;
    map.reserve(limit_rows.size() + 1);
    const Limits defaults;
    for (const LimitRow& row : limit_rows) {
        if (row.presence == LimitPresence::always || limits.*row.member != defaults.*row.member) {
            map.emplace_back(row.key, limits.*row.member);
        }
    }
    map.emplace_back("handles", std::uint64_t{limits.handles_max});
    return map;
}

Result<Limits> read_limits(const Node& node) {
    Fields fields = TRY(Fields::of(node, "args.limits."));
    Limits limits;
    for (const LimitRow& row : limit_rows) {
        limits.*row.member = row.presence == LimitPresence::always
                                 ? TRY(fields.number(row.key, row.most))
                                 : TRY(fields.number_or(row.key, row.most, limits.*row.member));
    }
    limits.handles_max = static_cast<std::uint32_t>(TRY(fields.number("handles", UINT32_MAX)));
    TRY(fields.refuse_unknown());
    return limits;
}

Result<std::vector<std::string>>
read_list(Fields& fields, std::string_view key, std::size_t count_max) {
    const List& list = *TRY(fields.need<List>(key));
    if (list.size() > count_max) {
        return fields.too_large(key, count_max);
    }
    std::vector<std::string> texts;
    texts.reserve(list.size());
    for (const Node& item : list) {
        const auto* text = item.as<std::string>();
        if (text == nullptr) {
            return fields.wrong_type(key);
        }
        texts.push_back(*text);
    }
    return texts;
}

/// In a document the order is DAG-CBOR's (by length first); here it is by name.
template <class Value>
Result<std::vector<std::pair<std::string, Value>>>
read_map(Fields& fields, std::string_view key, std::size_t count_max) {
    const Map& map = *TRY(fields.need<Map>(key));
    if (map.size() > count_max) {
        return fields.too_large(key, count_max);
    }
    std::vector<std::pair<std::string, Value>> pairs;
    pairs.reserve(map.size());
    for (const auto& [name, node] : map) {
        const auto* value = node.template as<Value>();
        if (value == nullptr) {
            return fields.wrong_type(key);
        }
        pairs.emplace_back(name, *value);
    }
    std::ranges::sort(pairs, {}, [](const auto& pair) -> const auto& { return pair.first; });
    return pairs;
}

Result<Effects> read_effects(Fields& fields) {
    const std::string& effects = *TRY(fields.need<std::string>("effects"));
    if (effects == effects_pure) {
        return Effects::pure;
    }
    if (effects == effects_impure) {
        return Effects::impure;
    }
    return Error{Errc::unsupported, "args.effects is neither 'pure' nor 'impure'"};
}

/// `requires`: what the worker has to have.
Result<std::vector<Constraint>> read_requirements(const Node& node) {
    Fields fields = TRY(Fields::of(node, "args.requires."));
    std::vector<Constraint> constraints;
    for (const std::string& text : TRY(read_list(fields, "labels", limits::constraints_max))) {
        Result<Constraint> constraint = parse_constraint(text);
        if (!constraint) {
            return std::move(constraint).take_error().during("args.requires.labels");
        }
        constraints.push_back(std::move(constraint).take());
    }
    TRY(fields.refuse_unknown());
    return constraints;
}

Map requirements_of(const std::vector<Constraint>& constraints) {
    List texts;
    texts.reserve(constraints.size());
    for (const Constraint& constraint : constraints) {
        texts.emplace_back(to_string(constraint));
    }
    Map map;
    map.emplace_back("labels", std::move(texts));
    return map;
}

Result<void> check_hosts(const JobSpec& spec) {
    const std::vector<std::string>& hosts = spec.allow_hosts;
    if (hosts.size() > limits::allow_hosts_max) {
        return Error{Errc::too_large,
                     "hosts: more than " + std::to_string(limits::allow_hosts_max) + " entries"};
    }
    if (spec.effects == Effects::pure && !hosts.empty()) {
        return Error{Errc::malformed, "hosts: a pure job reaches none; submit with --impure"};
    }
    for (auto host = hosts.begin(); host != hosts.end(); ++host) {
        TRY(check_text("hosts", *host, limits::text_bytes_max));
        const bool printable =
            std::ranges::all_of(*host, [](char letter) { return letter > ' ' && letter != 0x7f; });
        if (host->empty() || !printable) {
            return Error{Errc::malformed, "hosts: an entry is `host` or `host:port`"};
        }
        if (std::find(hosts.begin(), host, *host) != host) {
            return Error{Errc::malformed, "hosts: '" + *host + "' comes twice"};
        }
    }
    return {};
}

Result<void> check_limits(const Limits& given) {
    for (const LimitRow& row : limit_rows) {
        if (given.*row.member > row.most) {
            return Error{Errc::too_large,
                         "limits." + std::string(row.key) + " is above " +
                             std::to_string(row.most)};
        }
    }
    return {};
}

} // namespace

const std::array<LimitRow, 13> limit_rows{{
    {"module_bytes", &Limits::module_bytes_max, limits::integer_max, "--module-size"},
    {"compile_ms", &Limits::compile_ms_max, limits::duration_ms_max, "--compile-timeout"},
    {"compile_memory_bytes",
     &Limits::compile_memory_bytes_max,
     limits::integer_max,
     "--compile-memory"},
    {"memory_bytes", &Limits::memory_bytes_max, limits::integer_max, "--memory"},
    {"table_elements", &Limits::table_elements_max, limits::integer_max, "--table-elements"},
    {"wall_ms", &Limits::wall_ms_max, limits::duration_ms_max, "--timeout"},
    {"cpu_ms", &Limits::cpu_ms_max, limits::duration_ms_max, "--cpu-time"},
    {"fuel", &Limits::fuel_max, limits::integer_max, "--fuel"},
    {"output_bytes", &Limits::output_bytes_max, limits::integer_max, "--output-size"},
    {"log_bytes", &Limits::log_bytes_max, limits::integer_max, "--log-size"},
    {"add_bytes", &Limits::add_bytes_max, limits::integer_max, "--add-size"},
    {"host_calls",
     &Limits::host_calls_max,
     limits::integer_max,
     "--host-calls",
     LimitPresence::unless_default},
    {"curls", &Limits::curls_max, limits::integer_max, "--curls", LimitPresence::unless_default},
}};

Result<void> check_text(std::string_view what, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return Error{Errc::too_large,
                     std::string(what) + ": a text has more than " + std::to_string(bytes_max) +
                         " bytes"};
    }
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
        return Error{Errc::malformed,
                     std::string(what) + ": a text is not UTF-8 or holds a zero byte"};
    }
    return {};
}

Result<void> check_imports(const std::vector<NamedModule>& imports) {
    TRY(check_names("imports", imports, limits::imports_max));
    for (const auto& [name, module] : imports) {
        TRY(check_text("imports", name, limits::import_name_bytes_max));
        if (name.find('=') != std::string::npos) {
            return Error{Errc::malformed, "imports: the name '" + name + "' holds '='"};
        }
        if (std::ranges::find(reserved_import_names, name) != reserved_import_names.end()) {
            return Error{Errc::malformed,
                         "imports: '" + name +
                             "' is the name of host functions: build the module that imports from "
                             "it with another import module name"};
        }
    }
    return {};
}

Result<void> check(const JobSpec& spec) {
    if (spec.handler.empty()) {
        return Error{Errc::malformed, "handler: the name is empty"};
    }
    TRY(check_text("handler", spec.handler, limits::handler_bytes_max));
    if (spec.arguments.size() > limits::arguments_max) {
        return Error{Errc::too_large,
                     "arguments: more than " + std::to_string(limits::arguments_max) + " entries"};
    }
    for (const std::string& argument : spec.arguments) {
        TRY(check_text("arguments", argument, limits::text_bytes_max));
    }
    TRY(check_names("environment", spec.environment, limits::environment_max));
    for (const auto& [name, value] : spec.environment) {
        TRY(check_text("environment", value, limits::text_bytes_max));
        if (name.find('=') != std::string::npos) {
            return Error{Errc::malformed, "environment: the name '" + name + "' holds '='"};
        }
    }
    TRY(check_names("inputs", spec.inputs, limits::inputs_max));
    TRY(check_imports(spec.imports));
    TRY(check_hosts(spec));
    TRY(check_constraints(spec.constraints));
    return check_limits(spec.limits);
}

Map args_of(const JobSpec& spec) {
    Map args;
    args.reserve(13);
    args.emplace_back("abi", abi_name);
    args.emplace_back("env", map_of(spec.environment));
    args.emplace_back("args", list_of(spec.arguments));
    if (spec.event) {
        args.emplace_back("event", *spec.event);
    }
    args.emplace_back("hosts", list_of(spec.allow_hosts));
    args.emplace_back("inputs", map_of(spec.inputs));
    args.emplace_back("limits", limits_of(spec.limits));
    args.emplace_back("module", spec.module);
    if (!spec.imports.empty()) {
        args.emplace_back("imports", map_of(spec.imports));
    }
    args.emplace_back("effects", spec.effects == Effects::pure ? effects_pure : effects_impure);
    args.emplace_back("handler", std::string_view(spec.handler));
    if (!spec.constraints.empty()) {
        args.emplace_back("requires", requirements_of(spec.constraints));
    }
    return args;
}

Result<JobSpec> read_args(const Node& args) {
    Fields fields = TRY(Fields::of(args, "args."));
    JobSpec spec;
    if (*TRY(fields.need<std::string>("abi")) != abi_name) {
        return Error{Errc::unsupported, "args.abi is not '" + std::string(abi_name) + "'"};
    }
    spec.module = *TRY(fields.need<Cid>("module"));
    spec.handler = TRY(fields.text("handler", limits::handler_bytes_max));
    spec.arguments = TRY(read_list(fields, "args", limits::arguments_max));
    spec.environment = TRY(read_map<std::string>(fields, "env", limits::environment_max));
    if (const Cid* event = TRY(fields.maybe<Cid>("event"))) {
        spec.event = *event;
    }
    spec.inputs = TRY(read_map<Cid>(fields, "inputs", limits::inputs_max));
    if (TRY(fields.maybe<Map>("imports")) != nullptr) {
        spec.imports = TRY(read_map<Cid>(fields, "imports", limits::imports_max));
    }
    const Node* given_limits = fields.any("limits");
    if (given_limits == nullptr) {
        return fields.missing("limits");
    }
    spec.limits = TRY(read_limits(*given_limits));
    spec.allow_hosts = TRY(read_list(fields, "hosts", limits::allow_hosts_max));
    spec.effects = TRY(read_effects(fields));
    if (const Node* requirements = fields.any("requires")) {
        spec.constraints = TRY(read_requirements(*requirements));
    }
    TRY(fields.refuse_unknown());
    return spec;
}

Cid computation_of(const JobSpec& spec) {
    Map map;
    map.reserve(12);
    map.emplace_back("abi", abi_name);
    map.emplace_back("env", map_of(spec.environment));
    map.emplace_back("args", list_of(spec.arguments));
    if (spec.event) {
        map.emplace_back("event", *spec.event);
    }
    map.emplace_back("table", spec.limits.table_elements_max);
    map.emplace_back("inputs", map_of(spec.inputs));
    map.emplace_back("memory", spec.limits.memory_bytes_max);
    map.emplace_back("module", spec.module);
    map.emplace_back("output", spec.limits.output_bytes_max);
    map.emplace_back("handler", std::string_view(spec.handler));
    if (!spec.imports.empty()) {
        map.emplace_back("imports", map_of(spec.imports));
    }
    map.emplace_back("profile", profile_name);
    return cid_of(Codec::dag_cbor, dag_cbor::encode(Node{std::move(map)}));
}

} // namespace ic::job
