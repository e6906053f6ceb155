#include "cli/context.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace ic::cli {
namespace {

constexpr std::size_t flush_bytes = 64U << 10U;
constexpr int pipe_bytes = 1 << 20; // What Linux lets everybody have (/proc/sys/fs/pipe-max-size).

int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return 0;
}

bool wants_colours() {
    const char* no_color = std::getenv("NO_COLOR"); // https://no-color.org
    const char* term = std::getenv("TERM");
    return (no_color == nullptr || *no_color == '\0') &&
           (term == nullptr || std::string_view(term) != "dumb");
}

} // namespace

Streams::Streams()
    : out_is_terminal_(::isatty(STDOUT_FILENO) == 1)
    , err_is_terminal_(::isatty(STDERR_FILENO) == 1)
    , colours_(err_is_terminal_ && wants_colours()) {}

Result<void> Streams::print(std::string_view text) {
    if (waiting_.size() + text.size() < flush_bytes) {
        waiting_.append(text);
        return {};
    }
    TRY(flush());
    return write_out(text);
}

Result<void> Streams::flush() { return write_out(std::exchange(waiting_, {})); }

Result<void> Streams::write_out(std::string_view text) {
    if (!state_) {
        return state_;
    }
    if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
        const Error failure = system_error("cannot write to", "standard output", error);
        if (error != EPIPE) {
            state_ = failure;
        }
        return failure;
    }
    return {};
}

void Streams::expect_much() const {
    ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, pipe_bytes); // Fails on what is no pipe.
}

void Streams::note(std::string_view text) { write_all(STDERR_FILENO, text); }

std::string Streams::coloured(std::string_view code, std::string_view text) const {
    if (!colours_) {
        return std::string(text);
    }
    std::string out = "\x1b[";
    out.append(code).append("m").append(text).append("\x1b[0m");
    return out;
}

void Context::on_run(Command& command, Action action) {
    acting_.push_back(&command);
    command.callback([this, action = std::move(action)] {
        // Of a command and one beneath it (`worker list`) the latter is called first, and meant.
        if (!chosen_) {
            chosen_ = action;
        }
    });
}

void Context::add_json(Command& command) {
    command.add_flag("--json", json, "Print JSON, for programs");
}

void Context::add_gateways(Command& command) {
    command
        .add_option("--gateway",
                    gateways,
                    "A trustless gateway to read from what is not here, such as "
                    "http://127.0.0.1:8080; can be given several times")
        ->type_name("URL")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
}

void Context::add_ipfs(Command& command) {
    command
        .add_option("--ipfs",
                    ipfs,
                    "How nodes are connected: embedded (this machine alone), kubo, or kubo:URL "
                    "(default: setting ipfs)")
        ->type_name("MODE");
}

void Context::add_traces(Command& command) {
    command
        .add_option("--otlp-endpoint",
                    otlp_endpoint,
                    "Tell spans to this OpenTelemetry collector, such as http://127.0.0.1:4318 "
                    "(default: setting traces.endpoint, else OTEL_EXPORTER_OTLP_ENDPOINT)")
        ->type_name("URL");
}

void Context::add_log(Command& command) {
    command
        .add_option("--log-format", log_format, "Log lines for people, text, or for programs, json")
        ->one_of({"text", "json"})
        ->group("Logging");
    command.add_option("--log-level", log_level, "The least that is logged")
        ->one_of({"debug", "info", "warning", "error"})
        ->group("Logging");
}

Result<void> Context::plan_log() {
    const config::Settings& values = TRY(load_settings())->values;
    log::LoggerOptions options; // The settings have been checked.
    options.format = log::parse_format(values.log_format).value_or(options.format);
    options.lowest = log::parse_level(values.log_level).value_or(options.lowest);
    options.colours = streams.has_colours() ? log::Colours::ansi : log::Colours::none;
    log_options_ = options;
    return {};
}

log::Logger& Context::open_log() {
    if (!log_) {
        log_ = std::make_unique<log::Logger>(STDERR_FILENO, *log_options_);
    }
    return *log_;
}

bool Context::tell_last(const Error& error) {
    const bool is_json = log_options_ && log_options_->format == log::Format::json;
    if (is_json) {
        open_log().sink()(
            log::Level::error, error.message, {{"error", std::string(name(error.code))}});
    }
    log_.reset(); // What waits is written.
    return is_json;
}

std::vector<std::string> Context::given_settings() const {
    std::vector<std::string> given = settings;
    if (!otlp_endpoint.empty()) {
        given.push_back("traces.endpoint=" + otlp_endpoint);
    }
    if (!metrics_listen.empty()) {
        given.push_back("metrics.listen=" + metrics_listen);
    }
    if (!log_format.empty()) {
        given.push_back("log.format=" + log_format);
    }
    if (!log_level.empty()) {
        given.push_back("log.level=" + log_level);
    }
    constexpr std::string_view kubo_at = "kubo:";
    if (ipfs.starts_with(kubo_at)) {
        given.emplace_back("ipfs=kubo");
        given.push_back("kubo=" + ipfs.substr(kubo_at.size()));
    } else if (!ipfs.empty()) {
        given.push_back("ipfs=" + ipfs);
    }
    if (!gateways.empty()) {
        std::string urls = "gateways=";
        for (const std::string& url : gateways) {
            urls.append(url).append(" ");
        }
        given.push_back(std::move(urls));
    }
    return given;
}

wiring::Warn Context::warn() {
    return [this](std::string_view what) {
        if (log_ && log_->format() == log::Format::json) {
            log_->sink()(log::Level::warning, what);
            return;
        }
        streams.note("ipfs-compute: warning: " + printable(what) + "\n");
    };
}

Result<const config::Home*> Context::open_home() {
    if (!home_) {
        home_ =
            TRY(config::open_home(TRY(config::choose_home(home, &config::process_environment))));
    }
    return &*home_;
}

Result<const config::LoadedSettings*> Context::load_settings() {
    if (!settings_) {
        settings_ = TRY(config::load_settings(
            *TRY(open_home()), &config::process_environment, given_settings()));
    }
    return &*settings_;
}

Result<wiring::Stores*> Context::open_stores() {
    if (!stores_) {
        stores_ =
            TRY(wiring::Stores::open(*TRY(open_home()), TRY(load_settings())->values, warn()));
    }
    return stores_.get();
}

} // namespace ic::cli
