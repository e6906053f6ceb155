#include "system/cluster.h"

#include "base/file.h"
#include "base/time.h"
#include "identity/key_text.h"
#include "job/receipt.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace ic::system_test {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_time_max = 5s;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "cluster: %s\n", why.c_str());
    std::abort();
}

template <class T>
T must(Result<T> result) {
    if (!result) {
        give_up(result.error().message);
    }
    return std::move(result).take();
}

std::size_t sockets_in(const std::filesystem::path& folder) {
    std::error_code none;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        count += entry.path().extension() == ".sock" ? 1U : 0U;
    }
    return count;
}

pid_t start(const std::vector<std::string>& words,
            const std::vector<std::string>& environment,
            const std::string& log) {
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
    ::posix_spawn_file_actions_addopen(
        &actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 2, 1);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    pid_t pid = -1;
    if (::posix_spawn(&pid,
                      words.front().c_str(),
                      &actions,
                      &attributes,
                      arguments.data(),
                      variables.data()) != 0) {
        give_up("cannot start " + words.front());
    }
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
}

} // namespace

Cluster::Cluster() : home_(folder_.path() + "/home"), record_(folder_.path() + "/record") {
    const testing_support::Finished made = run({"init"});
    if (made.status != 0) {
        give_up("init: " + made.err);
    }
    const auto text = must(read_file_if_exists(home_ + "/identity.key", 4096));
    key_ = must(decode_key(text_of(*text)));
}

