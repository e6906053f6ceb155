#include "base/unique_fd.h"
#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/testing/store_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

namespace ic::embedded {
namespace {

using testing::HasSubstr;
using testing_store::StoreFolder;

std::unique_ptr<Environment> open_in(const StoreFolder& folder) {
    Result<std::unique_ptr<Environment>> environment =
        Environment::open({.folder = folder.path(), .map_bytes_first = 1U << 30U});
    EXPECT_TRUE(environment.ok()) << (environment ? "" : environment.error().message);
    return environment ? std::move(environment).take() : nullptr;
}

/// Another process's lock on a file of the store: flock tells descriptors apart, not processes.
UniqueFd locked(const StoreFolder& folder, const std::string& name, int operation) {
    const std::string path = folder.path() + "/" + name;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE(file);
    if (::flock(file.get(), operation | LOCK_NB) != 0) {
        EXPECT_EQ(errno, EWOULDBLOCK);
        file.reset();
    }
    return file;
}

/// What LMDB says when the write of a meta page failed: the environment is opened again.
Result<void> panic(Environment& environment, const std::function<void()>& before) {
    bool is_first = true;
    return environment.transact(0, "testing", [&](MDB_txn*) {
        if (!std::exchange(is_first, false)) {
            return 0;
        }
        before();
        return MDB_PANIC;
    });
}

TEST(Environment, IsNotTakenAloneWhileAnotherProcessTriesTo) {
    const StoreFolder folder;
    const auto environment = open_in(folder);
    UniqueFd other = locked(folder, "compact.lock", LOCK_EX);
    const Result<void> taken = environment->lock_alone();
    ASSERT_FALSE(taken.ok()) << "the other one gave its shared lock up for a moment";
    EXPECT_EQ(taken.error().code, Errc::unavailable);
    EXPECT_THAT(taken.error().message, HasSubstr("compacts"));
    EXPECT_FALSE(locked(folder, "users.lock", LOCK_EX)) << "it kept its own all the time";
    other.reset();
    EXPECT_TRUE(environment->lock_alone().ok());
    EXPECT_TRUE(environment->compact().ok());
    EXPECT_FALSE(locked(folder, "compact.lock", LOCK_EX)) << "until it goes";
}

TEST(Environment, ThatIsNotAloneLetsOthersTry) {
    const StoreFolder folder;
    const auto environment = open_in(folder);
    UniqueFd user = locked(folder, "users.lock", LOCK_SH);
    EXPECT_EQ(environment->lock_alone().error().code, Errc::unavailable);
    EXPECT_TRUE(locked(folder, "compact.lock", LOCK_EX));
    user.reset();
    EXPECT_FALSE(locked(folder, "users.lock", LOCK_EX));
    EXPECT_TRUE(environment->lock_alone().ok());
}

TEST(Environment, MakesNoTablesWhereThereWereSome) {
    const StoreFolder folder;
    const auto environment = open_in(folder);
    const Result<void> done =
        panic(*environment, [&] { std::filesystem::remove(folder.path() + "/data.mdb"); });
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::malformed);
}

TEST(Environment, ThatCannotBeOpenedAgainGivesErrorsUntilItCan) {
    const StoreFolder folder;
    const auto environment = open_in(folder);
    const std::string file = folder.path() + "/data.mdb", away = file + ".away";
    const auto write = [](MDB_txn*) { return 0; };
    ASSERT_TRUE(environment->lock_alone().ok());
    EXPECT_FALSE(panic(*environment, [&] {
                     std::filesystem::rename(file, away);
                     std::filesystem::create_directory(file);
                 }).ok());
    EXPECT_FALSE(environment->transact(0, "testing", write).ok());
    EXPECT_FALSE(environment->transact(MDB_RDONLY, "testing", write).ok());
    EXPECT_FALSE(environment->compact().ok());
    std::filesystem::remove(file);
    std::filesystem::rename(away, file);
    EXPECT_TRUE(environment->transact(0, "testing", write).ok());
    EXPECT_TRUE(environment->compact().ok());
}

} // namespace
} // namespace ic::embedded
