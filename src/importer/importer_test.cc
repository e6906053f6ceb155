#include "blockstore/memory_store.h"
#include "importer/importer.h"
#include "importer/testing/tree.h"
#include "unixfs/file_builder.h"
#include "unixfs/file_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

namespace ic::importer {
namespace {

using testing_tree::noise;
using testing_tree::Tree;

/// Pins in memory.
class FakePins final : public Pins {
public:
    Result<void> add(const Pin& pin) override {
        pins.push_back(pin);
        return {};
    }

    Result<void> remove(const Cid&) override { return {}; }

    Result<void> replace(const Cid&, const Pin&) override { return {}; }

    Result<std::optional<Pin>> find(const Cid&) override { return std::optional<Pin>(); }

    Result<void> visit(const Visitor&) override { return {}; }

    std::vector<Pin> pins;
};

/// A session of which a collection may take what it protects.
class WatchedSession final : public WriteSession {
public:
    WatchedSession(std::unique_ptr<WriteSession> inner, const std::optional<Error>& loss)
        : inner_(std::move(inner))
        , loss_(loss) {}

    Result<void> protect(const Cid& cid) override { return inner_->protect(cid); }

    Result<void> confirm() override { return loss_ ? Result<void>(*loss_) : Result<void>{}; }

private:
    std::unique_ptr<WriteSession> inner_;
    const std::optional<Error>& loss_;
};

/// A store that does something when a block is put, and counts.
class WatchedStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& cid) override { return inner.get(cid); }

    Result<void> put(const Cid& cid, ByteView data) override {
        ++puts;
        if (on_put) {
            TRY(on_put(cid));
        }
        return inner.put(cid, data);
    }

    Result<bool> has(const Cid& cid) override { return inner.has(cid); }

    Result<void> sync() override {
        ++syncs;
        return inner.sync();
    }

    Result<StoreStat> stat() override { return inner.stat(); }

    Result<std::unique_ptr<WriteSession>> begin_session() override {
        ++sessions;
        return std::unique_ptr<WriteSession>(
            std::make_unique<WatchedSession>(TRY(inner.begin_session()), loss));
    }

    MemoryStore inner;
    std::function<Result<void>(const Cid&)> on_put;
    std::optional<Error> loss; ///< Of what its sessions protected.
    std::atomic<int> puts = 0, syncs = 0, sessions = 0;
};

struct Outcome {
    Result<void> done;
    std::vector<Added> added;
    std::uint64_t bytes = 0;

    std::vector<std::string> names() const {
        std::vector<std::string> list;
        for (const Added& one : added) {
            list.push_back(one.name);
        }
        return list;
    }

    std::string last() const { return added.empty() ? "" : added.back().cid.to_string(); }
};

Outcome import_with(const WalkRequest& request,
                    const Destination& destination,
                    const unixfs::ImportOptions& options = {},
                    std::size_t threads = 3) {
    Outcome outcome;
    outcome.done = import_files(request,
                                options,
                                destination,
                                threads,
                                {.added = [&](const Added& added) -> Result<void> {
                                     outcome.added.push_back(added);
                                     return {};
                                 },
                                 .progress = [&](std::uint64_t bytes) { outcome.bytes += bytes; }});
    return outcome;
}

unixfs::ImportOptions small_chunks() {
    unixfs::ImportOptions options;
    options.profile.chunker = unixfs::ChunkerSpec::fixed(1000);
    options.profile.links_max = 4;
    return options;
}

/// The content of a file in a store.
std::string read_back(BlockStore& store, const Cid& cid) {
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(store, cid);
    EXPECT_TRUE(reader.ok());
    std::string content;
    std::vector<std::uint8_t> piece(100'000);
    for (;;) {
        const Result<std::size_t> count = const_cast<unixfs::FileReader&>(*reader).read(piece);
        EXPECT_TRUE(count.ok());
        if (!count || *count == 0) {
            return content;
        }
        content.append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*count));
    }
}

