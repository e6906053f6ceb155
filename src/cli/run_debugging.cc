#include "cli/run_debugging.h"

#include "base/file.h"
#include "base/quantity.h"
#include "base/text.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

namespace ic::cli {
namespace {

constexpr double nanoseconds_a_second = 1e9;
constexpr double nanoseconds_a_microsecond = 1e3;

std::string fixed(double number, int digits) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, number);
    return text.data();
}

std::string result_text(const nlohmann::json& call) {
    const nlohmann::json& name = call.at("result_name");
    const nlohmann::json& ended = call.at("ended");
    if (ended.is_string()) {
        return ", the run ended: " + ended.get<std::string>();
    }
    if (name.is_string()) {
        return " = " + name.get<std::string>();
    }
    const nlohmann::json& result = call.at("result");
    return result.is_null() ? "" : " = " + result.dump();
}

Result<UniqueFd> make_file(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) {
        return system_error("cannot write", path, errno);
    }
    return fd;
}

/// Takes away a file; no device, pipe or link.
void remove_regular(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
        ::unlink(path.c_str());
    }
}

} // namespace

void add_debugging_flags(Command& command, DebuggingFlags& flags) {
    flags.trace_given =
        command
            .add_option("--trace",
                        flags.trace,
                        "Show each host call, or write it to a file as a line of JSON")
            ->type_name("FILE")
            ->expected(0, 1)
            ->group("Debugging");
    command
        .add_option("--coredump",
                    flags.coredump,
                    "Write the guest's state there if a trap or limit ends it")
        ->type_name("FILE")
        ->group("Debugging");
    command
        .add_option("--profile",
                    flags.profile,
                    "Write there where it spends its time, for Firefox Profiler")
        ->type_name("FILE")
        ->group("Debugging");
}

executor::Debugging RunDebugging::wanted() const {
    return {.trace = flags_.trace_given->count() > 0,
            .coredump = !flags_.coredump.empty(),
            .profile = !flags_.profile.empty()};
}

Result<void> RunDebugging::open() {
    if (!flags_.trace.empty()) {
        trace_.fd = TRY(make_file(flags_.trace));
    }
    return {};
}

const std::string& RunDebugging::path_of(executor::Dump kind) const {
    return kind == executor::Dump::coredump ? flags_.coredump : flags_.profile;
}

void RunDebugging::write(File& file, const std::string& path, ByteView bytes) {
    if (!file.state) {
        return;
    }
    if (!file.fd) {
        Result<UniqueFd> made = make_file(path);
        if (!made) {
            file.state = std::move(made).take_error();
            return;
        }
        file.fd = std::move(made).take();
    }
    while (!bytes.empty()) {
        const ssize_t count = ::write(file.fd.get(), bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            file.state = system_error("cannot write", path, errno);
            return;
        }
        const auto written = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        file.bytes += written;
        bytes = bytes.subspan(written);
    }
}

void RunDebugging::trace(std::string_view line) {
    if (flags_.trace.empty()) {
        context_.streams.note(trace_text(line) + "\n");
        return;
    }
    write(trace_, flags_.trace, bytes_of(std::string(line) + "\n"));
}

void RunDebugging::dump(executor::Dump kind, ByteView piece) {
    write(dumps_[static_cast<std::size_t>(kind)], path_of(kind), piece);
}

Result<void> RunDebugging::finish() {
    Result<void> first;
    const auto has_failed = [&](const File& file, const std::string& path, const char* what) {
        if (file.state) {
            return false;
        }
        // A trace is of use as far as it goes, the beginning of a dump is not.
        if (file.fd && (file.bytes == 0 || &file != &trace_)) {
            remove_regular(path);
        }
        const std::string line =
            std::string(what) + " not written: " + printable(file.state.error().message) + "\n";
        if (first) {
            first = file.state;
            unwritten_ = line;
        } else {
            context_.streams.note(line);
        }
        return true;
    };
    has_failed(trace_, flags_.trace, "trace");
    for (const executor::Dump kind : {executor::Dump::coredump, executor::Dump::profile}) {
        const std::string& path = path_of(kind);
        const File& file = dumps_[static_cast<std::size_t>(kind)];
        const bool is_coredump = kind == executor::Dump::coredump;
        const char* const what = is_coredump ? "core dump" : "profile";
        if (path.empty() || has_failed(file, path, what)) {
            continue;
        }
        context_.streams.note(
            file.bytes > 0
                ? std::string(what) + " " + printable(path) + " (" + human_bytes(file.bytes) + ")\n"
                : std::string(what) + " not written: " +
                      (is_coredump ? "no trap or limit ended the guest within its code\n"
                                   : "the guest did not run\n"));
    }
    return first;
}

void RunDebugging::note_unwritten() { context_.streams.note(unwritten_); }

std::string trace_text(std::string_view line) {
    const nlohmann::json call = nlohmann::json::parse(line, nullptr, false);
    if (!call.is_object() || !call.contains("call")) {
        return printable(line);
    }
    try { // It comes from a process that a guest may have taken over.
        if (call.at("call").is_null()) {
            return "... and " + call.at("left_out").dump() + " more calls";
        }
        std::string text = fixed(call.at("at_ns").get<double>() / nanoseconds_a_second, 6) + " " +
                           call.at("call").get<std::string>() + "(";
        for (const nlohmann::json& argument : call.at("arguments")) {
            text += (text.ends_with('(') ? "" : ", ") + argument.dump();
        }
        text += ")";
        if (call.at("text").is_string()) {
            text += " \"" + call.at("text").get<std::string>() + "\"";
        }
        text += result_text(call);
        if (call.at("bytes").is_number()) {
            text += ", " + call.at("bytes").dump() + " bytes";
        }
        text +=
            ", " + fixed(call.at("took_ns").get<double>() / nanoseconds_a_microsecond, 1) + " us";
        return printable(text);
    } catch (const nlohmann::json::exception&) {
        return printable(line);
    }
}

} // namespace ic::cli
