#include "transport/local/local_client.h"
#include "transport/local/local_transport.h"
#include "transport/local/seqpacket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace ic::transport {
namespace {

using namespace std::chrono_literals;

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "bus-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    std::filesystem::path bus() const { return root_ / "bus"; }

    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(bus()), {}));
    }

private:
    std::filesystem::path root_;
};

job::Instance instance(std::uint8_t n) {
    job::Instance made;
    made.bytes.fill(n);
    return made;
}

Hello hello(std::uint8_t n, PeerKind kind = PeerKind::node) {
    Hello made;
    made.instance = instance(n);
    made.kind = kind;
    made.key.bytes.fill(n);
    made.name = "node " + std::to_string(n);
    made.software = "test";
    return made;
}

job::Message query(std::uint8_t asker) { return job::OpenJobsQuery{instance(asker)}; }

std::unique_ptr<net::EventLoop> open_loop() { return std::move(net::EventLoop::open()).take(); }

// A node and what has happened to it.
struct Node {
    struct Gone {
        job::Instance who;
        Fate fate;
        Instant at;
    };

    net::EventLoop& loop;
    std::unique_ptr<LocalTransport> transport;
    std::vector<Peer> met;
    std::vector<Gone> gone;
    std::vector<std::pair<job::Instance, job::Message>> messages;
    std::vector<std::string> notes;

    Node(net::EventLoop& on, const Folder& folder, std::uint8_t n)
        : Node(on, LocalOptions{.folder = folder.bus(), .self = hello(n), .note = {}}) {}

    // Never says of a node that it is silent.
    static LocalOptions patient(const Folder& folder, std::uint8_t n) {
        return {.folder = folder.bus(), .self = hello(n), .silent_after = 1h, .note = {}};
    }

    Node(net::EventLoop& on, LocalOptions options) : loop(on) {
        options.note = {log::Level::debug,
                        [this](const log::Entry& entry) { notes.emplace_back(entry.message); }};
        Result<std::unique_ptr<LocalTransport>> opened =
            LocalTransport::open(loop, std::move(options));
        EXPECT_TRUE(opened) << opened.error().message;
        transport = std::move(opened).take();
    }

    void start() {
        const Result<void> started =
            transport->start({.on_peer = [this](const Peer& peer) { met.push_back(peer); },
                              .on_gone =
                                  [this](const Peer& peer, Fate fate) {
                                      gone.push_back({peer.instance, fate, now_since_boot()});
                                  },
                              .on_message =
                                  [this](const Peer& peer, job::Message message) {
                                      messages.emplace_back(peer.instance, std::move(message));
                                  }});
        EXPECT_TRUE(started);
    }
};

// Runs the loop until that holds; whether it came to hold in time.
bool run_until(net::EventLoop& loop,
               const std::function<bool()>& holds,
               std::chrono::nanoseconds most = 10s) {
    const Instant end = now_since_boot() + most;
    while (!holds() && now_since_boot() < end) {
        loop.run_for(2ms);
    }
    return holds();
}

TEST(LocalTransport, NodesMeetOnceWhoeverComesFirstAndTalk) {
    const Folder folder;
    const auto loop = open_loop();
    Node two{*loop, folder, 2};
    two.start();
    Node one{*loop, folder, 1};
    one.start();
    Node three{*loop, folder, 3};
    three.start();
    ASSERT_TRUE(run_until(*loop, [&] {
        return one.met.size() == 2 && two.met.size() == 2 && three.met.size() == 2;
    }));
    EXPECT_EQ(one.met[0].name.substr(0, 5), "node ");
    EXPECT_TRUE(one.met[0].same_user);
    EXPECT_EQ(two.transport->peers().size(), 2U);

    one.transport->announce(query(1));
    one.transport->send(instance(3), query(33));
    one.transport->send(instance(1), query(11)); // To itself.
    one.transport->send(instance(9), query(99)); // To nobody.
    ASSERT_TRUE(run_until(*loop, [&] {
        return two.messages.size() == 1 && three.messages.size() == 2 && one.messages.size() == 1;
    }));
    EXPECT_EQ(two.messages[0], std::pair(instance(1), query(1)));
    EXPECT_EQ(three.messages[1], std::pair(instance(1), query(33)));
    EXPECT_EQ(one.messages[0], std::pair(instance(1), query(11)));
    loop->run_for(20ms);
    EXPECT_EQ(one.met.size(), 2U) << "one connection a pair";
}

