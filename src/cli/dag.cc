#include "cli/dag.h"

#include "cli/commands.h"
#include "multiformats/multicodec.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace ic::cli {

Result<Codec> codec_of_flag(std::string_view flag, const std::string& text) {
    const std::optional<Codec> codec = codec_named(text);
    if (!codec) {
        return Error{Errc::usage, std::string(flag) + ": unknown multicodec: \"" + text + "\""};
    }
    return *codec;
}

std::string decimal_bytes(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 10) {
        return std::to_string(bytes) + " B";
    }
    const double exponent = std::floor(std::log(static_cast<double>(bytes)) / std::log(1000.0));
    const double value =
        std::floor(static_cast<double>(bytes) / std::pow(1000.0, exponent) * 10 + 0.5) / 10;
    std::array<char, 32> text{};
    std::snprintf(text.data(),
                  text.size(),
                  value < 10 ? "%.1f %s" : "%.0f %s",
                  value,
                  units.at(static_cast<std::size_t>(exponent)));
    return text.data();
}

void add_dag(Command& app, Context& context) {
    Command* command = app.add_subcommand("dag", "Store, read, copy and measure whole DAGs");
    add_dag_put(*command, context);
    add_dag_get(*command, context);
    add_dag_resolve(*command, context);
    add_dag_import(*command, context);
    add_dag_export(*command, context);
    add_dag_stat(*command, context);
}

} // namespace ic::cli
