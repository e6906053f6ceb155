#include "config/settings.h"

#include "base/file.h"
#include "base/quantity.h"
#include "base/text.h"
#include "config/toml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace ic::config {
namespace {

std::string no_complaint(const Settings&) { return {}; }

std::string complain_unless(bool fine, std::string_view what) {
    return fine ? std::string{} : std::string(what);
}

/// Roughly: who opens them looks closely.
bool are_web_addresses(const std::string& text) {
    constexpr std::size_t urls_max = 16;
    std::istringstream words(text);
    std::size_t urls = 0;
    for (std::string word; words >> word; ++urls) {
        if (!word.starts_with("http://") && !word.starts_with("https://")) {
            return false;
        }
    }
    return urls <= urls_max;
}

/// Roughly: who compares them with a peer's name looks closely.
bool are_peer_ids(const std::string& text) {
    constexpr std::size_t peers_max = 64;
    std::istringstream words(text);
    std::set<std::string> seen;
    for (std::string word; words >> word;) {
        const bool is_one = word.starts_with("12D3KooW") || word.starts_with("Qm");
        if (!is_one || !seen.insert(word).second) {
            return false;
        }
    }
    return seen.size() <= peers_max;
}

/// As executor::channel::WallSet reads them.
bool are_walls(const std::string& text) {
    constexpr std::array<std::string_view, 7> names{
        "none", "all", "network", "files", "capabilities", "system-calls", "resources"};
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (std::ranges::find(names, std::string_view(word)) == names.end()) {
            return false;
        }
    }
    return true;
}

/// Roughly: job::parse_worker_labels looks closely.
bool are_pairs(const std::string& text) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (word.find('=') == std::string::npos || word.starts_with('=')) {
            return false;
        }
    }
    return true;
}

