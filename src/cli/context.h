#pragma once
/// Context: what every command is given. Commands open nothing that they do not need.

#include "base/result.h"
#include "cli/command_line.h"
#include "config/home.h"
#include "config/settings.h"
#include "log/logger.h"
#include "metrics/registry.h"
#include "wiring/stores.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::cli {

/// Standard output and error of this process. Output is collected and written in large pieces;
/// `flush` (the frame does it at the end) tells whether all of it arrived: after the first piece
/// that could not be written nothing more is, and the error stays. Only a reader that is gone
/// (EPIPE) is no loss for anybody: it is an error of that one call. Threads: one.
class Streams {
public:
    /// Looks at descriptors 1 and 2 and at NO_COLOR and TERM.
    Streams();

    /// Queues for standard output. Errors: unavailable when it cannot be written.
    Result<void> print(std::string_view text);
    Result<void> flush();

    /// Much is going to be printed: makes a pipe at standard output as large as the system allows,
    /// so that it takes whole blocks.
    void expect_much() const;

    /// Writes to standard error at once.
    void note(std::string_view text);

    bool out_is_terminal() const { return out_is_terminal_; }

    bool err_is_terminal() const { return err_is_terminal_; }

    /// Whether standard error is a terminal that is to show colours.
    bool has_colours() const { return colours_; }

    /// `text` in an ANSI colour (such as "31") on standard error where that is a terminal.
    std::string coloured(std::string_view code, std::string_view text) const;

private:
    Result<void> write_out(std::string_view text);

    std::string waiting_;
    Result<void> state_; ///< The first error of standard output that stays.
    bool out_is_terminal_;
    bool err_is_terminal_;
    bool colours_;
};

/// What a command does: its exit status (0, or the guest's own), or the error to print.
using Action = std::function<Result<int>()>;

/// Handed to every `add_<command>`; outlives the parsed command line. Opens each thing when it is
/// first asked for.
class Context {
public:
    Streams streams;
    bool json = false; ///< `--json` was given; only where `add_json` offered it.
    /// What was printed as JSON says already how the command failed.
    bool json_tells_error = false;
    std::string home;                  ///< `--home`; empty: environment or default.
    std::vector<std::string> settings; ///< `--set KEY=VALUE`, in order.
    std::vector<std::string> gateways; ///< `--gateway URL`; only where `add_gateways` offered it.
    std::string ipfs;                  ///< `--ipfs`; only where `add_ipfs` offered it.
    std::string
        log_format; ///< `--log-format` and `--log-level`; only where `add_log` offered them.
    std::string log_level;
    std::string metrics_listen;          ///< `--metrics-listen`; only where it is offered.
    std::string otlp_endpoint;           ///< `--otlp-endpoint`; only where `add_traces` offered it.
    metrics::Registry* counts = nullptr; ///< Set by commands that count; outlives what is opened.
    /// What stands behind `--`, as it is; only of commands that `take_guest_words` was called for.
    std::vector<std::string> guest_words;

    /// The home, made if it is missing. Lifetime of all three: as this.
    Result<const config::Home*> open_home();
    Result<const config::LoadedSettings*> load_settings();
    Result<wiring::Stores*> open_stores();

    /// Makes `action` what the program does when `command` is chosen. Its captures live as long as
    /// the program: commands keep their options in a shared_ptr that the action alone holds on to.
    void on_run(Command& command, Action action);

    /// Offers `--json`.
    void add_json(Command& command);

    /// Offers `--gateway`, to commands that read what may not be here.
    void add_gateways(Command& command);

    /// Offers `--ipfs`, to commands that are nodes or hand something to one.
    void add_ipfs(Command& command);

    /// Offers `--otlp-endpoint`, to commands whose work is traced.
    void add_traces(Command& command);

    /// Offers `--log-format` and `--log-level`, to commands that log.
    void add_log(Command& command);

    /// Makes this command one that logs: from here on its last error has the log's form too. Starts
    /// no thread. Errors: of the settings.
    Result<void> plan_log();

    /// The log, on standard error; opened (with a thread) when it is first asked for.
    /// Requires: `plan_log` was ok. Lifetime: as this, or until `tell_last`.
    log::Logger& open_log();

    /// Tells the error that ends a command that logs as JSON, after all that was logged before.
    /// False: the command does not.
    bool tell_last(const Error& error);

    /// What the flags set: `settings`, and those that are short for one.
    std::vector<std::string> given_settings() const;

    /// Prints a sentence on standard error. Lifetime: as this.
    wiring::Warn warn();

    /// Lets `command` be followed by `--` and words for the guest. Other words stay errors.
    void take_guest_words(const Command& command) { with_guest_words_.push_back(&command); }

    bool takes_guest_words(const Command* command) const {
        return std::ranges::count(with_guest_words_, command) > 0;
    }

    /// Whether it does something itself, beside what is beneath it.
    bool acts(const Command* command) const { return std::ranges::count(acting_, command) > 0; }

    /// What was chosen; empty before parsing.
    const Action& chosen() const { return chosen_; }

private:
    Action chosen_;
    std::optional<config::Home> home_;
    std::optional<config::LoadedSettings> settings_;
    std::optional<log::LoggerOptions> log_options_; ///< Nothing: it does not log.
    std::unique_ptr<log::Logger> log_;              ///< Longer than the stores, which warn.
    std::unique_ptr<wiring::Stores> stores_;
    std::vector<const Command*> with_guest_words_;
    std::vector<const Command*> acting_; ///< Those of `on_run`.
};

} // namespace ic::cli
