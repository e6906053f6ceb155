#include "job/provider.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace ic::job {
namespace {

/// Ours: peer IDs in base58btc have 46 to 52 characters; others are refused.
constexpr std::size_t peer_bytes_min = 46;
constexpr std::size_t peer_bytes_max = 64;

Error malformed(std::string_view text) {
    return {Errc::malformed, "'" + printable(text) + "' is no address of an IPFS node"};
}

/// Takes "/PART" from the front of `rest`; nothing if there is none.
std::optional<std::string_view> take_part(std::string_view& rest) {
    if (!rest.starts_with('/')) {
        return std::nullopt;
    }
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const std::string_view part = rest.substr(1, end - 1);
    rest.remove_prefix(end);
    return part;
}

bool take_word(std::string_view& rest, std::string_view word) {
    std::string_view after = rest;
    if (take_part(after) != word) {
        return false;
    }
    rest = after;
    return true;
}

template <class Number>
std::optional<Number> number_of(std::string_view digits) {
    Number number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_all = error == std::errc{} && end == digits.data() + digits.size();
    const bool is_shortest = digits.size() == 1 || !digits.starts_with('0');
    return is_all && is_shortest ? std::optional(number) : std::nullopt;
}

bool is_dotted(std::string_view text) {
    for (int group = 0; group < 4; ++group) {
        const std::size_t end = group < 3 ? text.find('.') : text.size();
        if (end == std::string_view::npos || !number_of<std::uint8_t>(text.substr(0, end))) {
            return false;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return text.empty();
}

bool is_ip6_text(std::string_view text) {
    constexpr std::size_t longest = 45; // With a dotted address at its end.
    return text.size() >= 2 && text.size() <= longest && text.find(':') != text.npos &&
           std::ranges::all_of(text, [](char letter) {
               return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') ||
                      letter == ':' || letter == '.';
           });
}

bool is_peer(std::string_view text) {
    return text.size() >= peer_bytes_min && text.size() <= peer_bytes_max &&
           std::ranges::all_of(text, [](char letter) {
               const bool is_alnum = (letter >= '1' && letter <= '9') ||
                                     (letter >= 'A' && letter <= 'Z') ||
                                     (letter >= 'a' && letter <= 'z');
               return is_alnum && letter != 'I' && letter != 'O' && letter != 'l';
           });
}

/// "/p2p/PEER"
std::optional<std::string> take_peer(std::string_view& rest) {
    if (!take_word(rest, "p2p")) {
        return std::nullopt;
    }
    const std::optional<std::string_view> peer = take_part(rest);
    return peer && is_peer(*peer) ? std::optional(std::string(*peer)) : std::nullopt;
}

} // namespace

Result<Provider> Provider::parse(std::string_view text) {
    if (text.size() > limits::provider_bytes_max) {
        return Error{Errc::too_large,
                     "the address of an IPFS node has more than " +
                         std::to_string(limits::provider_bytes_max) + " bytes"};
    }
    std::string_view rest = text;
    Provider provider;
    provider.is_ip6 = take_word(rest, "ip6");
    if (!provider.is_ip6 && !take_word(rest, "ip4")) {
        return text.starts_with('/')
                   ? Error{Errc::unsupported, "'" + printable(text) + "' is no ip4 or ip6 address"}
                   : malformed(text);
    }
    const std::optional<std::string_view> ip = take_part(rest);
    if (!ip || !(provider.is_ip6 ? is_ip6_text(*ip) : is_dotted(*ip))) {
        return malformed(text);
    }
    provider.ip = *ip;
    const std::optional<std::string_view> kind = take_part(rest);
    const std::optional<std::string_view> digits = take_part(rest);
    const std::optional<std::uint16_t> port =
        digits ? number_of<std::uint16_t>(*digits) : std::nullopt;
    if (!kind || !port || *port == 0) {
        return malformed(text);
    }
    provider.port = *port;
    provider.transport = kind == "udp" ? Transport::quic : Transport::tcp;
    if ((kind != "tcp" && kind != "udp") || (kind == "udp" && !take_word(rest, "quic-v1"))) {
        return Error{Errc::unsupported, "'" + printable(text) + "' is neither tcp nor quic-v1"};
    }
    std::optional<std::string> peer = take_peer(rest);
    if (peer && take_word(rest, "p2p-circuit")) {
        provider.relay = std::move(peer);
        peer = take_peer(rest);
    }
    if (!peer || !rest.empty()) {
        return malformed(text);
    }
    provider.peer = std::move(*peer);
    return provider;
}

std::string Provider::to_string() const {
    std::string text = (is_ip6 ? "/ip6/" : "/ip4/") + ip;
    text += transport == Transport::tcp ? "/tcp/" : "/udp/";
    text += std::to_string(port);
    text += transport == Transport::tcp ? "" : "/quic-v1";
    if (relay) {
        text += "/p2p/" + *relay + "/p2p-circuit";
    }
    return text + "/p2p/" + peer;
}

Result<void> check_providers(std::span<const std::string> providers) {
    if (providers.size() > limits::providers_max) {
        return Error{Errc::too_large,
                     "at most " + std::to_string(limits::providers_max) +
                         " addresses of IPFS nodes can be named"};
    }
    for (const std::string& provider : providers) {
        TRY(Provider::parse(provider));
    }
    return {};
}

Result<std::vector<std::string>> provider_texts(const ipld::List& list) {
    std::vector<std::string> texts;
    for (const ipld::Node& node : list) {
        const auto* text = node.as<std::string>();
        if (text == nullptr) {
            return Error{Errc::malformed, "providers are not all texts"};
        }
        texts.push_back(*text);
    }
    TRY(check_providers(texts));
    return texts;
}

} // namespace ic::job
