#include "executor/wasm/channel_services.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t piece_bytes = channel::limits::to_broker_bytes;
/// Ours: memory for less comes without a call of the kernel.
constexpr std::size_t reused_bytes_min = std::size_t{64} << 10U;
/// Ours: files that are read in turns.
constexpr std::size_t buffers_max = 4;

Error gone() { return Error{Errc::unavailable, "the broker is gone"}; }

Error unknown_id() { return Error{Errc::internal, "a file to add that is not open"}; }

} // namespace

ChannelServices::ChannelServices(channel::Endpoint& endpoint, const channel::Window& window)
    : endpoint_(endpoint)
    , window_(window) {}

Result<channel::Reply> ChannelServices::ask(const channel::Message& request,
                                            std::uint32_t sequence) {
    if (broken_) {
        return gone();
    }
    broken_ = true; // Until an answer shows otherwise.
    TRY(endpoint_.send(request));
    channel::Received received = TRY(endpoint_.receive());
    auto* reply = std::get_if<channel::Reply>(&received.message);
    if (reply == nullptr || reply->sequence != sequence) {
        return Error{Errc::internal, "the broker answered something else"};
    }
    broken_ = false;
    if (reply->error) {
        return Error{*reply->error, std::move(reply->message)};
    }
    return std::move(*reply);
}

void ChannelServices::tell(const channel::Message& message) {
    broken_ = broken_ || !endpoint_.send(message);
}

Result<ByteView> ChannelServices::window_bytes(const channel::Reply& reply) const {
    const std::span<std::uint8_t> area = window_.to_executor();
    if (reply.window_bytes > area.size()) {
        return Error{Errc::internal, "the broker answered more than the window holds"};
    }
    return ByteView{area.first(reply.window_bytes)};
}

Result<LentBytes> ChannelServices::block(const Cid& cid) {
    const std::uint32_t sequence = ++sequence_;
    const channel::Reply reply =
        TRY(ask(channel::GetBlock{.sequence = sequence, .cid = cid}, sequence));
    return keep(TRY(window_bytes(reply)));
}

LentBytes ChannelServices::keep(ByteView block) {
    if (block.size() < reused_bytes_min) {
        return LentBytes::of(copy_of(block));
    }
    auto unused = std::ranges::find_if(buffers_, [](const auto& buffer) {
        return buffer.use_count() == 1; // All owners are of this thread.
    });
    if (unused == buffers_.end() && buffers_.size() < buffers_max) {
        unused = buffers_.insert(unused, std::make_shared<Bytes>());
    }
    if (unused == buffers_.end()) {
        return LentBytes::of(copy_of(block));
    }
    (*unused)->assign(block.data(), block.data() + block.size());
    return {ByteView{**unused}, *unused};
}

Result<std::uint32_t> ChannelServices::add_open() {
    adding_.emplace(++last_id_, Adding{});
    return last_id_;
}

Result<void> ChannelServices::add_write(std::uint32_t id, ByteView data) {
    const auto found = adding_.find(id);
    if (found == adding_.end()) {
        return unknown_id();
    }
    Adding& adding = found->second;
    Bytes& waiting = adding.waiting;
    const bool is_large = adding.adder != 0 || data.size() > piece_bytes - waiting.size();
    while (is_large && data.size() >= piece_bytes - waiting.size()) {
        const ByteView head = data.first(piece_bytes - waiting.size());
        TRY(flush(adding, head, false));
        data = data.subspan(head.size());
    }
    waiting.insert(waiting.end(), data.data(), data.data() + data.size());
    return {};
}

Result<channel::Reply> ChannelServices::flush(Adding& adding, ByteView more, bool last) {
    const std::span<std::uint8_t> area = window_.to_broker();
    channel::copy_to(area, adding.waiting);
    channel::copy_to(area.subspan(adding.waiting.size()), more);
    const std::size_t bytes = adding.waiting.size() + more.size();
    const std::uint32_t sequence = ++sequence_;
    // With an error the broker has forgotten the file: nothing of it may be asked for again.
    const std::uint32_t adder = std::exchange(adding.adder, 0);
    channel::Reply reply = TRY(ask(channel::AddWrite{.sequence = sequence,
                                                     .adder = adder,
                                                     .bytes = static_cast<std::uint32_t>(bytes),
                                                     .last = last},
                                   sequence));
    adding.waiting.clear();
    adding.adder = last ? 0 : reply.number;
    return reply;
}

Result<Cid> ChannelServices::add_finish(std::uint32_t id) {
    auto adding = adding_.extract(id);
    if (adding.empty()) {
        return unknown_id();
    }
    channel::Reply reply = TRY(flush(adding.mapped(), {}, true));
    if (!reply.cid) {
        return Error{Errc::internal, "the broker gave no CID"};
    }
    return std::move(*reply.cid);
}