const std::array<Setting, 20> settings_table{{
    {"gateways",
     &Settings::gateways,
     "Trustless gateways to read blocks from that are not here, URLs with blanks between them",
     [](const Settings& settings) {
         return complain_unless(are_web_addresses(settings.gateways),
                                "must be http:// or https:// URLs, at most 16");
     }},
    {"import.profile",
     &Settings::import_profile,
     "How files become blocks: unixfs-v1-2025, or unixfs-v0-2015 as plain 'ipfs add' does",
     [](const Settings& settings) {
         return complain_unless(settings.import_profile == "unixfs-v1-2025" ||
                                    settings.import_profile == "unixfs-v0-2015",
                                "must be unixfs-v1-2025 or unixfs-v0-2015");
     }},
    {"ipfs",
     &Settings::ipfs,
     "How nodes are connected: embedded (this machine alone), or kubo (through a Kubo's pubsub)",
     [](const Settings& settings) {
         return complain_unless(settings.ipfs == "embedded" || settings.ipfs == "kubo",
                                "must be embedded or kubo");
     }},
    {"isolation.processes",
     &Settings::isolation_processes,
     "Whose jobs one executor process runs: everybody's (shared), or one submitter's alone",
     [](const Settings& settings) {
         return complain_unless(settings.isolation_processes == "shared" ||
                                    settings.isolation_processes == "submitter",
                                "must be shared or submitter");
     }},
    {"isolation.require",
     &Settings::isolation_require,
     "Walls around guests without which nothing runs: none, all, or of network files capabilities "
     "system-calls resources",
     [](const Settings& settings) {
         return complain_unless(are_walls(settings.isolation_require),
                                "must be none, all, or of network files capabilities system-calls "
                                "resources those that have to stand, with blanks between them");
     }},
    {"kubo",
     &Settings::kubo,
     "Where to read blocks that are not here: auto ($IPFS_PATH/api, else port 5001), off, or a URL",
     [](const Settings& settings) {
         return complain_unless(settings.kubo == "auto" || settings.kubo == "off" ||
                                    settings.kubo.starts_with("http://") ||
                                    settings.kubo.starts_with("/"),
                                "must be auto, off, http://HOST:PORT or a multiaddr");
     }},
    {"kubo_gateway",
     &Settings::kubo_gateway,
     "Where that Kubo's HTTP gateway is, for whole DAGs: auto (as its config says), off, or a URL",
     [](const Settings& settings) {
         return complain_unless(settings.kubo_gateway == "auto" || settings.kubo_gateway == "off" ||
                                    settings.kubo_gateway.starts_with("http://") ||
                                    settings.kubo_gateway.starts_with("https://"),
                                "must be auto, off or http://HOST:PORT");
     }},
    {"kubo_timeout_ms",
     &Settings::kubo_timeout_ms,
     "How long Kubo may look for one block, milliseconds",
     [](const Settings& settings) {
         return complain_unless(settings.kubo_timeout_ms >= 1 &&
                                    settings.kubo_timeout_ms <= 3'600'000,
                                "must be 1 to 3600000");
     }},
    {"kubo_token",
     &Settings::kubo_token,
     "What Kubo's API wants to see: bearer:TOKEN or basic:USER:PASSWORD; empty: nothing",
     [](const Settings& settings) {
         return complain_unless(settings.kubo_token.empty() ||
                                    settings.kubo_token.starts_with("bearer:") ||
                                    settings.kubo_token.starts_with("basic:"),
                                "must be bearer:TOKEN or basic:USER:PASSWORD");
     }},
    {"log.format",
     &Settings::log_format,
     "What log lines are: text for people, json for programs",
     [](const Settings& settings) {
         return complain_unless(settings.log_format == "text" || settings.log_format == "json",
                                "must be text or json");
     }},
    {"log.level",
     &Settings::log_level,
     "The least that is logged: debug, info, warning or error",
     [](const Settings& settings) {
         constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};
         return complain_unless(std::ranges::count(levels, settings.log_level) == 1,
                                "must be debug, info, warning or error");
     }},
    {"metrics.listen",
     &Settings::metrics_listen,
     "Where a worker answers Prometheus: off, PORT (of 127.0.0.1), or ADDRESS:PORT",
     [](const Settings& settings) {
         const std::string& listen = settings.metrics_listen;
         const bool is_port =
             !listen.empty() && listen.find_first_not_of("0123456789") == std::string::npos;
         return complain_unless(listen == "off" || is_port || listen.find(':') != listen.npos,
                                "must be off, PORT or ADDRESS:PORT, an IPv6 address in brackets");
     }},
    {"network.advertise",
     &Settings::network_advertise,
     "URLs under which other nodes reach this one, with blanks between them; empty: its addresses",
     [](const Settings& settings) {
         return complain_unless(are_web_addresses(settings.network_advertise),
                                "must be http:// or https:// URLs, at most 16");
     }},
    {"network.listen",
     &Settings::network_listen,
     "Where other nodes are let in: auto (all addresses, any port), off, or ADDRESS:PORT",
     [](const Settings& settings) {
         return complain_unless(settings.network_listen == "auto" ||
                                    settings.network_listen == "off" ||
                                    settings.network_listen.find(':') != std::string::npos,
                                "must be auto, off or ADDRESS:PORT, an IPv6 address in brackets");
     }},
    {"policy.unsigned_peers",
     &Settings::policy_unsigned_peers,
     "Kubo peers whose unsigned jobs on the topic ipfs-compute run here, peer IDs with blanks "
     "between them; empty: nobody's",
     [](const Settings& settings) {
         return complain_unless(are_peer_ids(settings.policy_unsigned_peers),
                                "must be peer IDs, 12D3KooW... or Qm..., each once, at most 64; "
                                "'ipfs id' prints a Kubo's own");
     }},
    {"store.bytes_max",
     &Settings::store_bytes_max,
     "Quota of the block store, bytes; 0: none",
     &no_complaint},
    {"store.keep_results",
     &Settings::store_keep_results,
     "How long a collection keeps what ended jobs read and wrote: 12h, 7d",
     [](const Settings& settings) {
         const Result<std::chrono::milliseconds> kept = parse_duration(settings.store_keep_results);
         return complain_unless(kept.ok(), "must be a duration such as 12h or 7d");
     }},
    {"traces.endpoint",
     &Settings::traces_endpoint,
     "Where spans of jobs go by OTLP/HTTP: off, or a URL such as http://127.0.0.1:4318",
     [](const Settings& settings) {
         const std::string& url = settings.traces_endpoint;
         return complain_unless(
             url == "off" || (are_web_addresses(url) && !url.empty() && url.find(' ') == url.npos),
             "must be off or an http:// or https:// URL");
     }},
    {"worker.labels",
     &Settings::worker_labels,
     "What jobs may ask of this machine's workers, KEY=VALUE with blanks between them: region=eu",
     [](const Settings& settings) {
         return complain_unless(are_pairs(settings.worker_labels),
                                "must be KEY=VALUE words with blanks between them");
     }},
    {"worker.slots",
     &Settings::worker_slots,
     "Jobs that a worker runs at once; 0: one a core",
     [](const Settings& settings) {
         return complain_unless(settings.worker_slots <= 256, "must be 0 to 256");
     }},
}};

