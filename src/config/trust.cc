#include "config/trust.h"

#include "base/file.h"
#include "config/toml.h"

#include <algorithm>
#include <optional>
#include <sstream>
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
    if (last.at.size() > limits::trusted_addresses_max) {
        return "an entry has at most " + std::to_string(limits::trusted_addresses_max) +
               " addresses";
    }
    for (const std::string& address : last.at) {
        const bool is_one =
            address.starts_with('/') && address.size() <= limits::trusted_address_bytes_max &&
            std::ranges::all_of(address, [](char c) { return c > ' ' && c < '\x7f'; });
        if (!is_one) {
            return "an entry of 'at' is no multiaddr, or has more than " +
                   std::to_string(limits::trusted_address_bytes_max) + " bytes";
        }
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

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(std::move(word));
    }
    return words;
}

/// Takes one value of an entry; false if there is no such.
bool take_field(std::string_view field, TomlValue& value, Trusted& entry) {
    if (value.kind != TomlValue::Kind::text) {
        return false;
    }
    if (field == "did") {
        entry.did = std::move(value.text);
    } else if (field == "name") {
        entry.name = std::move(value.text);
    } else if (field == "at") {
        entry.at = words_of(value.text);
    } else {
        return false;
    }
    return true;
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
    // Elements of the array come in their order, the fields of each together.
    for (TomlValue& value : values) {
        const std::size_t dot = value.key.rfind('.');
        const std::string of = dot == std::string::npos ? "" : value.key.substr(0, dot);
        const bool is_entry = of.starts_with("trusted.") && of.find('.', 8) == std::string::npos;
        if (is_entry && of != entry) {
            if (!trusted.empty()) {
                if (const std::string why = complaint(trusted); !why.empty()) {
                    return wrong(why);
                }
            }
            trusted.emplace_back();
            entry = of;
        }
        line = value.line;
        if (!is_entry || !take_field(value.key.substr(dot + 1), value, trusted.back())) {
            return wrong("unexpected '" + value.key + "'");
        }
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
        if (!entry.at.empty()) {
            std::string addresses;
            for (const std::string& address : entry.at) {
                addresses += (addresses.empty() ? "" : " ") + address;
            }
            text += "at = " + toml_quoted(addresses) + "\n";
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

std::vector<Trusted> with_trusted(std::vector<Trusted> trusted, Trusted entry) {
    const auto is_taken = [&](const std::string& name) {
        return std::ranges::any_of(trusted, [&](const Trusted& other) {
            return other.did != entry.did && other.name == name;
        });
    };
    const std::string wanted = entry.name;
    for (int number = 2; !entry.name.empty() && is_taken(entry.name); ++number) {
        const std::string more = " " + std::to_string(number);
        std::size_t size = std::min(wanted.size(), limits::trusted_name_bytes_max - more.size());
        while (size > 0 && size < wanted.size() &&
               (static_cast<unsigned char>(wanted[size]) & 0xc0U) == 0x80U) {
            --size; // Not within a letter of several bytes.
        }
        entry.name = wanted.substr(0, size) + more;
    }
    const auto same = std::ranges::find(trusted, entry.did, &Trusted::did);
    if (same == trusted.end()) {
        trusted.push_back(std::move(entry));
        return trusted;
    }
    same->name = entry.name.empty() ? same->name : entry.name;
    same->at = entry.at.empty() ? same->at : std::move(entry.at);
    return trusted;
}

} // namespace ic::config