void ChannelServices::add_drop(std::uint32_t id) {
    const auto adding = adding_.extract(id);
    if (!adding.empty() && adding.mapped().adder != 0) {
        tell(channel::AddDrop{.adder = adding.mapped().adder});
    }
}

Result<CurlOpened> ChannelServices::curl_open(std::string_view request) {
    const ByteView text = bytes_of(request);
    if (text.size() > window_.to_broker().size()) {
        return Error{Errc::too_large, "a network request"};
    }
    channel::copy_to(window_.to_broker(), text);
    const std::uint32_t sequence = ++sequence_;
    const channel::Reply reply = TRY(ask(
        channel::CurlOpen{.sequence = sequence, .bytes = static_cast<std::uint32_t>(text.size())},
        sequence));
    return CurlOpened{.id = reply.number, .head = std::string(text_of(TRY(window_bytes(reply))))};
}

Result<std::size_t> ChannelServices::curl_read(std::uint32_t id, std::span<std::uint8_t> into) {
    const std::uint32_t sequence = ++sequence_;
    const auto bytes_max =
        static_cast<std::uint32_t>(std::min(into.size(), channel::limits::to_executor_bytes));
    const channel::Reply reply = TRY(
        ask(channel::CurlRead{.sequence = sequence, .body = id, .bytes_max = bytes_max}, sequence));
    const ByteView bytes = TRY(window_bytes(reply));
    if (bytes.size() > into.size()) {
        return Error{Errc::internal, "the broker answered more than was asked for"};
    }
    channel::copy_to(into, bytes);
    return bytes.size();
}

void ChannelServices::curl_close(std::uint32_t id) { tell(channel::CurlClose{.body = id}); }

void ChannelServices::log(std::string_view lines) {
    if (!lines.empty()) {
        log_sent_ += lines.size();
        tell(channel::Log{.lines = copy_of(bytes_of(lines))});
    }
}

void ChannelServices::output(job::Stream stream, ByteView data) {
    if (!data.empty()) {
        (stream == job::Stream::output ? output_sent_ : errors_sent_) += data.size();
        tell(channel::Output{.stream = stream, .data = copy_of(data)});
    }
}

void ChannelServices::trace(std::string_view lines) {
    tell(channel::Trace{.lines = copy_of(bytes_of(lines))});
}

void ChannelServices::dump(Dump kind, ByteView piece) {
    tell(channel::DumpPiece{.kind = kind, .data = copy_of(piece)});
}

Instant ChannelServices::lease_until() const {
    return {
        std::chrono::nanoseconds(window_.control().lease_until_ns.load(std::memory_order_relaxed))};
}

std::optional<Errc> ChannelServices::stop_reason() const {
    if (broken_) {
        return Errc::lease_lost; // Without a broker nobody renews it.
    }
    const std::uint32_t number = window_.control().stop_reason.load(std::memory_order_acquire);
    return number == 0 ? std::nullopt : errc_of(number);
}

Result<void> ChannelServices::finish(std::uint64_t run, Outcome outcome) {
    ByteView lines = ByteView{outcome.log}.subspan(std::min(log_sent_, outcome.log.size()));
    while (!lines.empty()) {
        const ByteView head = lines.first(std::min(lines.size(), limits::log_piece_bytes_max));
        const std::size_t end = text_of(head).rfind('\n');
        if (end == std::string_view::npos) {
            break; // No line is so long.
        }
        log(text_of(head.first(end + 1)));
        lines = lines.subspan(end + 1);
    }
    const auto rest_of = [this](job::Stream stream, ByteView all, std::size_t sent) {
        ByteView rest = all.subspan(std::min(sent, all.size()));
        while (rest.size() > channel::limits::rest_bytes_max) {
            const ByteView piece =
                rest.first(std::min(rest.size(), job::limits::output_piece_bytes_max));
            output(stream, piece);
            rest = rest.subspan(piece.size());
        }
        return copy_of(rest);
    };
    std::string& message = outcome.ending.message;
    message.resize(std::min(message.size(), channel::limits::text_bytes_max));
    channel::Finished finished{.run = run,
                               .ending = std::move(outcome.ending),
                               .usage = outcome.usage,
                               .output = rest_of(job::Stream::output, outcome.output, output_sent_),
                               .errors =
                                   rest_of(job::Stream::errors, outcome.errors, errors_sent_)};
    if (broken_) {
        return gone();
    }
    return endpoint_.send(finished);
}

} // namespace ic::executor::wasm