Cluster::~Cluster() {
    for (const auto& [index, pid] : workers_) {
        ::kill(-pid, SIGCONT);
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
}

std::size_t Cluster::start_worker(std::vector<std::string> flags) {
    const std::size_t index = started_++;
    const std::size_t before = sockets_in(home_ + "/bus");
    std::vector<std::string> words{IC_PROGRAM, "worker", "--execution-record", record_};
    words.insert(words.end(), flags.begin(), flags.end());
    workers_[index] =
        start(words,
              {"IPFS_COMPUTE_PATH=" + home_, "IPFS_PATH=" + folder_.path() + "/no-kubo"},
              folder_.path() + "/worker-" + std::to_string(index) + ".log");
    const Instant until = now_since_boot() + 20s;
    // A worker that starts sweeps the names of dead ones, so the count alone says little: its own
    // word does.
    while (log(index).find("ready") == std::string::npos) {
        if (now_since_boot() > until) {
            give_up("worker is not ready (" + std::to_string(before) + " before): " + log(index));
        }
        std::this_thread::sleep_for(5ms);
    }
    return index;
}

std::size_t Cluster::start_submit(std::vector<std::string> words) {
    const std::size_t index = started_++;
    words.insert(words.begin(), {IC_PROGRAM, "submit"});
    workers_[index] =
        start(words,
              {"IPFS_COMPUTE_PATH=" + home_, "IPFS_PATH=" + folder_.path() + "/no-kubo"},
              folder_.path() + "/worker-" + std::to_string(index) + ".log");
    const Instant until = now_since_boot() + 20s;
    while (log(index).find("job bafy") == std::string::npos) {
        if (now_since_boot() > until) {
            give_up("submit is not accepted: " + log(index));
        }
        std::this_thread::sleep_for(5ms);
    }
    return index;
}

void Cluster::kill_worker(std::size_t worker) {
    const pid_t pid = workers_.at(worker);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    workers_.erase(worker);
}

void Cluster::signal_group(std::size_t worker, int signal) const {
    ::kill(-workers_.at(worker), signal);
}

std::string Cluster::log(std::size_t worker) const {
    std::ifstream file(folder_.path() + "/worker-" + std::to_string(worker) + ".log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

testing_support::Finished Cluster::run(std::vector<std::string> words) const {
    words.insert(words.begin(), IC_PROGRAM);
    testing_support::HowToRun how;
    how.environment = {"IPFS_COMPUTE_PATH=" + home_, "IPFS_PATH=" + folder_.path() + "/no-kubo"};
    return testing_support::run_process(words, how);
}

std::vector<Execution> Cluster::executions() const {
    std::vector<Execution> all;
    std::map<std::string, std::size_t> open; // "job epoch pid" to its place.
    std::ifstream file(record_);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string what;
        Execution one;
        words >> what >> one.job >> one.epoch >> one.executor >> one.start_ns;
        const std::string key = one.job + " " + one.epoch + " " + std::to_string(one.executor);
        if (what == "start") {
            open[key] = all.size();
            all.push_back(one);
        } else if (const auto begun = open.find(key); begun != open.end()) {
            all[begun->second].end_ns = one.start_ns;
        }
    }
    return all;
}

Cid Cluster::add_module(ByteView wasm) const {
    const std::string file = folder_.path() + "/module.wasm";
    must(write_file(file, wasm, 0600, IfExists::replace));
    const testing_support::Finished added = run({"add", "-Q", file});
    if (added.status != 0) {
        give_up("add: " + added.err);
    }
    return must(Cid::parse(added.out.substr(0, added.out.find('\n'))));
}

job::SignedInvocation
make_job(const PrivateKey& key, const Cid& module, const JobOptions& options) {
    job::Invocation invocation;
    const PrivateKey& submitter = options.submitter != nullptr ? *options.submitter : key;
    invocation.issuer = submitter.public_key();
    invocation.audience = key.public_key();
    invocation.spec.module = module;
    invocation.spec.effects = options.effects;
    invocation.spec.arguments = options.arguments;
    invocation.spec.limits.wall_ms_max = static_cast<std::uint64_t>(options.wall_max.count());
    invocation.nonce = copy_of(bytes_of(options.nonce));
    invocation.timeouts.attempts_max = job::limits::attempts_max; // Kills are the tests' doing.
    return must(job::sign(invocation, submitter));
}

void Client::connect() {
    const Instant until = now_since_boot() + 20s;
    while (!connection_) {
        transport::Hello self;
        self.kind = transport::PeerKind::client;
        self.key = cluster_.key().public_key();
        self.name = "test client";
        self.software = "test";
        static std::uint8_t count = 0;
        self.instance.bytes[0] = ++count;
        self.instance.bytes[1] = static_cast<std::uint8_t>(::getpid());
        Result<transport::LocalClient> connected =
            transport::LocalClient::connect(cluster_.home() + "/bus", self, answer_time_max);
        if (connected) {
            connection_ = std::move(connected).take();
        } else if (now_since_boot() > until) {
            give_up("no node answers: " + connected.error().message);
        } else {
            std::this_thread::sleep_for(5ms);
        }
    }
}

void Client::submit(const job::SignedInvocation& job) {
    open_[job.cid] = job.document;
    for (;;) {
        connect();
        if (connection_->send(job::Submit{.invocation = job.document}, answer_time_max)) {
            return;
        }
        connection_.reset();
        for (const auto& [cid, document] : open_) {
            connect();
            if (!connection_->send(job::Submit{.invocation = document}, answer_time_max)) {
                connection_.reset();
            }
        }
    }
}

void Client::take(job::Message message) {
    if (auto* accepted = std::get_if<job::Accepted>(&message)) {
        accepted_[accepted->job] = true;
    } else if (auto* progress = std::get_if<job::Progress>(&message)) {
        progress_[progress->job] = *progress;
    } else if (auto* outcome = std::get_if<job::Outcome>(&message)) {
        open_.erase(outcome->job);
        outcomes_[outcome->job] = std::move(*outcome);
    } else if (auto* rejected = std::get_if<job::Rejected>(&message)) {
        open_.erase(rejected->job);
        outcomes_[rejected->job] = {.job = rejected->job,
                                    .receipt = std::nullopt,
                                    .error = rejected->reason,
                                    .message = "rejected: " + rejected->message};
    }
}

void Client::take_for(std::chrono::milliseconds time) {
    const Instant until = now_since_boot() + time;
    while (now_since_boot() < until) {
        connect();
        Result<std::optional<job::Message>> message = connection_->receive(20ms);
        if (!message) {
            connection_.reset();
            for (const auto& [cid, document] : open_) {
                connect();
                if (!connection_->send(job::Submit{.invocation = document}, answer_time_max)) {
                    connection_.reset();
                }
            }
        } else if (std::optional<job::Message> one = std::move(message).take()) {
            take(std::move(*one));
        }
        if (open_.empty()) {
            return;
        }
    }
}

bool Client::wait_for_all(std::chrono::milliseconds time_max) {
    take_for(time_max);
    return open_.empty();
}

ExecutionCheck check_executions(const std::vector<Execution>& executions) {
    ExecutionCheck check;
    check.executions = executions.size();
    std::map<std::string, std::vector<Execution>> by_job;
    for (const Execution& one : executions) {
        by_job[one.job].push_back(one);
    }
    check.jobs = by_job.size();
    for (const auto& [job, all] : by_job) {
        for (std::size_t index = 1; index < all.size(); ++index) {
            const Execution& before = all[index - 1];
            // One without an end was killed; if its process still is there, it still runs.
            const bool still_runs = !before.end_ns && is_alive(before.executor);
            const bool ended_later = before.end_ns && *before.end_ns > all[index].start_ns;
            if (still_runs || ended_later) {
                check.overlaps.push_back(job);
            }
        }
    }
    return check;
}

bool is_alive(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    // The state is the letter after the name's closing bracket (proc_pid_stat(5)).
    const std::size_t bracket = text.rfind(')');
    if (bracket == std::string::npos || bracket + 2 >= text.size()) {
        return false;
    }
    const char state = text[bracket + 2];
    // One that has begun to exit has no memory any more, and so no command line: it runs nothing.
    std::ifstream command("/proc/" + std::to_string(process) + "/cmdline");
    return state != 'Z' && state != 'X' && command.get() != std::ifstream::traits_type::eof();
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

// (module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))
ByteView endless_module() {
    static constexpr std::uint8_t bytes[] = {
        0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00,
        0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x13, 0x02, 0x06, 0x6d,
        0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74,
        0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b};
    return bytes;
}

} // namespace ic::system_test
