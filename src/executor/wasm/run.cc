#include "executor/wasm/run.h"

#include "executor/wasm/tracer.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ic::executor::wasm {
namespace {

/// Between two looks at the limits while the host works for the guest.
constexpr std::size_t random_piece_bytes = std::size_t{64} << 10U;

std::string seconds_text(std::uint64_t milliseconds) {
    return std::to_string(milliseconds) + " ms";
}

} // namespace

Result<LentBytes> RunBlocks::get(const Cid& cid) {
    if (cid.hash() == HashCode::identity) {
        LentBytes data = LentBytes::of(copy_of(cid.digest()));
        run_.usage.bytes_read += data.size();
        return data;
    }
    if (!run_.before_effect()) {
        return Error{Errc::cancelled, "the run has ended"};
    }
    Result<LentBytes> data = run_.services().block(cid);
    if (!data.ok()) {
        Error error = std::move(data).take_error();
        if (error.code == Errc::not_found) {
            error.code = Errc::cid_unavailable;
        }
        run_.stop_for(error, "reading block " + cid.to_string());
        return error;
    }
    run_.usage.bytes_read += data->size();
    return data;
}

void Run::begin(const Task& task, Services& services) {
    task_ = &task;
    services_ = &services;
    ended_ = false;
    ending_ = {};
    usage = {};
    started_ = now_since_boot();
    processor_started_ = thread_processor_time();
    random_.reset();
    drawn_left_ = 0;
    event_.reset();
    memory = GuestMemory{};
    memory_handle_.reset();
    memory_sought_ = false;
    has_several_memories_ = !task.spec.imports.empty();
    standard = {};
    tracer = nullptr;
    profile = nullptr;
    const job::Limits& limits = task.spec.limits;
    host_calls_max_ = limits.host_calls_max;
    capture.begin(limits.output_bytes_max, limits.log_bytes_max);
    handles.begin({.handles_max = limits.handles_max, .curls_max = limits.curls_max});
    clock.begin(task.spec.effects);
    list_arguments();
    list_environment();
}

void Run::finish() {
    handles.close_all(*services_);
    event_.reset();
    usage.run_us = static_cast<std::uint64_t>((now_since_boot() - started_).count()) / 1000U;
    usage.cpu_us = (thread_processor_time() - processor_started_) / 1000U;
    task_ = nullptr;
    services_ = nullptr;
}

void Run::list_arguments() {
    const job::JobSpec& spec = task_->spec;
    arguments_.clear();
    arguments_.push_back(spec.handler == "_start" ? spec.module.to_string() : spec.handler);
    arguments_.insert(arguments_.end(), spec.arguments.begin(), spec.arguments.end());
}

void Run::list_environment() {
    const job::JobSpec& spec = task_->spec;
    environment_.clear();
    for (const auto& [name, value] : spec.environment) {
        environment_.push_back(name + "=" + value);
    }
    for (const auto& [name, cid] : spec.inputs) {
        environment_.push_back(input_variable(name) + "=" + cid.to_string());
    }
}

void Run::stop(Errc code, std::string message) {
    if (ended_) {
        return;
    }
    ended_ = true;
    ending_.error = code;
    ending_.message = std::move(message);
}

void Run::exit(std::int32_t status) {
    if (ended_) {
        return;
    }
    ended_ = true;
    ending_.exit_status = status;
}

void Run::stop_for(Error error, std::string_view doing) {
    if (const std::optional<Errc> reason = services_->stop_reason()) {
        error.code = *reason;
    }
    stop(error.code, std::move(error).during(doing).message);
}

bool Run::may_go_on(Thorough thorough) {
    if (ended_) {
        return false;
    }
    if (const std::optional<Errc> reason = services_->stop_reason()) {
        stop(*reason, "the worker stopped the run");
        return false;
    }
    const Instant now = now_since_boot();
    if (now >= services_->lease_until()) {
        stop(Errc::lease_lost, "the lease ended before the run did and could not be renewed");
        return false;
    }
    const job::Limits& limits = task_->spec.limits;
    if ((now - started_) / std::chrono::milliseconds{1} >=
        static_cast<std::int64_t>(std::min<std::uint64_t>(limits.wall_ms_max, INT64_MAX))) {
        stop(Errc::limit_wall_time,
             "the run took longer than " + seconds_text(limits.wall_ms_max) +
                 ": raise --timeout or give the job less to do");
        return false;
    }
    if (thorough == Thorough::yes && limits.cpu_ms_max != 0 &&
        (thread_processor_time() - processor_started_) / 1'000'000U >= limits.cpu_ms_max) {
        stop(Errc::limit_cpu_time,
             "the guest used more than " + seconds_text(limits.cpu_ms_max) +
                 " of processor time: raise --cpu-time or give the job less to do");
        return false;
    }
    return true;
}