TEST(LocalTransport, ThousandsOfMessagesArriveInOrder) {
    const Folder folder;
    const auto loop = open_loop();
    Node one{*loop, folder, 1};
    one.start();
    Node two{*loop, folder, 2};
    two.start();
    ASSERT_TRUE(run_until(*loop, [&] { return !one.met.empty() && !two.met.empty(); }));
    constexpr std::uint64_t count = 5000;
    for (std::uint64_t n = 0; n < count; ++n) {
        job::Renew renew;
        renew.sequence = n;
        one.transport->send(instance(2), renew);
    }
    ASSERT_TRUE(run_until(*loop, [&] { return two.messages.size() == count; }));
    for (std::uint64_t n = 0; n < count; ++n) {
        ASSERT_EQ(std::get<job::Renew>(two.messages[n].second).sequence, n);
    }
}

TEST(LocalTransport, APathLongerThanASocketAddressWorks) {
    const Folder folder;
    std::filesystem::path deep = folder.bus();
    for (int level = 0; level < 5; ++level) {
        deep /= std::string(60, 'd');
    }
    const auto loop = open_loop();
    Node one{*loop, LocalOptions{.folder = deep, .self = hello(1), .note = {}}};
    one.start();
    Node two{*loop, LocalOptions{.folder = deep, .self = hello(2), .note = {}}};
    two.start();
    EXPECT_TRUE(run_until(*loop, [&] { return one.met.size() == 1 && two.met.size() == 1; }));
}

TEST(LocalTransport, AFolderThatOthersMayWriteToIsRefused) {
    const Folder folder;
    std::filesystem::create_directory(folder.bus());
    ASSERT_EQ(::chmod(folder.bus().c_str(), 0770), 0);
    const auto loop = open_loop();
    const auto opened = LocalTransport::open(
        *loop, LocalOptions{.folder = folder.bus(), .self = hello(1), .note = {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::refused);
}

TEST(LocalTransport, ProcessesOfAnotherUserAreRefused) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop,
              LocalOptions{.folder = folder.bus(),
                           .self = hello(1),
                           .user = ::geteuid() + 1, // So that this very process is another user's.
                           .note = {}}};
    node.start();
    const BusDirectory bus = std::move(BusDirectory::open(folder.bus())).take();
    const UniqueFd stranger = std::move(bus.connect(instance(1))).take();
    ASSERT_TRUE(run_until(*loop, [&] { return !node.notes.empty(); }));
    EXPECT_NE(node.notes[0].find("another user"), std::string::npos);
    Bytes buffer(100);
    EXPECT_EQ(receive_datagram(stranger.get(), buffer)->io, Io::closed);
}

// A connection that has not said hello yet, or that has, as a client.
UniqueFd stranger_of(const Folder& folder, std::uint8_t node) {
    const BusDirectory bus = std::move(BusDirectory::open(folder.bus())).take();
    return std::move(bus.connect(instance(node))).take();
}

TEST(LocalTransport, NonsenseInsteadOfAHelloIsCutOff) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    const Bytes nonsense(50, 0xff);
    const Bytes whole = encode(hello(9)); // A node's, without its liveness pipe.
    for (const Bytes& said : {nonsense, whole, encode(hello(1, PeerKind::client))}) {
        const UniqueFd socket = stranger_of(folder, 1);
        ASSERT_TRUE(send_datagram(socket.get(), said));
        const std::size_t before = node.notes.size();
        EXPECT_TRUE(run_until(*loop, [&] { return node.notes.size() > before; }));
    }
    EXPECT_TRUE(node.met.empty());
    EXPECT_TRUE(node.gone.empty());
}

