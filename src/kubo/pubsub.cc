#include "kubo/pubsub.h"

#include "kubo/answer.h"
#include "multiformats/multibase.h"

#include <limits>

namespace ic::kubo {
namespace {

Result<std::string> topic_text(std::string_view topic) {
    if (topic.size() > limits::pubsub_topic_bytes_max) {
        return Error{Errc::too_large,
                     "a topic has more than " + std::to_string(limits::pubsub_topic_bytes_max) +
                         " bytes"};
    }
    return pubsub_text(bytes_of(topic));
}

Result<std::vector<std::string>> strings_of(Rpc& rpc, const RpcCall& call) {
    return strings_field(TRY(call_object(rpc, call)), "Strings", rpc.where(call.command));
}

} // namespace

Result<void> check_publishable(std::string_view topic, ByteView data) {
    TRY(topic_text(topic));
    if (data.size() > limits::pubsub_data_bytes_max) {
        return Error{Errc::too_large,
                     "a message of " + std::to_string(data.size()) + " bytes is beyond " +
                         std::to_string(limits::pubsub_data_bytes_max) +
                         ", more than which pubsub does not deliver"};
    }
    return {};
}

Result<void> pubsub_publish(Rpc& rpc, std::string_view topic, ByteView data, Stop stop) {
    TRY(check_publishable(topic, data));
    TRY(rpc.call({.command = "pubsub/pub",
                  .query = {{"arg", TRY(topic_text(topic))}},
                  .part = "data",
                  .data = data,
                  .stop = std::move(stop)}));
    return {};
}

bool is_validation_ignored(const Error& error) {
    return error.code == Errc::unavailable &&
           error.message.find("validation ignored") != std::string::npos;
}

Result<std::vector<Bytes>> pubsub_topics(Rpc& rpc) {
    std::vector<Bytes> topics;
    for (const std::string& text :
         TRY(strings_of(rpc, {.command = "pubsub/ls", .repeat = Repeat::harmless}))) {
        topics.push_back(TRY(multibase::decode(text)));
    }
    return topics;
}

Result<std::vector<std::string>> pubsub_peers(Rpc& rpc, std::string_view topic) {
    return strings_of(rpc,
                      {.command = "pubsub/peers",
                       .query = {{"arg", TRY(topic_text(topic))}},
                       .repeat = Repeat::harmless});
}

Result<std::unique_ptr<RpcAnswer>> pubsub_subscribe(Rpc& rpc,
                                                    std::string_view topic,
                                                    std::chrono::milliseconds total_time_max,
                                                    Stop stop) {
    return rpc.begin({.command = "pubsub/sub",
                      .query = {{"arg", TRY(topic_text(topic))}},
                      .total_time_max = total_time_max,
                      .answer_bytes_max = std::numeric_limits<std::uint64_t>::max(),
                      .stop = std::move(stop)});
}

} // namespace ic::kubo
