/// A program that stands in for executors and compilers and misbehaves on request: an executor does
/// what the job's handler names, a compiler what the module's text names.

#include "executor/channel/endpoint.h"
#include "executor/channel/walls.h"
#include "executor/channel/window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace ic::executor {
namespace {

using namespace channel;

std::string content_of(const UniqueFd& memory) {
    struct stat status{};
    ::fstat(memory.get(), &status);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    const ssize_t count = ::pread(memory.get(), text.data(), text.size(), 0);
    return count == status.st_size ? text : "unreadable";
}

class FakeExecutor {
public:
    FakeExecutor(Endpoint& endpoint, const Window& window) : endpoint_(endpoint), window_(window) {}

    void go_on() {
        for (;;) {
            Result<Received> received = endpoint_.receive();
            if (!received) {
                return;
            }
            if (const auto* load = std::get_if<Load>(&received->message)) {
                artifacts_[load->module] = content_of(received->descriptors[0]);
            } else if (const auto* drop = std::get_if<Drop>(&received->message)) {
                artifacts_.erase(drop->module);
            } else if (const auto* imports = std::get_if<Imports>(&received->message)) {
                imports_ = *imports;
            } else if (const auto* start = std::get_if<Start>(&received->message)) {
                start_ = *start;
                run();
                imports_ = {};
            }
        }
    }

private:
    void run() {
        const std::map<std::string, std::function<void()>> behaviours{
            {"hello", [this] { finish("hello"); }},
            {"pid", [this] { finish(std::to_string(::getpid())); }},
            {"artifact", [this] { finish(artifacts_[start_.module]); }},
            {"imports", [this] { finish(imports()); }},
            {"held", [this] { finish(std::to_string(artifacts_.size())); }},
            {"inspect", [this] { finish(inspect()); }},
            {"die", [] { die("it hurts"); }},
            {"abort", [] { std::abort(); }},
            {"hang", [] { hang(); }},
            {"boast", [this] { boast(); }},
            {"deaf", [this] { answer_ahead(), hang(); }},
            {"eat", [this] { eat(), finish("full"); }},
            {"close", [] { close_and_hang(); }},
            {"garbage", [this] { send_garbage(); }},
            {"wrong-run", [this] { send(Finished{.run = start_.run + 1}); }},
            {"second-ready", [this] { send(Ready{}); }},
            {"flood-output", [this] { flood(Output{.data = Bytes(1000, 'x')}); }},
            {"flood-log", [this] { flood(Log{.lines = Bytes(1000, '\n')}); }},
            {"empty-output", [this] { flood(Output{}); }},
            {"half-line", [this] { send(Log{.lines = {'x'}}), hang(); }},
            {"trace", [this] { send(Trace{.lines = copy_of(bytes_of("1\n2\n"))}), finish(""); }},
            {"half-trace", [this] { send(Trace{.lines = {'x'}}), hang(); }},
            {"flood-trace", [this] { flood(Trace{.lines = long_line()}); }},
            {"core", [this] { send(DumpPiece{.data = {'c'}}), finish(""); }},
            {"profile",
             [this] { send(DumpPiece{.kind = Dump::profile, .data = {'p'}}), finish(""); }},
            {"flood-core", [this] { flood(DumpPiece{.data = Bytes(60'000, 'c')}); }},
            {"add", [this] { finish(add()); }},
            {"add-too-much", [this] { add_without_end(1000); }},
            {"open-too-many", [this] { open_without_end(); }},
            {"beyond-window", [this] { beyond_window(); }},
            {"get", [this] { get(); }},
            {"curl", [this] { curl(); }},
            {"curls-too-many", [this] { open_responses_without_end(); }},
            {"talk", [this] { talk(), finish("late"); }},
            {"talk-and-hang", [this] { talk(), add(), hang(); }},
            {"talk-and-die", [this] { talk(), die("it hurts"); }},
            {"add-where-it-is-full", [this] { add_until_it_fails(); }},
            {"obey", [this] { obey(); }},
            {"not-loaded", [this] { refuse(Errc::unsupported); }},
            {"not-loaded-once", [this] { refuse_first(); }},
            {"import-missing", [this] { refuse(Errc::import_missing); }},
        };
        behaviours.at(start_.task.spec.handler)();
    }

    void send(const Message& message) {
        if (!endpoint_.send(message)) {
            std::_Exit(0);
        }
    }

    void boast() {
        constexpr std::uint64_t all = UINT64_MAX;
        send(Finished{.run = start_.run,
                      .usage = {.cpu_us = all,
                                .fuel = all,
                                .memory_bytes_peak = all,
                                .bytes_added = all,
                                .host_calls = all}});
    }

    /// Runs that nobody has asked for yet.
    void answer_ahead() {
        for (std::uint64_t run = 0; run < 100; ++run) {
            send(Finished{.run = start_.run + run});
        }
    }

    void finish(std::string_view output, job::Ending ending = {}) {
        send(Finished{
            .run = start_.run, .ending = std::move(ending), .output = copy_of(bytes_of(output))});
    }

    Reply ask(const Message& message) {
        send(message);
        Result<Received> received = endpoint_.receive();
        if (!received) {
            std::_Exit(0);
        }
        return std::get<Reply>(received->message);
    }

    static void die(const char* words) {
        std::fprintf(stderr, "%s\n", words);
        std::_Exit(3);
    }

    /// 256 MiB that it touches.
    static void eat() {
        constexpr std::size_t bytes = std::size_t{256} << 20U;
        void* const memory =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) {
            std::fill_n(static_cast<char*>(memory), bytes, 'x');
        }
    }

    [[noreturn]] static void hang() {
        for (;;) {
            ::pause();
        }
    }

    [[noreturn]] static void close_and_hang() {
        ::close(channel_descriptor);
        hang();
    }

    void send_garbage() {
        const std::array<char, 3> garbage{1, 99, 7};
        ::send(channel_descriptor, garbage.data(), garbage.size(), MSG_NOSIGNAL);
        hang();
    }

    static Bytes long_line() {
        Bytes line(60'000, 'x');
        line.back() = '\n';
        return line;
    }

    void flood(const Message& message) {
        for (;;) {
            send(message);
        }
    }

    void add_without_end(std::uint32_t bytes) {
        std::uint32_t adder = 0;
        for (;;) {
            adder = ask(AddWrite{.adder = adder, .bytes = bytes}).number;
        }
    }

    void open_without_end() {
        for (;;) {
            ask(AddWrite{.bytes = 1});
        }
    }

    void beyond_window() {
        send(AddWrite{.bytes = static_cast<std::uint32_t>(window_.to_broker().size()) + 1});
        hang();
    }

    std::string add() {
        std::ranges::copy(bytes_of("one "), window_.to_broker().begin());
        const std::uint32_t adder = ask(AddWrite{.bytes = 4}).number;
        std::ranges::copy(bytes_of("two"), window_.to_broker().begin());
        const Reply reply = ask(AddWrite{.adder = adder, .bytes = 3, .last = true});
        return reply.cid ? reply.cid->to_string() : reply.message;
    }

    /// What an executor does whose guest adds a file that there is no room for.
    void add_until_it_fails() {
        std::uint32_t adder = 0;
        for (;;) {
            const Reply reply = ask(AddWrite{.adder = adder, .bytes = 4});
            if (reply.error) {
                finish(reply.message);
                return;
            }
            adder = reply.number;
        }
    }

    void get() {
        const Reply reply = ask(GetBlock{.sequence = 5, .cid = *start_.task.spec.event});
        finish(reply.error ? std::string(name(*reply.error))
                           : std::string(text_of(window_.to_executor().first(reply.window_bytes))));
    }

    void curl() {
        std::ranges::copy(bytes_of("http://host/"), window_.to_broker().begin());
        const Reply opened = ask(CurlOpen{.sequence = 8, .bytes = 12});
        std::string all(text_of(window_.to_executor().first(opened.window_bytes)));
        for (;;) {
            const Reply part = ask(CurlRead{.sequence = 9, .body = opened.number, .bytes_max = 4});
            if (part.error || part.window_bytes == 0) {
                break;
            }
            all += "|" + std::string(text_of(window_.to_executor().first(part.window_bytes)));
        }
        send(CurlClose{.body = opened.number});
        finish(all);
    }

    void open_responses_without_end() {
        for (;;) {
            std::ranges::copy(bytes_of("http://host/"), window_.to_broker().begin());
            ask(CurlOpen{.sequence = 8, .bytes = 12});
        }
    }

    void talk() {
        send(Log{.lines = copy_of(bytes_of("first\nsecond\n"))});
        send(Output{.stream = job::Stream::output, .data = copy_of(bytes_of("early "))});
        send(Output{.stream = job::Stream::errors, .data = copy_of(bytes_of("oh"))});
    }

    /// As a good executor does: looks at the control page until it says stop.
    void obey() {
        for (;;) {
            const std::uint32_t stop = window_.control().stop_reason.load();
            const bool over =
                now_since_boot().since_boot.count() >= window_.control().lease_until_ns.load();
            if (stop != 0 || over) {
                job::Ending ending;
                ending.error = stop != 0 ? *errc_of(stop) : Errc::lease_lost;
                ending.message = "obeyed";
                return finish("", ending);
            }
            ::usleep(1000);
        }
    }

    /// "NAME=MODULE" for each, without who compiled it.
    std::string imports() {
        std::string text;
        for (std::size_t i = 0; i < imports_.imports.size(); ++i) {
            const std::string& artifact = artifacts_[imports_.modules[i]];
            text +=
                imports_.imports[i].first + "=" + artifact.substr(0, artifact.find(" by ")) + ";";
        }
        return text;
    }

    void refuse(Errc code) {
        artifacts_.erase(start_.module);
        for (const std::uint64_t import : imports_.modules) {
            artifacts_.erase(import);
        }
        send(NotLoaded{.run = start_.run, .code = code, .message = "not this one"});
    }

    void refuse_first() {
        refused_ ? finish(imports() + artifacts_[start_.module]) : refuse(Errc::unsupported);
        refused_ = true;
    }

    std::string inspect() {
        std::string found;
        int open = 0; // One by one: behind the walls there is no /proc.
        for (int descriptor = 0; descriptor < static_cast<int>(channel::limits::open_files_max);
             ++descriptor) {
            open += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
        }
        found += "descriptors=" + std::to_string(open); // 0 to 2, the channel, the window.
        found += " environment=" + std::to_string(environ[0] == nullptr ? 0 : 1);
        found += " no_new_privs=" + std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        found += " dumpable=" + std::to_string(::prctl(PR_GET_DUMPABLE));
        rlimit core{};
        ::getrlimit(RLIMIT_CORE, &core);
        found += " core=" + std::to_string(core.rlim_max);
        found += " group=" + std::to_string(::getpgrp());
        return found;
    }

    Endpoint& endpoint_;
    const Window& window_;
    Start start_;
    Imports imports_;
    bool refused_ = false;
    std::map<std::uint64_t, std::string> artifacts_;
};

int compile(Endpoint& endpoint, const UniqueFd& memory_count) {
    Result<Received> request = endpoint.receive();
    const bool has_imports = request && std::holds_alternative<Imports>(request->message);
    if (has_imports) {
        request = endpoint.receive();
    }
    if (!request) {
        return 1;
    }
    const auto& wanted = std::get<Compile>(request->message);
    const std::string module = content_of(request->descriptors[0]);
    const std::string artifact = module + " by " + std::to_string(::getpid());
    if (module == "hang") {
        ::pause();
    } else if (module == "die") {
        std::fprintf(stderr, "cannot compile\n");
        return 9;
    } else if (module == "greedy") {
        if (!limit_memory_growth(memory_count, wanted.limits.compile_memory_bytes_max) ||
            ::mmap(nullptr,
                   wanted.limits.compile_memory_bytes_max + 1,
                   PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS,
                   -1,
                   0) == MAP_FAILED) {
            std::fprintf(stderr, "memory allocation of 5 bytes failed\n");
            std::abort();
        }
    } else if (module == "invalid") {
        return endpoint.send(CompileFailed{.message = "no magic"}).ok() ? 0 : 1;
    } else if (module == "needy" && !has_imports) {
        return endpoint.send(CompileFailed{.code = Errc::import_missing}).ok() ? 0 : 1;
    } else if (module == "slow") {
        ::usleep(200'000);
    }
    const ssize_t written =
        ::write(request->descriptors[1].get(), artifact.data(), artifact.size());
    const std::uint64_t claimed = module == "liar" ? 1 : artifact.size();
    return written > 0 && endpoint.send(Compiled{.artifact_bytes = claimed}) ? 0 : 1;
}

int run(std::string_view role, std::string_view broker) {
    const Result<UniqueFd> memory_count =
        role == "compiler" ? open_memory_count() : Result<UniqueFd>(UniqueFd());
    if (!memory_count || !raise_walls(*parse_broker(broker))) {
        return 1;
    }
    Endpoint endpoint{UniqueFd(channel_descriptor)};
    if (role == "compiler") {
        return compile(endpoint, *memory_count);
    }
    Result<Received> received = endpoint.receive();
    if (!received || role == "stillborn") {
        return 1;
    }
    Received hello = std::move(received).take();
    if (std::holds_alternative<Debug>(hello.message)) {
        received = endpoint.receive();
        if (!received) {
            return 1;
        }
        hello = std::move(received).take();
    }
    const Result<Window> window = Window::attach(std::move(hello.descriptors[0]));
    if (!window || !endpoint.send(Ready{.slot = std::get<Hello>(hello.message).slot})) {
        return 1;
    }
    FakeExecutor(endpoint, *window).go_on();
    return 0;
}

} // namespace
} // namespace ic::executor

int main(int count, char** arguments) {
    return count == 3 ? ic::executor::run(arguments[1], arguments[2]) : 1;
}
