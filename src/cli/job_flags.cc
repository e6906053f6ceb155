#include "cli/job_flags.h"

#include "base/file.h"
#include "base/quantity.h"
#include "base/unique_fd.h"
#include "cli/module_check.h"
#include "job/spec_codec.h"
#include "net/http_client.h"
#include "unixfs/content_path.h"
#include "unixfs/file_builder.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ic::cli {
namespace {

/// Smaller events travel inside the job, as identity CIDs.
constexpr std::size_t inline_event_bytes_max = 64;
/// The job is accepted for this long after it was signed.
constexpr std::int64_t accept_seconds = 3600;

Error usage(std::string message) { return {Errc::usage, std::move(message)}; }

/// Adds what `fd` gives; small content becomes an identity CID if `may_inline`.
Result<Cid> add_from(int fd,
                     const std::string& name,
                     BlockStore& store,
                     const unixfs::Profile& profile,
                     bool may_inline) {
    unixfs::FileBuilder builder(profile, store);
    Bytes piece(std::size_t{1} << 20U);
    Bytes first;
    std::uint64_t total = 0;
    for (;;) {
        const ssize_t got = ::read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EISDIR) {
            return usage(name + " is a folder, and a file is wanted");
        }
        if (got < 0) {
            return system_error("cannot read", name, errno);
        }
        if (got == 0) {
            break;
        }
        const ByteView read{piece.data(), static_cast<std::size_t>(got)};
        total += read.size();
        if (may_inline && total <= inline_event_bytes_max) {
            first.insert(first.end(), read.begin(), read.end());
        }
        TRY(builder.write(read));
    }
    if (may_inline && total <= inline_event_bytes_max) {
        return Cid::v1(Codec::raw, HashCode::identity, first);
    }
    return TRY(builder.finish()).cid;
}

Result<Cid> add_file(const std::string& path,
                     std::string_view flag,
                     BlockStore& store,
                     const unixfs::Profile& profile,
                     bool may_inline) {
    UniqueFd opened;
    int fd = STDIN_FILENO;
    if (path != "-") {
        opened = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!opened) {
            return system_error("cannot open", path, errno).during(flag);
        }
        fd = opened.get();
    }
    Result<Cid> cid = add_from(fd, path, store, profile, may_inline);
    if (!cid) {
        return std::move(cid).take_error().during(flag);
    }
    return cid;
}

/// `NAME=VALUE` pairs, sorted by name.
Result<std::vector<std::pair<std::string, std::string>>>
pairs_of(const std::vector<std::string>& words, std::string_view flag) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return usage(std::string(flag) + " '" + word + "' has to be NAME=VALUE");
        }
        pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    std::ranges::sort(pairs, {}, &std::pair<std::string, std::string>::first);
    const auto twice = std::ranges::adjacent_find(
        pairs, [](const auto& left, const auto& right) { return left.first == right.first; });
    if (twice != pairs.end()) {
        return usage(std::string(flag) + " gives '" + twice->first + "' twice");
    }
    return pairs;
}

Result<Cid> cid_argument(const std::string& text, std::string_view flag) {
    Result<unixfs::ContentPath> path = unixfs::ContentPath::parse(text);
    if (!path) {
        return usage(std::string(flag) + " '" + text + "' is no CID: " + path.error().message);
    }
    if (!path->names.empty()) {
        return usage(std::string(flag) + " '" + text +
                     "' has a path behind its CID; `ipfs-compute ls` prints the file's own CID");
    }
    return path->root;
}

/// `NAME=CID` pairs, sorted by name.
Result<std::vector<std::pair<std::string, Cid>>> cid_pairs_of(const std::vector<std::string>& words,
                                                              std::string_view flag) {
    std::vector<std::pair<std::string, Cid>> pairs;
    for (const auto& [name, text] : TRY(pairs_of(words, flag))) {
        pairs.emplace_back(name, TRY(cid_argument(text, flag)));
    }
    return pairs;
}

/// All of them together; each word may hold several with commas between them.
Result<std::vector<job::Constraint>> constraints_of(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) {
        all += (all.empty() ? "" : ",") + word;
    }
    if (words.empty()) {
        return std::vector<job::Constraint>{};
    }
    Result<std::vector<job::Constraint>> read = job::parse_constraints(all);
    if (!read) {
        return usage("--constraint: " + read.error().message);
    }
    return read;
}

/// As they were given; those that no request of the guest could ever match are errors here.
Result<std::vector<std::string>> hosts_of(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word == "*") {
            return usage("--allow-host '*': a job names each host that it reaches; only a worker "
                         "leaves that to its jobs");
        }
        if (const Result<net::HostRule> rule = net::HostRule::parse(word); !rule) {
            return usage("--allow-host '" + word + "': " + rule.error().message);
        }
        if (std::ranges::count(words, word) > 1) {
            return usage("--allow-host '" + word + "' is given twice");
        }
    }
    return words;
}