/// One of each kind of thing, with files around every boundary of pieces and buffers.
void fill(const Tree& tree) {
    constexpr std::size_t mib = std::size_t{1} << 20U;
    std::uint32_t seed = 0;
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{1},
                                   mib - 1,
                                   mib,
                                   mib + 1,
                                   mib + 4095,
                                   mib + 4096,
                                   mib + 4097,
                                   2 * mib,
                                   5 * mib + 77}) {
        tree.write("t/file" + std::to_string(size), noise(size, ++seed));
    }
    for (int number = 0; number < 300; ++number) {
        tree.write("t/many/" + std::to_string(number), std::to_string(number));
    }
    tree.make_folder("t/empty/empty");
    tree.make_link("t/link", "many/1");
}

WalkRequest whole(const Tree& tree) { return {.paths = {tree.at("t")}, .folders = Folders::taken}; }

TEST(Import, GivesTheSameWhateverTheNumberOfThreads) {
    const Tree tree;
    fill(tree);
    unixfs::ImportOptions rabin;
    rabin.profile.chunker = *unixfs::ChunkerSpec::parse("rabin-16384-65536-131072");
    unixfs::ImportOptions trickle = small_chunks();
    trickle.profile.layout = unixfs::Layout::trickle;
    const unixfs::ImportOptions legacy{.profile = unixfs::unixfs_v0_2015};
    for (const unixfs::ImportOptions& options :
         {unixfs::ImportOptions{}, legacy, rabin, trickle, small_chunks()}) {
        MemoryStore serial_store, parallel_store;
        const Outcome serial = import_with(whole(tree), {.store = &serial_store}, options, 1);
        const Outcome parallel = import_with(whole(tree), {.store = &parallel_store}, options, 8);
        ASSERT_TRUE(serial.done.ok()) << serial.done.error().message;
        ASSERT_TRUE(parallel.done.ok()) << parallel.done.error().message;
        EXPECT_EQ(serial.added, parallel.added);
        EXPECT_EQ(serial_store.stat()->blocks, parallel_store.stat()->blocks);
        EXPECT_EQ(serial_store.stat()->bytes, parallel_store.stat()->bytes);
        EXPECT_EQ(serial.bytes, parallel.bytes);
    }
}