const Setting* find_setting(std::string_view key) {
    const auto* const found = std::ranges::find(settings_table, key, &Setting::key);
    return found == settings_table.end() ? nullptr : found;
}

std::string unknown_key(std::string_view key) {
    std::vector<std::string> keys;
    for (const Setting& setting : settings_table) {
        keys.emplace_back(setting.key);
    }
    const std::string meant = closest_word(key, keys);
    return "unknown setting '" + std::string(key) + "'" +
           (meant.empty() ? "; 'ipfs-compute config show' lists them"
                          : "; did you mean '" + meant + "'?");
}

bool takes_text(const Setting& setting) {
    return std::holds_alternative<std::string Settings::*>(setting.member);
}

std::string value_in(const Settings& settings, const Setting& setting) {
    if (const auto* text = std::get_if<std::string Settings::*>(&setting.member)) {
        return settings.**text;
    }
    return std::to_string(settings.*std::get<std::uint64_t Settings::*>(setting.member));
}

std::string variable_of(std::string_view key) {
    std::string name = "IPFS_COMPUTE_";
    for (const char letter : key) {
        name.push_back(letter == '.'                    ? '_'
                       : letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A')
                                                        : letter);
    }
    return name;
}

} // namespace

std::span<const Setting> all_settings() { return settings_table; }

Result<void> assign(Settings& settings, std::string_view key, std::string_view value) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr) {
        return Error{Errc::usage, unknown_key(key)};
    }
    const auto wrong = [&](const std::string& why) {
        return Error{Errc::usage,
                     std::string(key) + " " + why + ", not '" + std::string(value) + "'"};
    };
    if (value.size() > limits::value_bytes_max) {
        return Error{Errc::usage, "the value of " + std::string(key) + " is too long"};
    }
    Settings changed = settings;
    if (const auto* text = std::get_if<std::string Settings::*>(&setting->member)) {
        changed.** text = value;
    } else {
        std::uint64_t number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size()) {
            return wrong("must be a whole number");
        }
        changed.*std::get<std::uint64_t Settings::*>(setting->member) = number;
    }
    if (const std::string why = setting->complaint(changed); !why.empty()) {
        return wrong(why);
    }
    settings = std::move(changed);
    return {};
}

Result<std::vector<Assignment>> parse_config(std::string_view text, std::string_view name) {
    std::vector<TomlValue> values = TRY(parse_toml(text, name, limits::config_bytes_max));
    std::vector<Assignment> assignments;
    for (TomlValue& value : values) {
        const std::string where = std::string(name) + ":" + std::to_string(value.line) + ": ";
        const Setting* setting = find_setting(value.key);
        if (setting == nullptr) {
            return Error{Errc::malformed, where + unknown_key(value.key)};
        }
        const bool is_text = value.kind == TomlValue::Kind::text;
        if (is_text != takes_text(*setting) || value.kind == TomlValue::Kind::other) {
            return Error{Errc::malformed,
                         where + value.key + " must be " +
                             (takes_text(*setting) ? "text in quotes" : "a whole number")};
        }
        Settings scratch;
        if (Result<void> fine = assign(scratch, value.key, value.text); !fine) {
            return Error{Errc::malformed, where + fine.error().message};
        }
        assignments.push_back({std::move(value.key), std::move(value.text), value.line});
    }
    std::ranges::sort(assignments, {}, &Assignment::key);
    return assignments;
}

