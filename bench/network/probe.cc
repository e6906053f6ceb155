// One end of bench/network.py: on one host the echo, on the other whoever submits and measures.
//   bench_network_probe echo API
//   bench_network_probe measure HOME API MODULE ROUNDS
//   bench_network_probe burst HOME API MODULE JOBS
// `measure` takes turns between a job through this node (no slots: the other host's worker runs it)
// and a message that the other host sends back, both over the same two Kubos.

#include "bench/support/home.h"
#include "config/home.h"
#include "config/settings.h"
#include "config/trust.h"
#include "kubo/pubsub.h"
#include "kubo/subscription.h"
#include "net/event_loop.h"
#include "wiring/identity.h"
#include "wiring/node.h"
#include "wiring/stores.h"
#include "wiring/workshop.h"

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

namespace {

using namespace ic;
using namespace ic::bench;
using namespace std::chrono_literals;

constexpr std::string_view ping = "ipfs-compute-bench/ping";
constexpr std::string_view pong = "ipfs-compute-bench/pong";
constexpr int warm_up = 20;

std::unique_ptr<kubo::Rpc> open_rpc(const std::string& api) {
    kubo::RpcOptions options;
    options.address = api;
    return must(kubo::Rpc::open(std::move(options)));
}

/// Publishes until Kubo takes it.
void publish(kubo::Rpc& rpc, std::string_view topic, ByteView data) {
    while (!kubo::pubsub_publish(rpc, topic, data)) {
        ::usleep(1'000);
    }
}

/// Sends back whatever comes, until it is killed.
int echo(const std::string& api) {
    const std::unique_ptr<kubo::Rpc> rpc = open_rpc(api);
    const std::unique_ptr<kubo::Rpc> answers = open_rpc(api);
    kubo::SubscriptionOptions options;
    options.topic = std::string(ping);
    options.on_message = [&](const kubo::PubsubMessage& message) {
        publish(*answers, pong, message.data);
    };
    options.on_state = [](const kubo::SubscriptionState& state) {
        std::cout << (state.is_up() ? "up" : "down") << std::endl;
    };
    const kubo::Subscription subscription(*rpc, std::move(options));
    for (;;) {
        ::pause();
    }
}

/// What comes back on `pong`.
class Answers {
public:
    explicit Answers(const std::string& api) : rpc_(open_rpc(api)) {
        kubo::SubscriptionOptions options;
        options.topic = std::string(pong);
        options.on_message = [this](const kubo::PubsubMessage& message) {
            const std::lock_guard lock(mutex_);
            last_ = std::string(text_of(message.data));
            changed_.notify_all();
        };
        options.on_state = [](const kubo::SubscriptionState&) {};
        subscription_ = std::make_unique<kubo::Subscription>(*rpc_, std::move(options));
    }

    /// Whether it came within the time.
    bool await(const std::string& text, std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, time, [&] { return last_ == text; });
    }

private:
    std::unique_ptr<kubo::Rpc> rpc_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string last_;
    std::unique_ptr<kubo::Subscription> subscription_;
};

/// A node without slots, and a client in the same process.
class Submitter {
public:
    Submitter(const std::string& home, const std::string& api)
        : home_(must(config::open_home(home)))
        , key_(must(wiring::open_identity(home_)))
        , loop_(must(net::EventLoop::open())) {
        config::Settings settings;
        settings.kubo = api;
        stores_ = must(wiring::Stores::open(home_, settings));
        std::vector<PublicKey> trusted{key_.public_key()};
        for (const config::Trusted& one : must(config::load_trust(home_.trust_file()))) {
            trusted.push_back(must(PublicKey::parse_did(one.did)));
        }
        wiring::NodeOptions options;
        options.home = home_.path;
        options.self = {.key = key_.public_key(), .instance = wiring::random_instance()};
        options.name = "probe";
        options.software = wiring::software();
        options.policy = wiring::default_policy(trusted);
        options.note = {log::Level::info,
                        [](const log::Entry& entry) { std::cerr << entry.message << "\n"; }};
        wiring::NetworkOptions network;
        network.kubo_api = api;
        network.trusted = trusted;
        network.lock_folder = "/tmp";
        options.network = network;
        node_ = must(wiring::Node::open(std::move(options), *loop_, key_, stores_->local(), {}));
        node_->on_client = [this](const job::Message& message) {
            if (const auto* outcome = std::get_if<job::Outcome>(&message)) {
                if (!outcome->receipt || outcome->error) {
                    give_up("a job failed: " + outcome->message);
                }
                if (++ended_ == wanted_) {
                    loop_->stop();
                }
            } else if (const auto* rejected = std::get_if<job::Rejected>(&message)) {
                give_up("a job was rejected: " + rejected->message);
            }
        };
        must(node_->start());
    }