Result<Cid> module_of(const JobFlags& flags, BlockStore& store, const unixfs::Profile& profile) {
    if (flags.wasm_cid.empty() == flags.wasm_file.empty()) {
        return usage("give the module by one of --wasm-cid CID and --wasm-file FILE");
    }
    if (!flags.wasm_cid.empty()) {
        return cid_argument(flags.wasm_cid, "--wasm-cid");
    }
    return add_file(flags.wasm_file, "--wasm-file", store, profile, false);
}

/// Leaves `into` as it is if nothing was given.
Result<void>
read_milliseconds(const std::string& text, std::string_view flag, std::uint64_t& into) {
    if (text.empty()) {
        return {};
    }
    Result<std::chrono::milliseconds> value = parse_duration(text);
    if (!value) {
        return std::move(value).take_error().during(flag);
    }
    if (value->count() == 0) {
        return usage(std::string(flag) + " has to be longer than nothing");
    }
    into = static_cast<std::uint64_t>(value->count());
    return {};
}

Result<void> read_size(const std::string& text, std::string_view flag, std::uint64_t& into) {
    if (text.empty()) {
        return {};
    }
    Result<std::uint64_t> value = parse_bytes(text);
    if (!value) {
        return std::move(value).take_error().during(flag);
    }
    into = *value;
    return {};
}

template <class Number>
Result<void> read_number(const std::string& text, std::string_view flag, Number& into) {
    if (text.empty()) {
        return {};
    }
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, into);
    if (problem == std::errc::result_out_of_range && rest == end) {
        return usage(std::string(flag) + " '" + text + "' is too large a number");
    }
    if (problem != std::errc{} || rest != end) {
        return usage(std::string(flag) + " '" + text + "' has to be a whole number");
    }
    return {};
}

Result<void> read_limits(const JobFlags& flags, job::Limits& limits) {
    TRY(read_milliseconds(flags.timeout, "--timeout", limits.wall_ms_max));
    TRY(read_milliseconds(flags.compile_timeout, "--compile-timeout", limits.compile_ms_max));
    TRY(read_milliseconds(flags.cpu_time, "--cpu-time", limits.cpu_ms_max));
    TRY(read_size(flags.memory, "--memory", limits.memory_bytes_max));
    TRY(read_size(flags.module_size, "--module-size", limits.module_bytes_max));
    TRY(read_size(flags.compile_memory, "--compile-memory", limits.compile_memory_bytes_max));
    TRY(read_size(flags.output_size, "--output-size", limits.output_bytes_max));
    TRY(read_size(flags.log_size, "--log-size", limits.log_bytes_max));
    TRY(read_size(flags.add_size, "--add-size", limits.add_bytes_max));
    TRY(read_number(flags.fuel, "--fuel", limits.fuel_max));
    TRY(read_number(flags.table_elements, "--table-elements", limits.table_elements_max));
    TRY(read_number(flags.handles, "--handles", limits.handles_max));
    TRY(read_number(flags.host_calls, "--host-calls", limits.host_calls_max));
    TRY(read_number(flags.curls, "--curls", limits.curls_max));
    for (const job::LimitRow& row : job::limit_rows) {
        if (limits.*row.member > row.most) { // As the job's own check, which knows no flags.
            return Error{Errc::too_large,
                         std::string(row.flag) + " is above " + std::to_string(row.most)};
        }
    }
    return {};
}

/// Offers a text that means "not given" when it is empty, so that it has to be looked whether it
/// was.
Option* add_text(Command& command,
                 JobFlags& flags,
                 std::string JobFlags::* member,
                 const char* flag,
                 const char* help) {
    Option* option = command.add_option(flag, flags.*member, help);
    flags.text_options.emplace_back(option, member);
    return option;
}

/// Where the module comes from.
void add_module_place(Command& command, JobFlags& flags) {
    add_text(command, flags, &JobFlags::wasm_cid, "--wasm-cid", "The module, by CID")
        ->type_name("CID");
    add_text(command,
             flags,
             &JobFlags::wasm_file,
             "--wasm-file",
             "The module, as a file: it is added first")
        ->type_name("FILE");
}

/// The limits that many change.
void add_usual_limits(Command& command, JobFlags& flags) {
    add_text(command,
             flags,
             &JobFlags::timeout,
             "--timeout",
             "The most one attempt may run (default 60s)")
        ->type_name("TIME");
    add_text(command,
             flags,
             &JobFlags::compile_timeout,
             "--compile-timeout",
             "The most the module's compilation may take (default 20s)")
        ->type_name("TIME");
    add_text(command, flags, &JobFlags::memory, "--memory", "The guest's memory (default 256MiB)")
        ->type_name("SIZE");
    add_text(command, flags, &JobFlags::fuel, "--fuel", "The guest's fuel (default: not metered)")
        ->type_name("N");
}

