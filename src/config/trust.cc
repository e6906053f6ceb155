#include "config/trust.h"

#include "base/file.h"
#include "config/toml.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ic::config {
namespace {

/// What is wrong with the last of `trusted`, or an empty text.
std::string complaint(const std::vector<Trusted>& trusted) {
    const Trusted& last = trusted.back();
    if (!last.did.starts_with("did:key:")) {
        return "an entry needs a did that starts with did:key:";
    }
    if (last.name.size() > limits::trusted_name_bytes_max) {
        return "a name has at most " + std::to_string(limits::trusted_name_bytes_max) + " bytes";
    }
    if (trusted.size() > limits::trusted_max) {
        return "more than " + std::to_string(limits::trusted_max) + " entries";
    }
    const bool is_twice =
        std::ranges::any_of(trusted.begin(), trusted.end() - 1, [&](const Trusted& other) {
            return other.did == last.did || (!last.name.empty() && other.name == last.name);
        });
    return is_twice ? "'" + (last.name.empty() ? last.did : last.name) + "' is there twice" : "";
}

} // namespace

Result<std::vector<Trusted>> parse_trust(std::string_view text, std::string_view file) {
    std::vector<Trusted> trusted;
    std::size_t line = 1;
    std::string entry; // "trusted.4"
    const auto wrong = [&](const std::string& why) {
        return Error{Errc::malformed, std::string(file) + ":" + std::to_string(line) + ": " + why};
    };
    std::vector<TomlValue> values = TRY(parse_toml(text, file, limits::trust_bytes_max));
    // Keys come sorted as text, elements of the array in their order: did and name are neighbours.
    for (TomlValue& value : values) {
        const std::size_t dot = value.key.rfind('.');
        const std::string field = dot == std::string::npos ? "" : value.key.substr(dot + 1);
        const bool is_known =
            value.key.starts_with("trusted.") && value.kind == TomlValue::Kind::text;
        if (is_known && field == "did") {
            if (!trusted.empty()) {
                if (const std::string why = complaint(trusted); !why.empty()) {
                    return wrong(why);
                }
            }
            trusted.push_back({std::move(value.text), {}});
            entry = value.key.substr(0, dot);
        } else if (is_known && field == "name" && value.key.substr(0, dot) == entry) {
            trusted.back().name = std::move(value.text);
        } else {
            line = value.line;
            return wrong("unexpected '" + value.key + "'");
        }
        line = value.line;
    }
    if (!trusted.empty()) {
        if (const std::string why = complaint(trusted); !why.empty()) {
            return wrong(why);
        }
    }
    return trusted;
}

std::string print_trust(const std::vector<Trusted>& trusted) {
    std::string text =
        "# Keys whose jobs and answers are accepted here; see 'ipfs-compute trust --help'.\n";
    for (const Trusted& entry : trusted) {
        text += "\n[[trusted]]\ndid = " + toml_quoted(entry.did) + "\n";
        if (!entry.name.empty()) {
            text += "name = " + toml_quoted(entry.name) + "\n";
        }
    }
    return text;
}

Result<std::vector<Trusted>> load_trust(const std::string& file) {
    const std::optional<Bytes> text = TRY(read_file_if_exists(file, limits::trust_bytes_max));
    if (!text) {
        return std::vector<Trusted>{};
    }
    return parse_trust(text_of(*text), file);
}

Result<void> store_trust(const std::string& file, const std::vector<Trusted>& trusted) {
    const std::string text = print_trust(trusted);
    const Result<std::vector<Trusted>> again = parse_trust(text, file);
    if (!again || *again != trusted) {
        return Error{Errc::usage, again ? "a value that cannot be kept" : again.error().message};
    }
    return write_file(file, bytes_of(text), 0600, IfExists::replace);
}

} // namespace ic::config
