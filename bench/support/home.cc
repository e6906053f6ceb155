#include "bench/support/home.h"

#include "base/file.h"
#include "identity/key_text.h"
#include "job/receipt.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace ic::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_time_max = 60s;

/// The two ends of a pipe.
struct Pipe {
    UniqueFd out;
    UniqueFd in;
};

Pipe make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        give_up("no pipe");
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Starts a program; `errors` is where its standard error goes, -1 for nowhere.
pid_t start_with(const std::vector<std::string>& words,
                 const std::vector<std::string>& environment,
                 int errors) {
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    std::vector<char*> variables;
    for (const std::string& variable : environment) {
        variables.push_back(const_cast<char*>(variable.c_str()));
    }
    for (char** variable = environ; *variable != nullptr; ++variable) {
        variables.push_back(*variable);
    }
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, errors < 0 ? 1 : errors, 2);
    pid_t pid = -1;
    const int failure = ::posix_spawn(
        &pid, words.front().c_str(), &actions, nullptr, arguments.data(), variables.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        give_up("cannot start " + words.front());
    }
    return pid;
}

/// Waits until a program has written this word.
void await_word(int descriptor, std::string_view word) {
    std::string text;
    std::array<char, 512> piece{};
    while (text.find(word) == std::string::npos) {
        const ssize_t count = ::read(descriptor, piece.data(), piece.size());
        if (count <= 0) {
            give_up("the worker ended before it was ready: " + text);
        }
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
}

} // namespace

void give_up(const std::string& why) {
    std::fprintf(stderr, "benchmark: %s\n", why.c_str());
    std::exit(1);
}

// (module (memory (export "memory") 1) (func (export "_start")))
ByteView noop_module() {
    static constexpr std::uint8_t bytes[] = {
        0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00,
        0x00, 0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x13, 0x02,
        0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x06, 0x5f, 0x73, 0x74,
        0x61, 0x72, 0x74, 0x00, 0x00, 0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b};
    return bytes;
}

void print_sample(const std::string& what, const char* unit, double value) {
    std::printf("%s\t%s\t%.3f\n", what.c_str(), unit, value);
}

double microseconds(const std::function<void()>& body) {
    const auto from = Clock::now();
    body();
    return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
}

pid_t start(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
    return start_with(words, environment, -1);
}

void run_to_end(const std::vector<std::string>& words,
                const std::vector<std::string>& environment) {
    int status = 0;
    if (::waitpid(start(words, environment), &status, 0) < 0 || status != 0) {
        give_up(words.front() + " failed");
    }
}

Home::Home() : path_(folder_.path() + "/home") {
    const char* program = std::getenv("IC_PROGRAM");
    if (program == nullptr) {
        give_up("IC_PROGRAM does not name the program; start this with bench/run");
    }
    program_ = program;
    environment_ = {"IPFS_COMPUTE_PATH=" + path_, "IPFS_PATH=" + folder_.path() + "/no-kubo"};
}

Home::~Home() {
    for (const pid_t worker : workers_) {
        ::kill(worker, SIGKILL);
        ::waitpid(worker, nullptr, 0);
    }
}

double Home::start_worker(const std::vector<std::string>& flags) {
    std::vector<std::string> command{program_, "worker"};
    command.insert(command.end(), flags.begin(), flags.end());
    Pipe words = make_pipe();
    const double took = microseconds([&] {
        workers_.push_back(start_with(command, environment_, words.in.get()));
        words.in = UniqueFd();
        await_word(words.out.get(), "ready");
    });
    words_.push_back(std::move(words.out));
    return took / 1000;
}

transport::LocalClient Home::connect() {
    transport::Hello self;
    self.kind = transport::PeerKind::client;
    self.key = key().public_key();
    self.name = "benchmark";
    self.software = "benchmark";
    self.instance.bytes[0] = ++last_client_;
    self.instance.bytes[1] = static_cast<std::uint8_t>(::getpid());
    return must(transport::LocalClient::connect(path_ + "/bus", self, answer_time_max));
}

Cid Home::add_noop_module() {
    const std::string file = folder_.path() + "/noop.wasm";
    must(write_file(file, noop_module(), 0600, IfExists::replace));
    run_to_end({program_, "submit", "--handler", "_start", "--wasm-file", file}, environment_);
    return cid_of(Codec::raw, noop_module()); // A small file is one raw block.
}

const PrivateKey& Home::key() {
    if (!key_) {
        const auto text = must(read_file_if_exists(path_ + "/identity.key", 4096));
        if (!text) {
            give_up("a worker must have made the home first");
        }
        key_ = must(decode_key(text_of(*text)));
    }
    return *key_;
}

job::SignedInvocation Home::next_job(const Cid& module) {
    job::Invocation invocation;
    invocation.issuer = key().public_key();
    invocation.audience = key().public_key();
    invocation.spec.module = module;
    invocation.nonce = copy_of(bytes_of(std::to_string(++last_nonce_)));
    return must(job::sign(invocation, key()));
}

void submit(transport::LocalClient& client, const job::SignedInvocation& job) {
    must(client.send(job::Submit{.invocation = job.document}, answer_time_max));
}

void await_result(transport::LocalClient& client) {
    for (;;) {
        const std::optional<job::Message> message = must(client.receive(answer_time_max));
        if (!message) {
            give_up("a job did not end in time");
        }
        if (const auto* outcome = std::get_if<job::Outcome>(&*message)) {
            if (!outcome->receipt || outcome->error) {
                give_up("a job failed: " + outcome->message);
            }
            return;
        }
        if (const auto* rejected = std::get_if<job::Rejected>(&*message)) {
            give_up("a job was rejected: " + rejected->message);
        }
    }
}

} // namespace ic::bench
