#include "executor/wasm/executor_main.h"

#include "base/unique_fd.h"
#include "executor/channel/endpoint.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/walls.h"
#include "executor/channel/window.h"
#include "executor/wasm/channel_services.h"
#include "executor/wasm/engine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

/// A module as the broker gave it, then as the engine loaded it.
struct Held {
    UniqueFd artifact;
    std::shared_ptr<LoadedModule> module{}; // Shared with the engine's own cache.
};

/// The process's one conversation with the broker. Threads: one.
class Conversation {
public:
    Conversation(channel::Endpoint& endpoint,
                 channel::Window window,
                 UniqueFd record,
                 std::unique_ptr<Engine> engine)
        : endpoint_(endpoint)
        , window_(std::move(window))
        , record_(std::move(record))
        , engine_(std::move(engine)) {}

    /// Until the broker closes the channel. Errors: as Endpoint; malformed for what is out of
    /// order.
    Result<void> go_on() {
        for (;;) {
            const bool sleep = window_.control().sleep_at_once.load(std::memory_order_relaxed) != 0;
            endpoint_.set_patience(sleep ? channel::Patience::sleep : channel::Patience::look);
            Result<channel::Received> received = endpoint_.receive();
            if (!received && received.error().code == Errc::unavailable) {
                return {};
            }
            channel::Received next = TRY(std::move(received));
            if (auto* load = std::get_if<channel::Load>(&next.message);
                load != nullptr && next.descriptors.size() == 1) {
                held_.insert_or_assign(load->module,
                                       Held{.artifact = std::move(next.descriptors[0])});
            } else if (auto* drop = std::get_if<channel::Drop>(&next.message)) {
                held_.erase(drop->module);
            } else if (auto* imports = std::get_if<channel::Imports>(&next.message)) {
                imports_ = std::move(*imports);
            } else if (auto* start = std::get_if<channel::Start>(&next.message)) {
                TRY(run(*start));
            } else {
                return Error{Errc::malformed, "a message that is out of order"};
            }
        }
    }

private:
    /// The module of this number, loaded if it was not yet. Errors: as Engine::load; malformed if
    /// the broker never gave it.
    Result<std::shared_ptr<LoadedModule>> module_of(std::uint64_t number, const ModuleKey& key) {
        const auto held = held_.find(number);
        if (held == held_.end()) {
            return Error{Errc::malformed, "a module that was not given"};
        }
        if (held->second.module == nullptr) {
            held->second.module = TRY(engine_->load(key, std::move(held->second.artifact)));
        }
        return held->second.module;
    }

    /// The modules of the run's imports.
    Result<std::vector<std::shared_ptr<LoadedModule>>> imports_of(const channel::Start& start) {
        const std::vector<job::NamedModule>& names = start.task.spec.imports;
        const Metering metering = metering_of(start.task.spec.limits);
        std::vector<std::shared_ptr<LoadedModule>> modules;
        modules.reserve(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            Result<std::shared_ptr<LoadedModule>> import =
                module_of(imports_.modules[i], {.module = names[i].second, .metering = metering});
            if (!import) {
                return std::move(import).take_error().during("import " + names[i].first);
            }
            modules.push_back(std::move(import).take());
        }
        return modules;
    }

    /// Nothing ran: the broker then takes none of the run's modules to be here.
    Result<void> refuse(const channel::Start& start, Error error) {
        for (const std::uint64_t number : imports_.modules) {
            held_.erase(number);
        }
        held_.erase(start.module);
        imports_ = {};
        if (error.code == Errc::malformed) {
            return error;
        }
        error.message.resize(std::min(error.message.size(), channel::limits::text_bytes_max));
        return endpoint_.send(channel::NotLoaded{
            .run = start.run, .code = error.code, .message = std::move(error.message)});
    }

    Result<void> run(channel::Start& start) {
        start.task.spec.imports = std::move(imports_.imports);
        if (start.task.spec.imports.size() != imports_.modules.size()) {
            return Error{Errc::malformed, "imports without their modules"};
        }
        Result<std::vector<std::shared_ptr<LoadedModule>>> imports = imports_of(start);
        if (!imports) {
            return refuse(start, std::move(imports).take_error());
        }
        Result<std::shared_ptr<LoadedModule>> module = module_of(
            start.module,
            {.module = start.task.spec.module, .metering = metering_of(start.task.spec.limits)});
        if (!module) {
            return refuse(start, std::move(module).take_error());
        }
        imports_ = {};
        ChannelServices services(endpoint_, window_);
        record("start", start.task.lease);
        Outcome outcome = engine_->run(**module, *imports, start.task, services);
        record("end", start.task.lease);
        return services.finish(start.run, std::move(outcome));
    }

    /// One line, whole even if several processes write at once (O_APPEND, one write).
    void record(std::string_view what, const job::LeaseRef& lease) const {
        if (!record_) {
            return;
        }
        const std::string line = std::string(what) + " " + lease.job.to_string() + " " +
                                 lease.epoch.to_string() + " " + std::to_string(::getpid()) + " " +
                                 std::to_string(now_since_boot().since_boot.count()) + "\n";
        if (::write(record_.get(), line.data(), line.size()) < 0) {
            std::cerr << "the execution record cannot be written\n";
            ::_exit(1); // A record that misses runs is worse than a lost executor.
        }
    }

    channel::Endpoint& endpoint_;
    channel::Window window_;
    UniqueFd record_;
    std::unique_ptr<Engine> engine_;
    std::map<std::uint64_t, Held> held_;
    channel::Imports imports_; ///< Of the next Start.
};

Result<void> converse(std::string_view broker) {
    channel::WallErrors walls = TRY(channel::raise_walls(TRY(channel::parse_broker(broker))));
    channel::Endpoint endpoint{UniqueFd(channel::channel_descriptor)};
    channel::Received first = TRY(endpoint.receive());
    Debugging debugging;
    if (const auto* debug = std::get_if<channel::Debug>(&first.message)) {
        debugging = debug->debugging;
        first = TRY(endpoint.receive());
    }
    const auto* hello = std::get_if<channel::Hello>(&first.message);
    if (hello == nullptr || first.descriptors.size() != (hello->record ? 2U : 1U)) {
        return Error{Errc::malformed, "the first message is no Hello"};
    }
    channel::Window window = TRY(channel::Window::attach(std::move(first.descriptors[0])));
    UniqueFd record = hello->record ? std::move(first.descriptors[1]) : UniqueFd();
    // What is loaded is kept here, as the broker says; the engine need not keep more.
    std::unique_ptr<Engine> engine =
        TRY(Engine::open({.slots = 1, .modules_max = 1, .debugging = debugging}));
    walls.system_calls = channel::forbid_what_is_not_needed(channel::ProcessKind::executor);
    channel::require_walls(walls, hello->walls); // All threads are there, and no guest yet.
    TRY(endpoint.send(channel::Ready{.slot = hello->slot}));
    return Conversation(endpoint, std::move(window), std::move(record), std::move(engine)).go_on();
}

} // namespace

int run_executor(std::string_view broker) {
    try {
        const Result<void> result = converse(broker);
        if (!result) {
            std::cerr << result.error().message << "\n";
        }
        return result ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}

} // namespace ic::executor::wasm