TEST(LocalTransport, MalformedDatagramsCutAPeerOff) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    for (const Bytes& bad : {Bytes{0x05, 'x'}, Bytes{0x01, 0xff}, Bytes(200'000, 1)}) {
        const std::size_t gone_before = node.gone.size();
        const UniqueFd socket = stranger_of(folder, 1);
        ASSERT_TRUE(send_datagram(socket.get(), encode(hello(9, PeerKind::client))));
        ASSERT_TRUE(run_until(*loop, [&] { return node.transport->peers().size() == 1; }));
        ASSERT_TRUE(send_datagram(socket.get(), bad));
        ASSERT_TRUE(run_until(*loop, [&] { return node.gone.size() > gone_before; }));
        EXPECT_EQ(node.gone.back().fate, Fate::silent);
        EXPECT_TRUE(node.transport->peers().empty());
    }
    EXPECT_TRUE(node.messages.empty());
}

TEST(LocalTransport, APeerThatDoesNotReadIsCutOffAtTheNamedLimit) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop,
              LocalOptions{.folder = folder.bus(),
                           .self = hello(1),
                           .peer_queue_bytes_max = 1U << 20U,
                           .note = {}}};
    node.start();
    const UniqueFd socket = stranger_of(folder, 1);
    ASSERT_TRUE(send_datagram(socket.get(), encode(hello(9, PeerKind::client))));
    ASSERT_TRUE(run_until(*loop, [&] { return node.transport->peers().size() == 1; }));
    job::Output output;
    output.data.assign(job::limits::output_piece_bytes_max, 1);
    for (int n = 0; n < 30; ++n) { // Less than the limit.
        node.transport->send(instance(9), output);
    }
    loop->run_for(20ms);
    EXPECT_EQ(node.transport->peers().size(), 1U);
    for (int n = 0; n < 60; ++n) {
        node.transport->send(instance(9), output);
    }
    ASSERT_TRUE(run_until(*loop, [&] { return node.gone.size() == 1; }));
    EXPECT_NE(node.notes.back().find("does not read"), std::string::npos);
}

TEST(LocalTransport, WhatASilentPeerHadSentIsStillRead) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    UniqueFd socket = stranger_of(folder, 1);
    ASSERT_TRUE(send_datagram(socket.get(), encode(hello(9, PeerKind::client))));
    ASSERT_TRUE(run_until(*loop, [&] { return node.met.size() == 1; }));
    FrameQueue queue;
    for (std::uint8_t n = 0; n < 100; ++n) {
        queue.push(job::encode(query(n)));
    }
    while (!queue.empty()) {
        ASSERT_TRUE(send_datagram(socket.get(), queue.front()));
        queue.pop();
    }
    socket.reset(); // With the node's hello unread: the kernel makes a reset of it.
    ASSERT_TRUE(run_until(*loop, [&] { return node.gone.size() == 1; }));
    EXPECT_EQ(node.messages.size(), 100U);
}

TEST(LocalTransport, AnOrderlyEndTakesItsNamesAway) {
    const Folder folder;
    const auto loop = open_loop();
    {
        Node node{*loop, folder, 1};
        node.start();
        EXPECT_FALSE(node.transport->is_dead(instance(1)));
        EXPECT_TRUE(node.transport->is_dead(instance(2)));
        EXPECT_EQ(folder.files(), 2U);
    }
    EXPECT_EQ(folder.files(), 0U);
}

// --- other processes -----------------------------------------------------------------------------

// A node in a process of its own. Forked before the test has descriptors that it could hold open.
class OtherProcess {
public:
    // `guest`: it has a child that holds its liveness pipe for as long as `guest_pid` lives.
    OtherProcess(const Folder& folder, std::uint8_t n, bool with_guest = false) {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(ends[0]);
            serve(folder, n, with_guest, ends[1]);
        }
        ::close(ends[1]);
        EXPECT_EQ(::read(ends[0], &guest_, sizeof guest_), ssize_t{sizeof guest_});
        ::close(ends[0]);
    }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;
    ~OtherProcess() {
        signal(SIGKILL);
        if (guest_ > 0) {
            ::kill(guest_, SIGKILL);
        }
        ::waitpid(pid_, nullptr, 0);
    }

    void signal(int number) const { ::kill(pid_, number); }

    pid_t guest() const { return guest_; }

private:
    [[noreturn]] static void
    serve(const Folder& folder, std::uint8_t n, bool with_guest, int ready) {
        const auto loop = open_loop();
        Node node{*loop, folder, n};
        ::signal(SIGUSR1, keep_the_lock_alone);
        pid_t guest = 0;
        if (with_guest) {
            guest = ::fork();
            if (guest == 0) {
                for (int fd = 3; fd < 100; ++fd) { // As exec would, but for the liveness pipe.
                    if (fd != node.transport->liveness_fd()) {
                        ::close(fd);
                    }
                }
                ::pause();
                ::_exit(0);
            }
        }
        node.start();
        if (::write(ready, &guest, sizeof guest) != sizeof guest) {
            ::_exit(1);
        }
        loop->run();
        ::_exit(0);
    }

    // What the kernel does in the midst of a death: some files are closed, the lock is not yet.
    static void keep_the_lock_alone(int /*number*/) {
        for (int fd = 3; fd < 100; ++fd) {
            std::array<char, 256> target{};
            const std::string link = "/proc/self/fd/" + std::to_string(fd);
            if (::readlink(link.c_str(), target.data(), target.size() - 1) > 0 &&
                !std::string_view{target.data()}.ends_with(".lock")) {
                ::close(fd);
            }
        }
        ::pause();
    }

    pid_t pid_ = 0;
    pid_t guest_ = 0;
};

