/// Properties: setting a value in any configuration that is accepted gives one that is accepted,
/// says the new value and nothing else that is new; a trust list prints as what it parses to.

#include "base/bytes.h"
#include "config/settings.h"
#include "config/trust.h"

#include <cstdlib>
#include <set>
#include <utility>

namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs pairs_of(const std::vector<ic::config::Assignment>& assignments) {
    Pairs pairs;
    for (const ic::config::Assignment& line : assignments) {
        if (line.key != "kubo") {
            pairs.emplace(line.key, line.value);
        }
    }
    return pairs;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = ic::text_of({data, size});
    const auto trusted = ic::config::parse_trust(text, "fuzz");
    if (trusted &&
        *ic::config::parse_trust(ic::config::print_trust(*trusted), "fuzz") != *trusted) {
        std::abort();
    }
    const auto before = ic::config::parse_config(text, "fuzz");
    if (!before) {
        return 0;
    }
    const auto changed = ic::config::with_setting(text, "fuzz", "kubo", "off");
    if (!changed) {
        return 0; // A way of writing that the editor does not know; it says so.
    }
    const auto after = ic::config::parse_config(*changed, "fuzz");
    if (!after || pairs_of(*before) != pairs_of(*after)) {
        std::abort();
    }
    for (const ic::config::Assignment& line : *after) {
        if (line.key == "kubo" && line.value != "off") {
            std::abort();
        }
    }
    return 0;
}
