#include "kubo/pubsub_line.h"

#include "kubo/answer.h"
#include "multiformats/multibase.h"

#include <algorithm>

namespace ic::kubo {
namespace {

constexpr std::string_view where = "a line of pubsub/sub";

Result<Bytes> decode_field(const std::string& text, const char* name, std::size_t bytes_max) {
    Result<Bytes> bytes = multibase::decode(text);
    if (!bytes) {
        return std::move(bytes).take_error().during(std::string(where) + ", " + name);
    }
    if (bytes->size() > bytes_max) {
        return Error{Errc::too_large,
                     std::string(where) + ": " + name + " has more than " +
                         std::to_string(bytes_max) + " bytes"};
    }
    return bytes;
}

} // namespace

bool is_peer_id(std::string_view text) {
    return !text.empty() && text.size() <= limits::peer_id_text_bytes_max &&
           std::ranges::all_of(text, [](char letter) {
               return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9');
           });
}

Result<PubsubMessage> decode_pubsub_line(std::string_view line) {
    if (line.size() > limits::pubsub_line_bytes_max) {
        return Error{Errc::too_large,
                     std::string(where) + " has more than " +
                         std::to_string(limits::pubsub_line_bytes_max) + " bytes"};
    }
    const nlohmann::json object = TRY(parse_object(bytes_of(line), where));
    PubsubMessage message;
    message.from = TRY(string_field(object, "from", where));
    if (!is_peer_id(message.from)) {
        return no_kubo(where, "'from' is no peer ID");
    }
    message.data = TRY(decode_field(
        TRY(string_field(object, "data", where)), "data", limits::pubsub_message_bytes_max));
    if (object.contains("seqno") && !object["seqno"].is_null()) {
        message.seqno = TRY(decode_field(
            TRY(string_field(object, "seqno", where)), "seqno", limits::pubsub_seqno_bytes_max));
    }
    return message;
}

std::string encode_pubsub_line(const PubsubMessage& message) {
    return R"({"from":")" + message.from + R"(","data":")" + pubsub_text(message.data) +
           R"(","seqno":")" + pubsub_text(message.seqno) + R"("})";
}

std::string pubsub_text(ByteView bytes) { return multibase::encode(Base::base64url, bytes); }

} // namespace ic::kubo