TEST(LocalTransportProcesses, AKilledNodeIsDeadByTheKernelsWord) {
    const Folder folder;
    const OtherProcess other{folder, 2};
    const auto loop = open_loop();
    Node node{*loop, Node::patient(folder, 1)}; // However slowly the kernel closes its files.
    node.start();
    ASSERT_TRUE(run_until(*loop, [&] { return node.met.size() == 1; }));
    EXPECT_FALSE(node.transport->is_dead(instance(2)));
    const Instant killed = now_since_boot();
    other.signal(SIGKILL);
    ASSERT_TRUE(run_until(*loop, [&] { return !node.gone.empty(); }));
    ASSERT_EQ(node.gone.size(), 1U);
    EXPECT_EQ(node.gone[0].fate, Fate::dead);
    RecordProperty("noticed_ms", static_cast<int>((node.gone[0].at - killed) / 1ms));
    EXPECT_TRUE(node.transport->is_dead(instance(2)));
    loop->run_for(150ms);
    EXPECT_EQ(folder.files(), 2U) << "the names of the dead are swept";
    EXPECT_EQ(node.gone.size(), 1U);
}

TEST(LocalTransportProcesses, ANodeIsDeadOnceItsLockIsFreeToo) {
    const Folder folder;
    const OtherProcess other{folder, 2};
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    ASSERT_TRUE(run_until(*loop, [&] { return node.met.size() == 1; }));
    other.signal(SIGUSR1); // Closes all but its lock.
    loop->run_for(100ms);
    EXPECT_TRUE(node.gone.empty()) << "its lock is held";
    EXPECT_FALSE(node.transport->is_dead(instance(2)));
    other.signal(SIGKILL);
    ASSERT_TRUE(run_until(*loop, [&] { return !node.gone.empty(); }));
    EXPECT_EQ(node.gone[0].fate, Fate::dead);
    EXPECT_TRUE(node.transport->is_dead(instance(2)));
    EXPECT_EQ(folder.files(), 2U) << "the names of the dead are swept";
}

TEST(LocalTransport, ANodeThatDiesBeforeItsHelloIsReadIsDeadAllTheSame) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    {
        BusDirectory bus = BusDirectory::open(folder.bus()).take();
        const UniqueFd lock = bus.take_lock(instance(9)).take();
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        const UniqueFd read_end(ends[0]), write_end(ends[1]);
        const UniqueFd socket = bus.connect(instance(1)).take();
        ASSERT_TRUE(send_datagram(socket.get(), encode(hello(9)), read_end.get()));
    }
    ASSERT_TRUE(run_until(*loop, [&] { return !node.gone.empty(); }));
    EXPECT_EQ(node.met.size(), 1U);
    EXPECT_EQ(node.gone[0].who, instance(9));
    EXPECT_EQ(node.gone[0].fate, Fate::dead);
    EXPECT_EQ(folder.files(), 2U) << "the names of the dead are swept";
}