Result<std::string> with_setting(std::string_view text,
                                 std::string_view name,
                                 std::string_view key,
                                 std::string_view value) {
    Settings scratch;
    TRY(assign(scratch, key, value));
    std::vector<Assignment> wanted = TRY(parse_config(text, name));
    const Setting& setting = *find_setting(key);
    const std::string literal = takes_text(setting) ? toml_quoted(value) : std::string(value);
    std::string changed = TRY(edit_toml(text, name, key, literal, limits::config_bytes_max));

    // The edit is done in text; what it means is checked, and nothing else may have changed.
    const auto old = std::ranges::find(wanted, key, &Assignment::key);
    if (old != wanted.end()) {
        old->value = value_in(scratch, setting);
    } else {
        wanted.push_back({std::string(key), value_in(scratch, setting), 0});
        std::ranges::sort(wanted, {}, &Assignment::key);
    }
    const Result<std::vector<Assignment>> again = parse_config(changed, name);
    const auto same = [](const Assignment& left, const Assignment& right) {
        return left.key == right.key && left.value == right.value;
    };
    if (!again || !std::ranges::equal(*again, wanted, same)) {
        return Error{Errc::unsupported,
                     "cannot set " + std::string(key) + " in " + std::string(name) +
                         " as it is written; change that file with an editor"};
    }
    return changed;
}

Result<LoadedSettings>
load_settings(const Home& home, Environment environment, std::span<const std::string> flags) {
    LoadedSettings loaded;
    for (const Setting& setting : settings_table) {
        loaded.effective.push_back({std::string(setting.key), {}, "default"});
    }
    const auto take =
        [&](std::string_view key, std::string_view value, std::string source) -> Result<void> {
        TRY(assign(loaded.values, key, value));
        std::ranges::find(loaded.effective, key, &EffectiveSetting::key)->source =
            std::move(source);
        return {};
    };
    const std::string file = home.config_file();
    if (const std::optional<Bytes> text =
            TRY(read_file_if_exists(file, limits::config_bytes_max))) {
        for (const Assignment& line : TRY(parse_config(text_of(*text), file))) {
            TRY(take(line.key, line.value, file + ":" + std::to_string(line.line)));
        }
    }
    for (const Setting& setting : settings_table) {
        const std::string variable = variable_of(setting.key);
        if (const std::string value = environment(variable.c_str()); !value.empty()) {
            if (Result<void> taken = take(setting.key, value, variable); !taken) {
                return std::move(taken).take_error().during(variable);
            }
        }
    }
    for (const std::string& flag : flags) {
        const std::size_t equals = flag.find('=');
        if (equals == std::string::npos) {
            return Error{Errc::usage, "--set wants KEY=VALUE, not '" + flag + "'"};
        }
        TRY(take(flag.substr(0, equals), flag.substr(equals + 1), "--set"));
    }
    for (EffectiveSetting& setting : loaded.effective) {
        setting.value = value_in(loaded.values, *find_setting(setting.key));
        if (setting.key == "kubo_token" && !setting.value.empty()) {
            setting.value = "(set)"; // A secret: whoever looks at settings need not see it.
        }
    }
    return loaded;
}

Result<void> store_setting(const Home& home, std::string_view key, std::string_view value) {
    const std::string file = home.config_file();
    const std::optional<Bytes> old = TRY(read_file_if_exists(file, limits::config_bytes_max));
    const std::string changed =
        TRY(with_setting(old ? text_of(*old) : std::string_view{}, file, key, value));
    return write_file(file, bytes_of(changed), 0600, IfExists::replace);
}

} // namespace ic::config