/// The limits that few need to change.
void add_further_limits(Command& command, JobFlags& flags) {
    const auto add_limit =
        [&](const char* flag, std::string JobFlags::* member, const char* help, const char* type) {
            add_text(command, flags, member, flag, help)->type_name(type)->group("Further limits");
        };
    add_limit("--cpu-time", &JobFlags::cpu_time, "Processor time (default: as --timeout)", "TIME");
    add_limit("--module-size", &JobFlags::module_size, "The module itself (default 64MiB)", "SIZE");
    add_limit("--compile-memory",
              &JobFlags::compile_memory,
              "Memory of the module's compilation (default 1GiB)",
              "SIZE");
    add_limit(
        "--table-elements", &JobFlags::table_elements, "Elements of a table (default 100000)", "N");
    add_limit("--output-size",
              &JobFlags::output_size,
              "Standard output and error together (default 16MiB)",
              "SIZE");
    add_limit("--log-size", &JobFlags::log_size, "What it logs (default 1MiB)", "SIZE");
    add_limit("--add-size", &JobFlags::add_size, "What it adds (default 4GiB)", "SIZE");
    add_limit("--handles", &JobFlags::handles, "Handles open at once (default 64)", "N");
    add_limit(
        "--host-calls", &JobFlags::host_calls, "Calls of host functions (default 1000000000)", "N");
    add_limit("--curls", &JobFlags::curls, "HTTP responses open at once (default 8)", "N");
}

/// How long the stages may take that are not the run, and how often one is tried again.
void add_stages(Command& command, JobFlags& flags) {
    const auto add_time = [&](const char* flag, std::string JobFlags::* member, const char* help) {
        add_text(command, flags, member, flag, help)->type_name("TIME")->group("Stages");
    };
    add_time("--queue-timeout",
             &JobFlags::queue_timeout,
             "Until a worker is there that may take it (default 60s)");
    add_time("--claim-timeout",
             &JobFlags::claim_timeout,
             "Until a worker has begun an attempt (default 30s)");
    add_time("--fetch-timeout",
             &JobFlags::fetch_timeout,
             "Until module and event are there, one attempt (default 60s)");
    add_time("--publish-timeout",
             &JobFlags::publish_timeout,
             "Until the results are stored, one attempt (default 60s)");
    add_time("--total-timeout",
             &JobFlags::total_timeout,
             "The most the job may take, over all stages and attempts (default 10m)");
    command
        .add_option("--retries",
                    flags.retries,
                    "How often a failure that may pass elsewhere is tried again (default 5)")
        ->between(0, job::limits::attempts_max)
        ->type_name("N")
        ->group("Stages");
}

Result<void> read_timeouts(const JobFlags& flags, job::StageTimeouts& timeouts) {
    TRY(read_milliseconds(flags.total_timeout, "--total-timeout", timeouts.total_ms_max));
    timeouts.queue_ms_max = std::min(timeouts.queue_ms_max, timeouts.total_ms_max);
    TRY(read_milliseconds(flags.queue_timeout, "--queue-timeout", timeouts.queue_ms_max));
    TRY(read_milliseconds(flags.claim_timeout, "--claim-timeout", timeouts.claim_ms_max));
    TRY(read_milliseconds(flags.fetch_timeout, "--fetch-timeout", timeouts.fetch_ms_max));
    TRY(read_milliseconds(flags.publish_timeout, "--publish-timeout", timeouts.publish_ms_max));
    timeouts.attempts_max =
        static_cast<std::uint32_t>(flags.retries.value_or(timeouts.attempts_max));
    return {};
}

} // namespace

