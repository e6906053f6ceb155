#include "config/job_file.h"

#include "base/quantity.h"
#include "base/text.h"
#include "config/document.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ic::config {
namespace {

using Kind = DocumentNode::Kind;
using Type = JobFieldType;

/// Says to editors what a file is; says nothing of the job.
constexpr std::string_view schema_field = "$schema";

constexpr std::array<JobField, 35> fields_table{{
    {"add_size", Type::size},
    {"allow_host", Type::texts},
    {"arg", Type::texts},
    {"claim_timeout", Type::duration},
    {"compile_memory", Type::size},
    {"compile_timeout", Type::duration},
    {"constraint", Type::texts},
    {"cpu_time", Type::duration},
    {"curls", Type::number},
    {"env", Type::pairs},
    {"event", Type::text},
    {"fetch_timeout", Type::duration},
    {"fuel", Type::number, number_max, 1},
    {"handler", Type::text},
    {"handles", Type::number, 0xffff'ffffU},
    {"host_calls", Type::number},
    {"import", Type::pairs},
    {"impure", Type::truth},
    {"input", Type::pairs},
    {"label", Type::pairs},
    {"log_size", Type::size},
    {"memory", Type::size},
    {"module_size", Type::size},
    {"no_cache", Type::truth},
    {"nonce", Type::text},
    {"output_size", Type::size},
    {"priority", Type::number, 9},
    {"publish_timeout", Type::duration},
    {"queue_timeout", Type::duration},
    {"retries", Type::number, 100},
    {"table_elements", Type::number},
    {"timeout", Type::duration},
    {"total_timeout", Type::duration},
    {"wasm_cid", Type::text},
    {"wasm_file", Type::text},
}};

Error malformed(std::string_view file, const DocumentNode& at, const std::string& what) {
    return {Errc::malformed,
            std::string(file) + ":" + std::to_string(at.line) + ": " + printable(what)};
}

const JobField* find_field(std::string_view name) {
    const auto* const found = std::ranges::find(fields_table, name, &JobField::name);
    return found == fields_table.end() ? nullptr : found;
}

std::string unknown_field(std::string_view name) {
    std::vector<std::string> names;
    for (const JobField& field : fields_table) {
        names.emplace_back(field.name);
    }
    std::string meant = closest_word(name, names);
    for (const std::string& each : names) {
        // "args" and "inputs" are too far from a short word, and what people write.
        meant = meant.empty() && name == each + "s" ? each : meant;
    }
    return "unknown field '" + std::string(name) + "'" +
           (meant.empty() ? "; 'ipfs-compute submit --job-file-schema' lists them"
                          : "; did you mean '" + meant + "'?");
}

std::string_view wanted(Type type) {
    switch (type) {
    case Type::text:
        return "a text";
    case Type::texts:
        return "a list of texts";
    case Type::pairs:
        return "a table of texts, NAME = VALUE";
    case Type::duration:
        return "a time in quotes, such as \"30s\"";
    case Type::size:
        return "a size, such as \"64MiB\" in quotes or a number of bytes";
    case Type::number:
        return "a whole number";
    case Type::truth:
        return "true or false";
    }
    return "";
}

bool is_text(const DocumentNode& node) {
    return node.kind == Kind::text && node.text.find('\0') == std::string::npos;
}

bool has_type(const DocumentNode& node, Type type) {
    switch (type) {
    case Type::text:
    case Type::duration:
        return is_text(node);
    case Type::texts:
        return node.kind == Kind::list && std::ranges::all_of(node.parts, is_text);
    case Type::pairs:
        return node.kind == Kind::table && std::ranges::all_of(node.parts, is_text);
    case Type::size:
        return is_text(node) || (node.kind == Kind::number && !node.text.starts_with('-'));
    case Type::number:
        return node.kind == Kind::number && !node.text.starts_with('-');
    case Type::truth:
        return node.kind == Kind::truth;
    }
    return false;
}

/// What is wrong with a value of the right type; empty if nothing.
std::string complaint_about(const DocumentNode& node, const JobField& field) {
    if (field.type == Type::duration) {
        const auto value = parse_duration(node.text);
        return value ? "" : value.error().message;
    }
    if (field.type == Type::size) {
        const auto value = parse_bytes(node.text);
        return value ? "" : value.error().message;
    }
    if (field.type == Type::number) {
        std::uint64_t value = 0;
        const char* const end = node.text.data() + node.text.size();
        const auto [rest, problem] = std::from_chars(node.text.data(), end, value);
        if (problem != std::errc{} || rest != end || value > field.most) {
            return "is at most " + std::to_string(field.most);
        }
        return value >= field.least
                   ? ""
                   : "is at least " + std::to_string(field.least) + "; leave it out for no limit";
    }
    for (const DocumentNode& part : node.parts) {
        if (field.type == Type::pairs &&
            (part.name.empty() ||
             part.name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)) {
            return "has the name '" + part.name + "', which is empty or has a '=' in it";
        }
    }
    return field.type == Type::text && node.text.empty() ? "is empty; leave it out" : "";
}

GivenField given(const DocumentNode& node, const JobField& field) {
    GivenField made{.name = node.name, .words = {}};
    if (field.type == Type::texts || field.type == Type::pairs) {
        for (const DocumentNode& part : node.parts) {
            made.words.push_back(field.type == Type::pairs ? part.name + "=" + part.text
                                                           : part.text);
        }
    } else {
        made.words.push_back(node.text);
    }
    if (field.type == Type::pairs) {
        std::ranges::sort(made.words);
    }
    return made;
}

nlohmann::json value_of(const GivenField& field, Type type) {
    if (type == Type::texts) {
        return field.words;
    }
    if (type == Type::pairs) {
        nlohmann::json table = nlohmann::json::object();
        for (const std::string& word : field.words) {
            const std::size_t equals = word.find('=');
            table[word.substr(0, equals)] = word.substr(equals + 1);
        }
        return table;
    }
    const std::string& word = field.words.front();
    if (type == Type::truth) {
        return word == "true";
    }
    if (type == Type::number) {
        std::uint64_t value = 0;
        std::from_chars(word.data(), word.data() + word.size(), value);
        return value;
    }
    return word;
}

} // namespace

std::span<const JobField> job_fields() { return fields_table; }

JobFileFormat format_of_job_file(std::string_view name, std::string_view text) {
    if (name.ends_with(".json")) {
        return JobFileFormat::json;
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const bool is_object = first != std::string_view::npos && text[first] == '{';
    return is_object && !name.ends_with(".toml") ? JobFileFormat::json : JobFileFormat::toml;
}

Result<std::vector<GivenField>>
parse_job_file(std::string_view text, std::string_view name, JobFileFormat format) {
    const DocumentNode document =
        TRY(format == JobFileFormat::json
                ? parse_json_document(text, name, limits::job_file_bytes_max)
                : parse_toml_document(text, name, limits::job_file_bytes_max));
    std::vector<GivenField> fields;
    for (const DocumentNode& node : document.parts) {
        if (node.name == schema_field && node.kind == Kind::text) {
            continue;
        }
        const JobField* const field = find_field(node.name);
        if (field == nullptr) {
            return malformed(name, node, unknown_field(node.name));
        }
        if (!has_type(node, field->type)) {
            return malformed(
                name, node, node.name + " has to be " + std::string(wanted(field->type)));
        }
        if (const std::string complaint = complaint_about(node, *field); !complaint.empty()) {
            return malformed(name, node, node.name + ": " + complaint);
        }
        fields.push_back(given(node, *field));
    }
    std::ranges::sort(fields, {}, &GivenField::name);
    return fields;
}

std::string print_job_file(std::span<const GivenField> fields) {
    nlohmann::json document = nlohmann::json::object();
    for (const GivenField& field : fields) {
        if (const JobField* const known = find_field(field.name)) {
            document[field.name] = value_of(field, known->type);
        }
    }
    return document.dump(2) + "\n";
}

} // namespace ic::config