bool Run::beat() {
    if (!ended_) {
        capture.flush(*services_);
        if (tracer != nullptr) {
            tracer->flush();
        }
    }
    return may_go_on(Thorough::yes);
}

bool Run::before_effect() {
    if (!may_go_on()) {
        return false;
    }
    capture.flush(*services_);
    return true;
}

bool Run::count_added(std::uint64_t bytes) {
    const std::uint64_t bytes_max = task_->spec.limits.add_bytes_max;
    if (bytes > bytes_max - std::min(usage.bytes_added, bytes_max)) {
        stop(Errc::limit_add,
             "the guest added more than " + std::to_string(bytes_max) +
                 " bytes: raise --add-size or add less");
        return false;
    }
    usage.bytes_added += bytes;
    return true;
}

void Run::fill_random(std::span<std::uint8_t> out) {
    if (pure() && !random_) {
        random_.emplace(task_->seed);
    }
    // A piece costs no more than another small call: the ticker looks at the limits then.
    for (bool go_on = true; go_on && !out.empty(); go_on = out.empty() || may_go_on()) {
        const std::span<std::uint8_t> piece = out.first(std::min(out.size(), random_piece_bytes));
        out = out.subspan(piece.size());
        if (pure()) {
            random_->fill(piece);
        } else if (!(piece.size() < drawn_.size() ? take_drawn(piece) : draw(piece))) {
            return;
        }
    }
}

bool Run::draw(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t count = getrandom(out.data(), out.size(), 0);
        if (count >= 0) {
            out = out.subspan(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            stop(Errc::internal, "the system gives no random bytes (getrandom failed)");
            return false;
        }
    }
    return true;
}

bool Run::take_drawn(std::span<std::uint8_t> out) {
    if (drawn_left_ < out.size()) {
        drawn_left_ = 0;
        if (!draw(drawn_)) {
            return false;
        }
        drawn_left_ = drawn_.size();
    }
    const auto from = std::span(drawn_).subspan(drawn_.size() - drawn_left_, out.size());
    std::ranges::copy(from, out.begin());
    std::ranges::fill(from, std::uint8_t{0}); // The guest's alone from here on.
    drawn_left_ -= out.size();
    return true;
}

bool Run::open_event() {
    if (event_) {
        return true;
    }
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(blocks, *task_->spec.event);
    if (!reader.ok()) {
        stop_for(std::move(reader).take_error(),
                 "opening the event " + task_->spec.event->to_string());
        return false;
    }
    event_.emplace(std::move(reader).take());
    return true;
}

std::size_t Run::read_event(std::uint64_t offset, std::span<std::uint8_t> out) {
    if (!task_->spec.event || !open_event()) {
        return 0;
    }
    Result<std::size_t> count = event_->read_at(offset, out);
    if (!count.ok()) {
        stop_for(std::move(count).take_error(), "reading the event");
        return 0;
    }
    return *count;
}

std::uint64_t Run::event_size() { return task_->spec.event && open_event() ? event_->size() : 0; }

bool Run::enter(wasmtime_caller_t* caller) {
    if (usage.host_calls >= host_calls_max_) {
        stop(Errc::limit_host_calls,
             "the guest called host functions more than " + std::to_string(host_calls_max_) +
                 " times: raise --host-calls or do more with each call");
        return false;
    }
    ++usage.host_calls;
    if (!memory_sought_ || has_several_memories_) {
        memory_sought_ = true;
        memory_handle_.reset();
        memory = GuestMemory{};
        wasmtime_extern_t item;
        if (wasmtime_caller_export_get(caller, "memory", 6, &item)) {
            if (item.kind == WASMTIME_EXTERN_MEMORY) {
                memory_handle_ = item.of.memory;
            }
            wasmtime_extern_delete(&item);
        }
    }
    if (memory_handle_) {
        wasmtime_context_t* context = wasmtime_caller_context(caller);
        memory = GuestMemory{{wasmtime_memory_data(context, &*memory_handle_),
                              wasmtime_memory_data_size(context, &*memory_handle_)}};
    }
    return true;
}

std::uint64_t Run::memory_bytes(wasmtime_context_t* context) const {
    return memory_handle_ ? wasmtime_memory_data_size(context, &*memory_handle_) : 0;
}

std::string input_variable(std::string_view name) {
    std::string variable = "INPUT_";
    for (const char c : name) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        variable.push_back(lower ? static_cast<char>(c - 'a' + 'A') : kept ? c : '_');
    }
    return variable;
}

} // namespace ic::executor::wasm
