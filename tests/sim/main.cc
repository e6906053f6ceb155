/// sim: plays seeds and prints what they violate.
///   sim --seed N [--trace | --minimise] [--fault NAME] [--without N,N...]
///   sim --seeds COUNT [--from N] [--only PROFILE] [--fault NAME]
///   sim --faults [--seeds COUNT]

#include "sim/faults.h"
#include "sim/simulation.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace ic;

struct Arguments {
    std::uint64_t from = 1;
    std::uint64_t count = 1;
    sim::Play play;
    bool minimise = false;
    bool all_faults = false;
    std::string_view only; ///< Seeds of this profile; empty: all.
    sim::NamedFault fault{lease::Fault::none, {}};
};

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool set_without(Arguments& arguments, std::string_view list) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::optional<std::uint64_t> read = number(list.substr(0, comma));
        if (!read) {
            return false;
        }
        arguments.play.without.insert(*read);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return true;
}

bool set_value(Arguments& arguments, std::string_view flag, std::string_view value) {
    if (flag == "--only") {
        arguments.only = value;
        return true;
    }
    if (flag == "--without") {
        return set_without(arguments, value);
    }
    if (flag == "--fault") {
        for (const sim::NamedFault& each : sim::all_faults()) {
            if (each.name == value) {
                arguments.fault = each;
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
    } else if (flag == "--seeds" || flag == "--count") {
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
            arguments.play.tracing = sim::Tracing::on;
        } else if (words[i] == "--minimise") {
            arguments.minimise = true;
        } else if (words[i] == "--faults") {
            arguments.all_faults = true;
        } else if (i + 1 == words.size() || !set_value(arguments, words[i], words[i + 1])) {
            return std::nullopt;
        } else {
            ++i;
        }
    }
    return arguments;
}

std::string replay(const Arguments& arguments, std::uint64_t seed) {
    std::string command = "sim --trace --seed " + std::to_string(seed);
    if (!arguments.fault.name.empty()) {
        command += " --fault " + std::string(arguments.fault.name);
    }
    return command;
}

/// What of a failing seed is needed to make it fail.
int minimise(const Arguments& arguments) {
    const std::uint64_t seed = arguments.from;
    if (sim::simulate(seed).violations.empty()) {
        std::cout << "seed " << seed << " does not fail\n";
        return 2;
    }
    std::string list;
    sim::Play play;
    play.without = sim::superfluous(seed);
    for (const std::size_t each : play.without) {
        list += (list.empty() ? " --without " : ",") + std::to_string(each);
    }
    const sim::Report report = sim::simulate(seed, play);
    std::cout << report.violations.front() << "\nfails with " << report.upsets.size()
              << " upsets, without " << play.without.size()
              << "\nreplay: " << replay(arguments, seed) << list << "\n";
    return 1;
}

/// The first seed that shows each planted bug.
int find_faults(const Arguments& arguments) {
    bool is_whole = true;
    for (const sim::NamedFault& each : sim::all_faults()) {
        const sim::Planted planted(each.fault);
        std::string found = "not found";
        for (std::uint64_t seed = 1; seed <= arguments.count; ++seed) {
            const sim::Report report = sim::simulate(seed);
            if (!report.violations.empty()) {
                found = "seed " + std::to_string(seed) + " (" + sim::profile_of(seed).name +
                        "): " + report.violations.front();
                break;
            }
        }
        is_whole = is_whole && found != "not found";
        std::cout << each.name << ": " << found << "\n";
    }
    return is_whole ? 0 : 1;
}

int play(const Arguments& arguments) {
    const sim::Planted planted(arguments.fault.fault);
    if (arguments.minimise) {
        return minimise(arguments);
    }
    std::size_t played = 0;
    std::size_t failed = 0;
    sim::Report sums;
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t seed = arguments.from; seed < arguments.from + arguments.count; ++seed) {
        if (!arguments.only.empty() && arguments.only != sim::profile_of(seed).name) {
            continue;
        }
        ++played;
        const sim::Report report = sim::simulate(seed, arguments.play);
        std::cout << report.trace;
        sums.events += report.events;
        sums.jobs += report.jobs;
        sums.runs += report.runs;
        sums.cut_messages += report.cut_messages;
        sums.foreign_messages += report.foreign_messages;
        sums.refused_messages += report.refused_messages;
        for (std::size_t kind = 0; kind < sim::upset_kinds; ++kind) {
            sums.upsets_of[kind] += report.upsets_of[kind];
        }
        failed += report.violations.empty() ? 0 : 1;
        for (const std::string& each : report.violations) {
            std::cout << "seed " << seed << " (" << sim::profile_of(seed).name << "): " << each
                      << "\nreplay: " << replay(arguments, seed) << "\n";
        }
        if (arguments.count == 1) {
            std::cout << "seed " << seed << " hash " << std::hex << report.trace_hash << std::dec
                      << ": " << report.grants << " grants, " << report.adoptions << " adoptions\n";
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::cout << played << " seeds, " << failed << " failed, " << took.count()
              << " s: " << sums.jobs << " jobs, " << sums.runs << " runs, " << sums.events
              << " events; " << sums.cut_messages << " messages cut off, " << sums.foreign_messages
              << " from other versions, " << sums.refused_messages << " of these refused";
    for (std::size_t kind = 0; kind < sim::upset_kinds; ++kind) {
        std::cout << (kind == 0 ? "; upsets: " : ", ") << sim::name(static_cast<sim::Upset>(kind))
                  << " " << sums.upsets_of[kind];
    }
    std::cout << "\n";
    return failed == 0 ? 0 : 1;
}

} // namespace

int main(int count, char** words) {
    const std::optional<Arguments> arguments =
        parse(std::vector<std::string_view>(words + 1, words + count));
    if (!arguments) {
        std::cerr << "usage: sim [--seed N | --seeds COUNT [--from N] [--only PROFILE]] [--trace] "
                     "[--minimise]\n"
                     "           [--faults] [--fault NAME] [--without N,N...]\n";
        return 2;
    }
    return arguments->all_faults ? find_faults(*arguments) : play(*arguments);
}
