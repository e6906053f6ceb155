/// sim: runs seeds and prints what they violate.
///   sim --seed N [--trace] [--fault NAME]
///   sim --from N --count M [--fault NAME]

#include "sim/faults.h"
#include "sim/simulation.h"

#include <charconv>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string_view>
#include <vector>

namespace {

using namespace ic;

struct Arguments {
    std::uint64_t from = 1;
    std::uint64_t count = 1;
    sim::Tracing tracing = sim::Tracing::off;
    lease::Fault fault = lease::Fault::none;
};

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool set_value(Arguments& arguments, std::string_view flag, std::string_view value) {
    if (flag == "--fault") {
        for (const sim::NamedFault& each : sim::all_faults()) {
            if (each.name == value) {
                arguments.fault = each.fault;
                return true;
            }
        }
        return false;
    }
    const std::optional<std::uint64_t> read = number(value);
    if (!read) {
        return false;
    }
    if (flag == "--seed" || flag == "--from") {
        arguments.from = *read;
    } else if (flag == "--count") {
        arguments.count = *read;
    } else {
        return false;
    }
    return true;
}

std::optional<Arguments> parse(const std::vector<std::string_view>& words) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--trace") {
            arguments.tracing = sim::Tracing::on;
        } else if (i + 1 == words.size() || !set_value(arguments, words[i], words[i + 1])) {
            return std::nullopt;
        } else {
            ++i;
        }
    }
    return arguments;
}

} // namespace

int main(int count, char** words) {
    const std::optional<Arguments> arguments =
        parse(std::vector<std::string_view>(words + 1, words + count));
    if (!arguments) {
        std::cerr << "usage: sim [--seed N | --from N --count M] [--trace] [--fault NAME]\n";
        return 2;
    }
    const sim::Planted planted(arguments->fault);
    bool is_clean = true;
    std::size_t events = 0;
    for (std::uint64_t seed = arguments->from; seed < arguments->from + arguments->count; ++seed) {
        const sim::Report report = sim::simulate(seed, arguments->tracing);
        std::cout << report.trace;
        events += report.events;
        for (const std::string& each : report.violations) {
            is_clean = false;
            std::cout << "seed " << seed << " (" << sim::profile_of(seed).name << "): " << each
                      << "\n";
        }
        if (arguments->count == 1) {
            std::cout << "seed " << seed << " hash " << std::hex << report.trace_hash << std::dec
                      << ": " << report.jobs << " jobs, " << report.runs << " runs, "
                      << report.grants << " grants, " << report.adoptions << " adoptions\n";
        }
    }
    std::cout << arguments->count << " seeds, " << events << " events\n";
    return is_clean ? 0 : 1;
}