    job::SignedInvocation next_job(const Cid& module) {
        job::Invocation invocation;
        invocation.issuer = key_.public_key();
        invocation.audience = key_.public_key();
        invocation.spec.module = module;
        invocation.spec.handler = "handler";
        invocation.nonce =
            copy_of(bytes_of(std::to_string(::getpid()) + "-" + std::to_string(++jobs_)));
        return must(job::sign(invocation, key_));
    }

    void run(const std::vector<job::SignedInvocation>& jobs) {
        wanted_ = ended_ + jobs.size();
        for (const job::SignedInvocation& one : jobs) {
            node_->from_client(job::Submit{.invocation = one.document, .use_memo = false});
        }
        loop_->run();
    }

    net::EventLoop& loop() { return *loop_; }

private:
    config::Home home_;
    PrivateKey key_;
    std::unique_ptr<net::EventLoop> loop_;
    std::unique_ptr<wiring::Stores> stores_;
    std::unique_ptr<wiring::Node> node_;
    std::size_t ended_ = 0;
    std::size_t wanted_ = 0;
    std::uint64_t jobs_ = 0;
};

int measure(const std::string& home, const std::string& api, const Cid& module, int rounds) {
    Submitter submitter(home, api);
    const std::unique_ptr<kubo::Rpc> rpc = open_rpc(api);
    Answers answers(api);
    submitter.loop().run_for(2s); // The subscriptions have reached both Kubos.
    for (int round = -warm_up; round < rounds; ++round) {
        const std::vector<job::SignedInvocation> job{submitter.next_job(module)};
        const double ours = microseconds([&] { submitter.run(job); });
        const std::string text = "ping " + std::to_string(round) + std::string(256, 'x');
        bool came = false;
        const double theirs = microseconds([&] {
            publish(*rpc, ping, bytes_of(text));
            came = answers.await(text, 1s);
        });
        if (round >= 0) {
            print_sample("submit to result over two Kubos", "us", ours);
            if (came) {
                print_sample("publish and echo over the same", "us", theirs);
            } else {
                print_sample("publish and echo that was lost", "us", theirs);
            }
        }
    }
    return 0;
}

/// As fast as they can be offered; until all have ended.
int burst(const std::string& home, const std::string& api, const Cid& module, int count) {
    Submitter submitter(home, api);
    submitter.loop().run_for(2s);
    std::vector<job::SignedInvocation> jobs;
    jobs.reserve(static_cast<std::size_t>(count));
    for (int number = 0; number < count; ++number) {
        jobs.push_back(submitter.next_job(module));
    }
    const double took = microseconds([&] { submitter.run(jobs); });
    print_sample("jobs over two Kubos, all offered at once", "1/s", count * 1e6 / took);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) {
            print_sample("memory of the coordinator at its most",
                         "MiB",
                         std::strtod(line.c_str() + 6, nullptr) / 1024);
        }
    }
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.size() == 2 && words[0] == "echo") {
        return echo(words[1]);
    }
    if (words.size() == 5) {
        const Cid module = must(Cid::parse(words[3]));
        const int number = std::atoi(words[4].c_str());
        if (words[0] == "measure") {
            return measure(words[1], words[2], module, number);
        }
        if (words[0] == "burst") {
            return burst(words[1], words[2], module, number);
        }
    }
    give_up("see the head of bench/network/probe.cc");
}
