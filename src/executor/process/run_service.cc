#include "executor/process/run_service.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace ic::executor::process {
namespace {

Error rule_broken(const std::string& what) {
    return Error{Errc::executor_crashed, "the executor process broke a rule: " + what};
}

std::string clipped(std::string_view text) {
    return std::string(text.substr(0, channel::limits::text_bytes_max));
}

/// What an executor says of a run is signed as ours: no more than the job may have used.
void hold_to(const job::Limits& limits, job::Usage& usage) {
    usage.memory_bytes_peak = std::min(usage.memory_bytes_peak, limits.memory_bytes_max);
    usage.host_calls = std::min(usage.host_calls, limits.host_calls_max);
    usage.fuel = std::min(usage.fuel, limits.fuel_max);
}

} // namespace

RunService::RunService(const Task& task,
                       const Debugging& debugging,
                       Host& host,
                       channel::Endpoint& endpoint,
                       const channel::Window& window)
    : task_(task)
    , debugging_(debugging)
    , host_(host)
    , endpoint_(endpoint)
    , window_(window) {}

Result<void> RunService::serve(std::uint64_t run) {
    while (!finished_) {
        channel::Received received = TRY(endpoint_.receive());
        TRY(handle(received.message, run));
    }
    return {};
}

Outcome RunService::take_outcome() {
    outcome_.usage.bytes_added = bytes_added_; // As counted here, whatever the executor says.
    return std::move(outcome_);
}

Result<void> RunService::handle(channel::Message& message, std::uint64_t run) {
    if (const auto* get = std::get_if<channel::GetBlock>(&message)) {
        return answer(*get);
    }
    if (const auto* write = std::get_if<channel::AddWrite>(&message)) {
        return answer(*write);
    }
    if (const auto* open = std::get_if<channel::CurlOpen>(&message)) {
        return answer(*open);
    }
    if (const auto* read = std::get_if<channel::CurlRead>(&message)) {
        return answer(*read);
    }
    if (const auto* drop = std::get_if<channel::AddDrop>(&message)) {
        return take(*drop);
    }
    if (const auto* close = std::get_if<channel::CurlClose>(&message)) {
        return take(*close);
    }
    if (const auto* log = std::get_if<channel::Log>(&message)) {
        return take(*log);
    }
    if (const auto* output = std::get_if<channel::Output>(&message)) {
        return take(*output);
    }
    if (const auto* trace = std::get_if<channel::Trace>(&message)) {
        return take(*trace);
    }
    if (const auto* piece = std::get_if<channel::DumpPiece>(&message)) {
        return take(*piece);
    }
    if (auto* finished = std::get_if<channel::Finished>(&message);
        finished != nullptr && finished->run == run) {
        return take(*finished);
    }
    if (auto* refused = std::get_if<channel::NotLoaded>(&message);
        refused != nullptr && refused->run == run) {
        not_loaded_ = Error{refused->code, std::move(refused->message)};
        finished_ = true;
        return {};
    }
    return rule_broken("message of kind " + std::to_string(message.index() + 1));
}

Result<void> RunService::reply_error(std::uint32_t sequence, const Error& error) {
    return endpoint_.send(channel::Reply{
        .sequence = sequence, .error = error.code, .message = clipped(error.message)});
}

Result<void> RunService::answer(const channel::GetBlock& request) {
    const Result<LentBytes> block = host_.get(request.cid);
    if (!block) {
        return reply_error(request.sequence, block.error());
    }
    const ByteView bytes = block->view();
    const std::span<std::uint8_t> area = window_.to_executor();
    if (bytes.size() > area.size()) {
        return reply_error(request.sequence, {Errc::too_large, "block " + request.cid.to_string()});
    }
    channel::copy_to(area, bytes);
    return endpoint_.send(channel::Reply{.sequence = request.sequence,
                                         .window_bytes = static_cast<std::uint32_t>(bytes.size())});
}

bool RunService::may_open() const {
    return adders_.size() + bodies_.size() < task_.spec.limits.handles_max;
}

std::uint32_t RunService::free_number() {
    do {
        ++last_number_;
    } while (last_number_ == 0 || adders_.contains(last_number_) || bodies_.contains(last_number_));
    return last_number_;
}

Result<void> RunService::answer(const channel::AddWrite& request) {
    if (request.bytes > window_.to_broker().size()) {
        return rule_broken("a piece larger than the window");
    }
    if (request.bytes > task_.spec.limits.add_bytes_max - bytes_added_) {
        return rule_broken("more bytes added than the job may");
    }
    if (request.adder == 0 ? !may_open() : !adders_.contains(request.adder)) {
        return rule_broken("a file to add that is not open");
    }
    const Result<channel::Reply> reply = write_piece(request);
    return reply ? endpoint_.send(*reply) : reply_error(request.sequence, reply.error());
}

Result<channel::Reply> RunService::write_piece(const channel::AddWrite& request) {
    // A copy: the executor can still write to the window while the file is chunked and hashed.
    const ByteView shared = window_.to_broker().first(request.bytes);
    piece_.assign(shared.data(), shared.data() + shared.size());
    std::unique_ptr<Adder> adder;
    std::uint32_t number = request.adder;
    if (number == 0) {
        adder = TRY(host_.add());
        number = free_number();
    } else {
        const auto found = adders_.find(number);
        adder = std::move(found->second);
        adders_.erase(found);
    }
    TRY(adder->write(piece_));
    bytes_added_ += piece_.size();
    channel::Reply reply{.sequence = request.sequence};
    if (request.last) {
        reply.cid = TRY(adder->finish());
    } else {
        reply.number = number;
        adders_.insert_or_assign(number, std::move(adder));
    }
    return reply;
}