TEST(Import, AgreesWithTheBuilderOfOneThread) {
    const Tree tree;
    unixfs::ImportOptions buzhash;
    buzhash.profile.chunker = *unixfs::ChunkerSpec::parse("buzhash");
    for (const std::size_t size : {0U, 999U, 1000U, 1001U, 4'000U, 3'000'000U}) {
        const std::string content = noise(size, 5);
        tree.write("file", content);
        for (const unixfs::ImportOptions& options :
             {unixfs::ImportOptions{}, small_chunks(), buzhash}) {
            MemoryStore expected_store, store;
            unixfs::FileBuilder builder(options.profile, expected_store);
            ASSERT_TRUE(builder.write(bytes_of(content)).ok());
            const unixfs::Entry expected = std::move(builder.finish()).take();
            const Outcome outcome =
                import_with({.paths = {tree.at("file")}}, {.store = &store}, options);
            ASSERT_TRUE(outcome.done.ok()) << outcome.done.error().message;
            ASSERT_EQ(outcome.added.size(), 1U);
            EXPECT_EQ(outcome.added[0].cid, expected.cid);
            EXPECT_EQ(outcome.added[0].tsize, expected.tsize);
            EXPECT_EQ(outcome.bytes, size);
            EXPECT_TRUE(read_back(store, expected.cid) == content);
        }
    }
}

TEST(Import, ReportsFilesInOrderAndThenFoldersFromWithin) {
    const Tree tree;
    tree.write("t/a/x", "1");
    tree.write("t/b", "2");
    tree.make_folder("t/a/e");
    const Outcome outcome = import_with(whole(tree), {});
    ASSERT_TRUE(outcome.done.ok());
    EXPECT_EQ(outcome.names(), (std::vector<std::string>{"t/a/x", "t/b", "t/a/e", "t/a", "t"}));
    WalkRequest wrapped = whole(tree);
    wrapped.wrap = WalkRequest::Wrap::yes;
    EXPECT_EQ(import_with(wrapped, {}).names(),
              (std::vector<std::string>{"t/a/x", "t/b", "t/a/e", "t/a", "t", ""}));
}

TEST(Import, PinsEachRootUnderASession) {
    const Tree tree;
    tree.write("a", "1");
    tree.write("b", "2");
    WatchedStore store;
    FakePins pins;
    const Destination destination{.store = &store, .pins = &pins, .pin_name = "mine"};
    const Outcome outcome = import_with({.paths = {tree.at("a"), tree.at("b")}}, destination);
    ASSERT_TRUE(outcome.done.ok());
    ASSERT_EQ(pins.pins.size(), 2U);
    EXPECT_EQ(pins.pins[0].cid, outcome.added[0].cid);
    EXPECT_EQ(pins.pins[1].name, "mine");
    EXPECT_EQ(pins.pins[1].kind, PinKind::recursive);
    EXPECT_EQ(store.sessions, 1);
}

TEST(Import, PinsAndReportsNothingWhenWhatItProtectedWasTaken) {
    const Tree tree;
    tree.write("a", "1");
    WatchedStore store;
    store.loss = Error{Errc::not_found, "a collection took it"};
    FakePins pins;
    const WalkRequest request{.paths = {tree.at("a")}};
    const Outcome pinned = import_with(request, {.store = &store, .pins = &pins});
    EXPECT_EQ(pinned.done.error().code, Errc::not_found);
    EXPECT_TRUE(pins.pins.empty() && pinned.added.empty());
    const Outcome unpinned = import_with(request, {.store = &store});
    EXPECT_EQ(unpinned.done.error().code, Errc::not_found);
    EXPECT_TRUE(unpinned.added.empty());
}

TEST(Import, StoresNothingWithoutAStore) {
    const Tree tree;
    fill(tree);
    MemoryStore store;
    const Outcome stored = import_with(whole(tree), {.store = &store});
    const Outcome hashed = import_with(whole(tree), {});
    EXPECT_EQ(stored.added, hashed.added);
}

TEST(Import, ReportsWhatIsCompleteAndThenTheFirstError) {
    const Tree tree;
    tree.write("t/a", "1");
    tree.write("t/b", "2");
    ASSERT_EQ(::mkfifo(tree.at("t/c").c_str(), 0600), 0);
    tree.write("t/d", "3");
    MemoryStore store;
    FakePins pins;
    const Outcome outcome = import_with(whole(tree), {.store = &store, .pins = &pins});
    ASSERT_FALSE(outcome.done.ok());
    EXPECT_EQ(outcome.done.error().code, Errc::unsupported);
    EXPECT_EQ(outcome.names(), (std::vector<std::string>{"t/a", "t/b"}));
    EXPECT_TRUE(pins.pins.empty());
}

TEST(Import, PassesOnWhatTheStoreSays) {
    const Tree tree;
    fill(tree);
    WatchedStore store;
    store.on_put = [&](const Cid&) -> Result<void> {
        return store.puts < 20 ? Result<void>{} : Error{Errc::storage_full, "full"};
    };
    const Outcome outcome = import_with(whole(tree), {.store = &store});
    ASSERT_FALSE(outcome.done.ok());
    EXPECT_EQ(outcome.done.error().code, Errc::storage_full);
}

/// The superuser may read everything, so for a while this process is somebody else.
class Unprivileged {
public:
    Unprivileged() { EXPECT_EQ(::geteuid() == 0 ? ::seteuid(65534) : 0, 0); }

    ~Unprivileged() { EXPECT_EQ(::getuid() == 0 ? ::seteuid(0) : 0, 0); }
};

TEST(Import, NamesAFileThatItMayNotRead) {
    const Tree tree;
    ASSERT_EQ(::chmod(tree.path().c_str(), 0755), 0);
    std::filesystem::permissions(tree.write("t/a", "x"), std::filesystem::perms::none);
    const Unprivileged unprivileged;
    const Outcome outcome = import_with(whole(tree), {});
    ASSERT_FALSE(outcome.done.ok());
    EXPECT_EQ(outcome.done.error().code, Errc::refused);
    EXPECT_EQ(outcome.done.error().message,
              "cannot open " + tree.at("t/a") + ": Permission denied");
}

/// Adds a file of 3 MiB whose second block triggers `change`.
Outcome import_while(const Tree& tree, const std::function<void()>& change) {
    tree.write("file", noise(std::size_t{3} << 20U));
    WatchedStore store;
    bool is_done = false;
    store.on_put = [&](const Cid&) -> Result<void> {
        if (!std::exchange(is_done, true)) {
            change();
        }
        return {};
    };
    return import_with({.paths = {tree.at("file")}}, {.store = &store}, {}, 1);
}

TEST(Import, NoticesAFileThatShrinksOrChangesWhileItIsRead) {
    const Tree tree;
    const Outcome shrunk = import_while(
        tree, [&] { std::filesystem::resize_file(tree.at("file"), std::size_t{2} << 20U); });
    ASSERT_FALSE(shrunk.done.ok());
    EXPECT_EQ(shrunk.done.error().code, Errc::unavailable);
    EXPECT_EQ(shrunk.done.error().message,
              tree.at("file") +
                  " became shorter while it was read; add it again when nothing writes to it");
    const Outcome written = import_while(tree, [&] {
        std::fstream file(tree.at("file"), std::ios::in | std::ios::out | std::ios::binary);
        file << "x";
        file.close();
        tree.make_old("file", 1000);
    });
    ASSERT_FALSE(written.done.ok());
    EXPECT_EQ(written.done.error().message,
              tree.at("file") +
                  " changed while it was read; add it again when nothing writes to it");
}

TEST(Import, TakesTheFirstPartOfAFileThatGrows) {
    const Tree tree;
    tree.write("file", noise(std::size_t{3} << 20U));
    const Outcome before = import_with({.paths = {tree.at("file")}}, {});
    const Outcome grown = import_while(
        tree, [&] { std::ofstream(tree.at("file"), std::ios::app | std::ios::binary) << "more"; });
    ASSERT_TRUE(grown.done.ok()) << grown.done.error().message;
    EXPECT_EQ(grown.last(), before.last());
}

TEST(Import, NamesAFileThatVanished) {
    const Tree tree;
    for (int number = 100; number < 400; ++number) {
        tree.write("t/" + std::to_string(number), std::to_string(number));
    }
    WatchedStore store;
    store.on_put = [&](const Cid&) -> Result<void> {
        std::filesystem::remove(tree.at("t/399"));
        return {};
    };
    const Outcome outcome = import_with(whole(tree), {.store = &store}, {}, 1);
    ASSERT_FALSE(outcome.done.ok());
    EXPECT_EQ(outcome.done.error().code, Errc::not_found);
    EXPECT_NE(outcome.done.error().message.find(tree.at("t/399")), std::string::npos);
    EXPECT_EQ(outcome.added.size(), 299U);
}

TEST(Import, ReadsFilesThatDoNotSayTheirSize) {
    const Outcome outcome = import_with({.paths = {"/proc/self/status"}}, {});
    ASSERT_TRUE(outcome.done.ok());
    EXPECT_GT(outcome.bytes, 100U);
}

TEST(Import, ReadsAPipeThatIsNamed) {
    const Tree tree;
    ASSERT_EQ(::mkfifo(tree.at("pipe").c_str(), 0600), 0);
    for (const std::size_t size : {0U, 10U, 3'000'000U}) {
        const std::string content = noise(size, 9);
        tree.write("file", content);
        std::jthread writer([&] { std::ofstream(tree.at("pipe"), std::ios::binary) << content; });
        const Outcome piped = import_with({.paths = {tree.at("pipe")}}, {});
        ASSERT_TRUE(piped.done.ok());
        EXPECT_EQ(piped.names(), std::vector<std::string>{"pipe"});
        EXPECT_EQ(piped.last(), import_with({.paths = {tree.at("file")}}, {}).last());
    }
}

/// A store and a cache, for files of `tree`.
class Cached {
public:
    explicit Cached(const Tree& tree) : path_(tree.at("cache")) {}

    Outcome add(const WalkRequest& request, const unixfs::ImportOptions& options = {}) {
        StatCache cache = std::move(StatCache::load(path_)).take();
        store.puts = 0;
        Outcome outcome = import_with(request, {.store = &store, .cache = &cache}, options);
        EXPECT_TRUE(cache.save().ok());
        return outcome;
    }

    WatchedStore store;

private:
    std::string path_;
};

TEST(Cache, SkipsFilesThatHaveNotChanged) {
    const Tree tree;
    fill(tree);
    // Times of change cannot be set: they have to become old.
    std::this_thread::sleep_for(std::chrono::nanoseconds(racy_nanoseconds) +
                                std::chrono::milliseconds(50));
    Cached cached(tree);
    const Outcome first = cached.add(whole(tree));
    ASSERT_TRUE(first.done.ok());
    const Outcome second = cached.add(whole(tree));
    EXPECT_EQ(second.added, first.added);
    EXPECT_EQ(second.bytes, first.bytes) << "what is skipped counts as read";
    EXPECT_EQ(cached.store.puts, 5) << "four folders and a link";
    EXPECT_NE(cached.add(whole(tree), small_chunks()).last(), first.last()) << "other choices";
    tree.write("t/many/7", "8");
    const Outcome changed = cached.add(whole(tree));
    EXPECT_NE(changed.last(), first.last());
    EXPECT_EQ(cached.store.puts, 6);
    MemoryStore empty;
    StatCache cache = std::move(StatCache::load(tree.at("cache"))).take();
    const Outcome elsewhere = import_with(whole(tree), {.store = &empty, .cache = &cache});
    EXPECT_EQ(elsewhere.added, changed.added);
    EXPECT_TRUE(empty.has(elsewhere.added[3].cid).ok() && *empty.has(elsewhere.added[3].cid))
        << "what is not in the store is read again";
}

TEST(Cache, DoesNotTrustAFileThatWasJustWritten) {
    const Tree tree;
    tree.write("t/a", "1");
    Cached cached(tree);
    const Outcome first = cached.add(whole(tree));
    struct stat status{};
    ASSERT_EQ(::stat(tree.at("t/a").c_str(), &status), 0);
    tree.write("t/a", "2");
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, tree.at("t/a").c_str(), times, 0), 0);
    EXPECT_NE(cached.add(whole(tree)).last(), first.last());
}