void add_job_flags(Command& command, Context& context, JobFlags& flags) {
    context.take_guest_words(command);
    // One value each time: the word behind it is not swallowed.
    const auto add_list = [&command](const char* flag,
                                     std::vector<std::string>& into,
                                     const char* help,
                                     const char* type_name) {
        command.add_option(flag, into, help)
            ->type_name(type_name)
            ->expected(1)
            ->allow_extra_args(false)
            ->take_all();
    };
    add_text(command,
             flags,
             &JobFlags::job_file,
             "--job-file",
             "Flags of the job, written down as JSON or TOML; - is standard input, as JSON")
        ->type_name("FILE");
    command.add_option("--handler", flags.handler, "Exported function to call (default _start)")
        ->type_name("NAME");
    add_module_place(command, flags);
    add_list("--import",
             flags.imports,
             "A module that the module imports from by this name, again for more",
             "NAME=CID");
    add_text(command,
             flags,
             &JobFlags::event,
             "--event",
             "What the guest reads on standard input; - is ours")
        ->type_name("FILE");
    add_list(
        "--input", flags.inputs, "A named input; the guest finds it as $INPUT_NAME", "NAME=CID");
    add_list(
        "--arg", flags.arguments, "One argument of the guest, again for more; or -- ARGS", "TEXT");
    add_list("--env", flags.environment, "A variable of the guest", "NAME=VALUE");
    add_usual_limits(command, flags);
    add_further_limits(command, flags);
    add_stages(command, flags);
    add_list("--allow-host",
             flags.allow_hosts,
             "A host the guest may reach, HOST or HOST:PORT; makes the job impure",
             "HOST");
    flags.impure_option = command.add_flag(
        "--impure", flags.is_impure, "The job has effects: real clock and randomness");
    add_text(command,
             flags,
             &JobFlags::nonce,
             "--nonce",
             "Makes this a job of its own, never answered from an "
             "earlier receipt; 'random' draws one")
        ->type_name("TEXT");
    flags.no_cache_option =
        command.add_flag("--no-cache", flags.no_cache, "Run even if a receipt could answer");
    command.add_option("--priority", flags.priority, "0 to 9, 9 first")
        ->between(0, 9)
        ->type_name("N");
    add_list("--label", flags.labels, "A label, for `job list --label`", "NAME=VALUE");
    add_list("--constraint",
             flags.constraints,
             "What the worker's labels have to be: KEY=VALUE, KEY!=VALUE, KEY, !KEY, KEY in (A,B)",
             "CONSTRAINT");
}

Result<void> check_given(const JobFlags& flags) {
    for (const auto& [option, member] : flags.text_options) {
        if (option->count() > 0 && (flags.*member).empty()) {
            return usage(option->name() + " is empty; leave it out, or give it a value");
        }
    }
    std::uint64_t fuel = 1;
    TRY(read_number(flags.fuel, "--fuel", fuel));
    if (fuel == 0) {
        return usage("--fuel 0 lets no guest do anything; leave it out for no limit");
    }
    return {};
}

Result<job::JobSpec> spec_of(const JobFlags& flags,
                             const std::vector<std::string>& guest_words,
                             BlockStore& store,
                             const unixfs::Profile& profile) {
    job::JobSpec spec;
    spec.module = TRY(module_of(flags, store, profile));
    spec.handler = flags.handler.value_or(spec.handler);
    spec.arguments = flags.arguments;
    spec.arguments.insert(spec.arguments.end(), guest_words.begin(), guest_words.end());
    spec.environment = TRY(pairs_of(flags.environment, "--env"));
    spec.inputs = TRY(cid_pairs_of(flags.inputs, "--input"));
    spec.imports = TRY(cid_pairs_of(flags.imports, "--import"));
    if (const Result<void> fits = job::check_imports(spec.imports); !fits) {
        return usage("--import: " + fits.error().message);
    }
    if (!flags.event.empty()) {
        spec.event = TRY(add_file(flags.event, "--event", store, profile, true));
    }
    spec.constraints = TRY(constraints_of(flags.constraints));
    TRY(read_limits(flags, spec.limits));
    spec.allow_hosts = TRY(hosts_of(flags.allow_hosts));
    spec.effects =
        flags.is_impure || !flags.allow_hosts.empty() ? job::Effects::impure : job::Effects::pure;
    TRY(check_module(store, spec));
    if (!flags.wasm_file.empty() || (spec.event && spec.event->hash() != HashCode::identity)) {
        TRY(store.sync());
    }
    return spec;
}

Result<job::Invocation>
invocation_of(const JobFlags& flags, job::JobSpec spec, const PublicKey& key, UnixSeconds now) {
    job::Invocation invocation;
    invocation.issuer = key;
    invocation.audience = key;
    invocation.spec = std::move(spec);
    invocation.labels = TRY(pairs_of(flags.labels, "--label"));
    invocation.priority = static_cast<std::uint32_t>(flags.priority.value_or(0));
    invocation.issued_at = now;
    invocation.expires_at = UnixSeconds{now.value + accept_seconds};
    if (flags.nonce == "random") {
        invocation.nonce.resize(16);
        if (::getrandom(invocation.nonce.data(), invocation.nonce.size(), 0) != 16) {
            return Error{Errc::internal, "the kernel gives no random bytes"};
        }
    } else {
        invocation.nonce = copy_of(bytes_of(flags.nonce));
    }
    TRY(read_timeouts(flags, invocation.timeouts));
    return invocation;
}

} // namespace ic::cli
