#pragma once
/// `pubsub/...`: messages to all who listen to a topic. A Kubo with Pubsub.Enabled.
/// Kubo 0.40 and later drop, without a word, each message whose number is not above the highest
/// seen of its sender, over all topics. So what goes through one Kubo at once, or too fast, may be
/// refused there ("validation ignored", status 500) or be lost on the way: a Publisher sends one
/// message after another, and who must be heard says it again. Errors beside those of Rpc:
/// unsupported where pubsub is off.

#include "base/bytes.h"
#include "base/result.h"
#include "kubo/pubsub_line.h"
#include "kubo/rpc.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ic::kubo {

/// Whether pubsub delivers what is so large. Errors: too_large.
Result<void> check_publishable(std::string_view topic, ByteView data);

/// `pubsub/pub`, once. Success says that this Kubo took the message, never that anybody got it.
/// Errors: too_large, as `check_publishable` (asks nobody); unavailable, among others, for
/// "validation ignored": see `is_validation_ignored`.
Result<void> pubsub_publish(Rpc& rpc, std::string_view topic, ByteView data, Stop stop = {});

/// Whether Kubo refused the message as a number out of order: trying again helps.
bool is_validation_ignored(const Error& error);

/// `pubsub/ls`: the topics that this Kubo listens to.
Result<std::vector<Bytes>> pubsub_topics(Rpc& rpc);

/// `pubsub/peers`: who of its peers listens to `topic`, as peer IDs.
Result<std::vector<std::string>> pubsub_peers(Rpc& rpc, std::string_view topic);

/// `pubsub/sub`: begins to listen. Its lines are for `decode_pubsub_line`; it ends only when Kubo
/// does, or after `total_time_max`. Subscription keeps one up.
Result<std::unique_ptr<RpcAnswer>> pubsub_subscribe(Rpc& rpc,
                                                    std::string_view topic,
                                                    std::chrono::milliseconds total_time_max,
                                                    Stop stop);

} // namespace ic::kubo