TEST(LocalTransport, ALockThatASweeperHoldsForAMomentIsWaitedFor) {
    const Folder folder;
    const BusDirectory bus = BusDirectory::open(folder.bus()).take();
    const std::filesystem::path file = folder.bus() / (instance(1).to_string() + ".lock");
    UniqueFd sweeper{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    ASSERT_EQ(::flock(sweeper.get(), LOCK_EX | LOCK_NB), 0);
    std::thread sweeping([&] {
        std::this_thread::sleep_for(50ms);
        std::filesystem::remove(file);
        sweeper.reset();
    });
    const Result<UniqueFd> lock = BusDirectory::open(folder.bus()).take().take_lock(instance(1));
    sweeping.join();
    ASSERT_TRUE(lock) << lock.error().message;
    EXPECT_TRUE(std::filesystem::exists(file));
    EXPECT_FALSE(bus.is_dead(instance(1)));
}

TEST(LocalTransport, AProbeOfAnotherDoesNotMakeTheDeadLookAlive) {
    const Folder folder;
    const auto loop = open_loop();
    const Node node{*loop, folder, 1};
    const std::filesystem::path lock = folder.bus() / (instance(2).to_string() + ".lock");
    const UniqueFd probe{::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    ASSERT_EQ(::flock(probe.get(), LOCK_SH | LOCK_NB), 0);
    EXPECT_TRUE(node.transport->is_dead(instance(2)));
    ASSERT_EQ(::flock(probe.get(), LOCK_EX | LOCK_NB), 0);
    EXPECT_FALSE(node.transport->is_dead(instance(2)));
}

TEST(LocalTransportProcesses, AStoppedNodeIsNeitherDeadNorGone) {
    const Folder folder;
    const OtherProcess other{folder, 2};
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    ASSERT_TRUE(run_until(*loop, [&] { return node.met.size() == 1; }));
    other.signal(SIGSTOP);
    loop->run_for(300ms);
    EXPECT_TRUE(node.gone.empty());
    EXPECT_FALSE(node.transport->is_dead(instance(2)));
    other.signal(SIGCONT);
}

TEST(LocalTransportProcesses, ANodeIsDeadOnlyWhenItsLastChildIs) {
    const Folder folder;
    const OtherProcess other{folder, 2, true};
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    ASSERT_TRUE(run_until(*loop, [&] { return node.met.size() == 1; }));
    other.signal(SIGKILL);
    ASSERT_TRUE(run_until(*loop, [&] { return !node.gone.empty(); }));
    EXPECT_EQ(node.gone[0].fate, Fate::silent);
    EXPECT_TRUE(node.transport->is_dead(instance(2))) << "its broker is: its jobs may be adopted";
    loop->run_for(200ms);
    EXPECT_EQ(node.gone.size(), 1U) << "a guest may still run";
    ::kill(other.guest(), SIGKILL);
    ASSERT_TRUE(run_until(*loop, [&] { return node.gone.size() == 2; }));
    EXPECT_EQ(node.gone[1].fate, Fate::dead);
}

TEST(LocalTransportProcesses, StaleNamesAreSweptAtTheNextStart) {
    const Folder folder;
    {
        const OtherProcess two{folder, 2};
        const OtherProcess three{folder, 3};
        two.signal(SIGSTOP); // Or it would see the other one go, and sweep.
    } // Killed: nobody was there to sweep.
    EXPECT_EQ(folder.files(), 4U);
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    EXPECT_EQ(folder.files(), 2U) << "its own lock and its own unpublished socket";
}

TEST(LocalTransportProcesses, AClientTalksToANodeAndSeesItsLoss) {
    const Folder folder;
    EXPECT_EQ(LocalClient::connect(folder.bus(), hello(9, PeerKind::client), 1s).error().code,
              Errc::not_found);
    {
        const OtherProcess dead{folder, 5};
    }
    EXPECT_EQ(LocalClient::connect(folder.bus(), hello(9, PeerKind::client), 1s).error().code,
              Errc::not_found);
    const OtherProcess other{folder, 2};
    Result<LocalClient> client = LocalClient::connect(folder.bus(), hello(9, PeerKind::client), 5s);
    ASSERT_TRUE(client) << client.error().message;
    LocalClient connected = std::move(client).take();
    EXPECT_EQ(connected.node().instance, instance(2));
    EXPECT_TRUE(connected.send(query(9), 1s));
    const Result<std::optional<job::Message>> nothing = connected.receive(20ms);
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(*nothing);
    other.signal(SIGKILL);
    const Result<std::optional<job::Message>> lost = connected.receive(5s);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::unavailable);
}

TEST(LocalTransportProcesses, AClientGetsAnswersInOrder) {
    const Folder folder;
    const auto loop = open_loop();
    Node node{*loop, folder, 1};
    node.start();
    std::thread client([&folder, &loop] {
        Result<LocalClient> connected =
            LocalClient::connect(folder.bus(), hello(9, PeerKind::client), 5s);
        EXPECT_TRUE(connected);
        LocalClient talking = std::move(connected).take();
        EXPECT_TRUE(talking.send(query(1), 1s));
        for (std::uint8_t n = 0; n < 100; ++n) {
            const Result<std::optional<job::Message>> answer = talking.receive(5s);
            ASSERT_TRUE(answer && *answer);
            EXPECT_EQ(**answer, query(n));
        }
        loop->stop();
    });
    ASSERT_TRUE(run_until(*loop, [&] { return node.messages.size() == 1; }));
    for (std::uint8_t n = 0; n < 100; ++n) {
        node.transport->send(instance(9), query(n));
    }
    loop->run_for(5s);
    client.join();
}

} // namespace
} // namespace ic::transport
