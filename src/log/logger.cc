#include "log/logger.h"

#include "base/json_text.h"
#include "base/text.h"

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace ic::log {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> format_names{"text", "json"};

template <class Enum, std::size_t size>
std::optional<Enum> parse(const std::array<std::string_view, size>& names, std::string_view name) {
    for (std::size_t at = 0; at < size; ++at) {
        if (names.at(at) == name) {
            return static_cast<Enum>(at);
        }
    }
    return std::nullopt;
}

std::string text_of(const Field& field) {
    const auto* const number = std::get_if<std::uint64_t>(&field.value);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(field.value);
}

/// Of a guest's line; there is always one.
std::string job_of(const Entry& entry) {
    for (const Field& field : entry.fields) {
        if (field.name == "job") {
            return text_of(field);
        }
    }
    return "-";
}

std::string_view colour_of(Level level) {
    return level == Level::error ? "31" : level == Level::warning ? "33" : "";
}

} // namespace

std::string_view name(Level level) { return level_names.at(static_cast<std::size_t>(level)); }

std::optional<Level> parse_level(std::string_view name) { return parse<Level>(level_names, name); }

std::string_view name(Format format) { return format_names.at(static_cast<std::size_t>(format)); }

std::optional<Format> parse_format(std::string_view name) {
    return parse<Format>(format_names, name);
}

std::int64_t unix_milliseconds() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string rfc3339_of(std::int64_t milliseconds) {
    const std::time_t seconds = milliseconds / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    std::string out(text.data(), size);
    const std::string fraction = std::to_string(1000 + milliseconds % 1000);
    return out.append(fraction, 1).append("Z");
}

std::string text_line(const Entry& entry, Colours colours) {
    if (entry.source == Source::guest) {
        return job_of(entry) + " log: " + printable(entry.message) + "\n";
    }
    const std::string_view colour =
        colours == Colours::ansi ? colour_of(entry.level) : std::string_view{};
    std::string line;
    if (!colour.empty()) {
        line.append("\x1b[").append(colour).append("m");
    }
    line += "ipfs-compute:";
    if (!colour.empty()) {
        line += "\x1b[0m";
    }
    line.append(" ").append(printable(entry.message));
    if (entry.level == Level::debug) {
        for (const Field& field : entry.fields) {
            line.append(" ").append(field.name).append("=").append(printable(text_of(field)));
        }
    }
    return line + "\n";
}

std::string json_line(const Entry& entry, std::int64_t milliseconds) {
    std::string line = R"({"time":")" + rfc3339_of(milliseconds) + R"(","level":")";
    line.append(name(entry.level)).append(R"(","source":")");
    line += entry.source == Source::guest ? "guest" : "node";
    line += R"(","message":)";
    append_json_string(line, entry.message);
    for (const Field& field : entry.fields) {
        line += ",";
        append_json_string(line, field.name);
        line += ":";
        if (const auto* const number = std::get_if<std::uint64_t>(&field.value)) {
            line += std::to_string(*number);
        } else {
            append_json_string(line, std::get<std::string>(field.value));
        }
    }
    return line + "}\n";
}

Logger::Logger(int descriptor, LoggerOptions options)
    : options_(std::move(options))
    , writer_(descriptor, [this](std::uint64_t lines) {
        const std::string count = std::to_string(lines);
        if (options_.format == Format::text) {
            return "(" + count + " lines were dropped here: nobody read them)\n";
        }
        const std::array fields{Field{"lines_dropped", lines}};
        return line_of({.level = Level::warning,
                        .message = count + " lines were dropped here: nobody read them",
                        .fields = fields});
    }) {}

std::string Logger::line_of(const Entry& entry) const {
    return options_.format == Format::json ? json_line(entry, options_.clock())
                                           : text_line(entry, options_.colours);
}

Sink Logger::sink() {
    return {options_.lowest, [this](const Entry& entry) { writer_.write(line_of(entry)); }};
}

} // namespace ic::log