TEST(Cache, DoesNotTrustAFileThatWasYoungWhenItWasReadHoweverLongItsStoreTook) {
    const Tree tree;
    const Cid b = import_with({.paths = {tree.write("b", "2")}}, {}).added.at(0).cid;
    WatchedStore store;
    std::atomic<bool> has_b = false;
    store.on_put = [&](const Cid& cid) -> Result<void> {
        if (cid == b) {
            has_b = true;
            has_b.notify_all();
            return {};
        }
        has_b.wait(false);
        std::this_thread::sleep_for(std::chrono::nanoseconds(racy_nanoseconds) +
                                    std::chrono::milliseconds(50));
        return {};
    };
    StatCache cache = std::move(StatCache::load(tree.at("cache"))).take();
    const WalkRequest both{.paths = {tree.write("a", "1"), tree.write("b", "2")}};
    ASSERT_TRUE(import_with(both, {.store = &store, .cache = &cache}).done.ok());
    for (const std::string& path : both.paths) {
        struct stat status{};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_FALSE(cache.find(FileState::of(status, fingerprint_of({})))) << path;
    }
}

TEST(Counting, SumsUpWhatWouldBeRead) {
    const Tree tree;
    fill(tree);
    const Outcome outcome = import_with(whole(tree), {});
    EXPECT_EQ(count_bytes(whole(tree), {}), outcome.bytes);
    EXPECT_EQ(count_bytes({.paths = {"-"}}, {}), std::nullopt);
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_EQ(count_bytes(whole(tree), stopped.get_token()), std::nullopt);
}

} // namespace
} // namespace ic::importer
