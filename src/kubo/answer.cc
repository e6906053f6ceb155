#include "kubo/answer.h"

#include "base/text.h"

#include <algorithm>

namespace ic::kubo {
namespace {

using nlohmann::json;

constexpr std::size_t words_max = 300;

/// The first line of what may be anything, not too long.
std::string first_words(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    text = text.substr(begin);
    return printable(text.substr(0, std::min(text.find_first_of("\r\n"), words_max)));
}

std::string said_in(const Refusal& refusal) {
    if (std::optional<std::string> message = kubo_message(refusal.body)) {
        return *message;
    }
    const std::string words = first_words(refusal.body);
    return "HTTP status " + std::to_string(refusal.status) + (words.empty() ? "" : ": " + words);
}

bool is_pubsub_off(std::string_view message) {
    return message.find("pubsub") != std::string_view::npos &&
           message.find("not enabled") != std::string_view::npos;
}

bool is_streams_off(std::string_view message) {
    return message.find("libp2p stream mounting not enabled") != std::string_view::npos;
}

} // namespace

std::optional<std::string> kubo_message(std::string_view text) {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object() || !object.contains("Message") || !object["Message"].is_string()) {
        return std::nullopt;
    }
    return printable(object["Message"].get<std::string>().substr(0, 4 * words_max));
}

Error error_of(const Refusal& refusal) {
    const std::string where =
        "Kubo at " + std::string(refusal.address) + ", " + std::string(refusal.command) + ": ";
    const std::string said = said_in(refusal);
    switch (refusal.status) {
    case 401:
    case 403:
        return {Errc::refused,
                where + "refused (" + said + "); it wants a token whose AllowedPaths in its " +
                    "API.Authorizations have /api/v0/" + std::string(refusal.command)};
    case 400:
        return {Errc::malformed, where + said};
    case 404:
        return {Errc::unsupported, where + "this Kubo does not know the command (" + said + ")"};
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        if (is_pubsub_off(said)) {
            return {Errc::unsupported, where + said + "; ipfs config --json Pubsub.Enabled true"};
        }
        if (is_streams_off(said)) {
            return {Errc::unsupported,
                    where + said + "; ipfs config --json Experimental.Libp2pStreamMounting true"};
        }
        return {Errc::unavailable, where + said};
    default:
        return {Errc::malformed, where + "what answers is no Kubo (" + said + ")"};
    }
}

bool may_pass(const Refusal& refusal) {
    return refusal.status == 429 || refusal.status == 502 || refusal.status == 503 ||
           refusal.status == 504 || (refusal.status == 500 && !kubo_message(refusal.body));
}

Error no_kubo(std::string_view where, std::string_view what) {
    return {Errc::malformed, std::string(where) + ": not what Kubo answers: " + std::string(what)};
}

Result<json> parse_object(ByteView text, std::string_view where) {
    json object = json::parse(text_of(text), nullptr, false);
    if (!object.is_object()) {
        return no_kubo(where, "'" + first_words(text_of(text)) + "'");
    }
    const auto type = object.find("Type");
    if (type != object.end() && *type == "error") {
        return Error{Errc::unavailable,
                     std::string(where) + ": " +
                         kubo_message(text_of(text)).value_or("an error without a message")};
    }
    return object;
}

Result<std::string> string_field(const json& object, const char* name, std::string_view where) {
    const auto field = object.find(name);
    if (field == object.end() || !field->is_string()) {
        return no_kubo(where, "no text '" + std::string(name) + "'");
    }
    return field->get<std::string>();
}

Result<std::vector<std::string>>
strings_field(const json& object, const char* name, std::string_view where) {
    std::vector<std::string> texts;
    const auto field = object.find(name);
    if (field == object.end() || field->is_null()) {
        return texts;
    }
    const bool are_texts = field->is_array() && std::ranges::all_of(*field, [](const json& entry) {
                               return entry.is_string();
                           });
    if (!are_texts) {
        return no_kubo(where, "'" + std::string(name) + "' is no list of texts");
    }
    for (const json& entry : *field) {
        texts.push_back(entry.get<std::string>());
    }
    return texts;
}

Result<Cid> cid_field(const json& object, const char* name, std::string_view where) {
    Result<Cid> cid = Cid::parse(TRY(string_field(object, name, where)));
    return cid ? std::move(cid) : no_kubo(where, "'" + std::string(name) + "' is no CID");
}

Result<std::uint64_t> number_field(const json& object, const char* name, std::string_view where) {
    const auto field = object.find(name);
    if (field == object.end() || field->is_null()) {
        return std::uint64_t{0};
    }
    if (!field->is_number_unsigned()) {
        return no_kubo(where, "'" + std::string(name) + "' is no number");
    }
    return field->get<std::uint64_t>();
}

Result<json> call_object(Rpc& rpc, const RpcCall& call) {
    Result<json> object = parse_object(TRY(rpc.call(call)), rpc.where(call.command));
    if (!object && object.error().code == Errc::unavailable) {
        Error error = std::move(object).take_error();
        error.code = call.kubo_failed;
        return error;
    }
    return object;
}

Result<std::optional<json>> next_object(RpcAnswer& answer) {
    const std::optional<std::string> line = TRY(answer.read_line(limits::answer_line_bytes_max));
    if (!line) {
        return std::optional<json>();
    }
    return std::optional<json>(TRY(parse_object(bytes_of(*line), answer.where())));
}

} // namespace ic::kubo