Result<void> RunService::take(const channel::AddDrop& message) {
    return adders_.erase(message.adder) == 1 ? Result<void>()
                                             : rule_broken("a file to add that is not open");
}

Result<void> RunService::answer(const channel::CurlOpen& request) {
    if (request.bytes > window_.to_broker().size()) {
        return rule_broken("a request larger than the window");
    }
    if (task_.spec.effects != job::Effects::impure || !may_open() ||
        bodies_.size() >= task_.spec.limits.curls_max) {
        return rule_broken("a network request that the job may not make");
    }
    const Bytes text = copy_of(window_.to_broker().first(request.bytes));
    Result<std::unique_ptr<CurlBody>> opened = host_.curl(text_of(text), task_);
    if (!opened) {
        return reply_error(request.sequence, opened.error());
    }
    std::unique_ptr<CurlBody> body = std::move(opened).take();
    const ByteView head = bytes_of(body->head().json);
    const std::span<std::uint8_t> area = window_.to_executor();
    if (head.size() > area.size()) {
        return reply_error(request.sequence, {Errc::too_large, "the head of a response"});
    }
    channel::copy_to(area, head);
    const std::uint32_t number = free_number();
    bodies_.insert_or_assign(number, std::move(body));
    return endpoint_.send(channel::Reply{.sequence = request.sequence,
                                         .number = number,
                                         .window_bytes = static_cast<std::uint32_t>(head.size())});
}

Result<void> RunService::answer(const channel::CurlRead& request) {
    const auto found = bodies_.find(request.body);
    if (found == bodies_.end()) {
        return rule_broken("a response that is not open");
    }
    const std::span<std::uint8_t> area = window_.to_executor();
    const Result<std::size_t> count =
        found->second->read(area.first(std::min<std::size_t>(request.bytes_max, area.size())));
    if (!count) {
        return reply_error(request.sequence, count.error());
    }
    return endpoint_.send(channel::Reply{.sequence = request.sequence,
                                         .window_bytes = static_cast<std::uint32_t>(*count)});
}

Result<void> RunService::take(const channel::CurlClose& message) {
    return bodies_.erase(message.body) == 1 ? Result<void>()
                                            : rule_broken("a response that is not open");
}

Result<void> RunService::take(const channel::Log& message) {
    if (message.lines.empty() || message.lines.back() != '\n') {
        return rule_broken("a log line without an end");
    }
    if (message.lines.size() > task_.spec.limits.log_bytes_max - outcome_.log.size()) {
        return rule_broken("more logged than the job may");
    }
    outcome_.log.insert(outcome_.log.end(), message.lines.begin(), message.lines.end());
    std::string_view rest = text_of(message.lines);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        host_.log(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    return {};
}

Result<void> RunService::write_output(job::Stream stream, ByteView data) {
    const std::size_t before = outcome_.output.size() + outcome_.errors.size();
    if (data.size() > task_.spec.limits.output_bytes_max - before) {
        return rule_broken("more written than the job may");
    }
    Bytes& all = stream == job::Stream::output ? outcome_.output : outcome_.errors;
    all.insert(all.end(), data.begin(), data.end());
    while (!data.empty()) {
        const ByteView piece =
            data.first(std::min(data.size(), job::limits::output_piece_bytes_max));
        host_.output(stream, piece);
        data = data.subspan(piece.size());
    }
    return {};
}

Result<void> RunService::take(const channel::Output& message) {
    if (message.data.empty() || message.stream == job::Stream::log) {
        return rule_broken("output that is none");
    }
    return write_output(message.stream, message.data);
}

Result<void> RunService::take(const channel::Trace& message) {
    if (!debugging_.trace || message.lines.empty() || message.lines.back() != '\n') {
        return rule_broken("a trace that nobody asked for, or no line");
    }
    trace_bytes_ += message.lines.size();
    if (trace_bytes_ > executor::limits::trace_bytes_max) {
        return rule_broken("more traced than it may");
    }
    std::string_view rest = text_of(message.lines);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        host_.trace(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    return {};
}

Result<void> RunService::take(const channel::DumpPiece& message) {
    if (!(message.kind == Dump::coredump ? debugging_.coredump : debugging_.profile)) {
        return rule_broken("a file that nobody asked for");
    }
    std::uint64_t& bytes = dump_bytes_[static_cast<std::size_t>(message.kind)];
    bytes += message.data.size();
    if (bytes > dump_bytes_max(task_.spec.limits)) {
        return rule_broken("a larger file about the run than it may be");
    }
    host_.dump(message.kind, message.data);
    return {};
}

Result<void> RunService::take(channel::Finished& message) {
    TRY(write_output(job::Stream::output, message.output));
    TRY(write_output(job::Stream::errors, message.errors));
    outcome_.ending = std::move(message.ending);
    outcome_.usage = message.usage;
    hold_to(task_.spec.limits, outcome_.usage);
    finished_ = true;
    return {};
}

} // namespace ic::executor::process
