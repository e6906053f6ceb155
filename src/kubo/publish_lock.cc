#include "kubo/publish_lock.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace ic::kubo {
namespace {

using std::chrono::microseconds;

// flock(2) cannot wait for a limited time. A holder has it for a few milliseconds.
constexpr std::uint64_t asked_again_after_us = 500;
// Longer than any two of the others' questions are apart.
constexpr microseconds left_to_others{2 * asked_again_after_us + 100};

} // namespace

Result<PublishLock> PublishLock::open(const std::string& folder, std::string_view peer_id) {
    TRY(make_folders(folder, 0700));
    const std::string path = folder + "/pubsub-" + std::string(peer_id) + ".lock";
    UniqueFd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) {
        return system_error("opening", path, errno);
    }
    return PublishLock(std::move(file));
}

bool PublishLock::acquire(std::chrono::milliseconds time, const Rpc& rpc, const Stop& stop) {
    const Instant end = rpc.now() + time;
    std::this_thread::sleep_for(released_at_ + left_to_others - now_since_boot());
    while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (rpc.now() >= end || (stop && stop())) {
            return false;
        }
        const std::uint64_t more = rpc.random() % asked_again_after_us;
        std::this_thread::sleep_for(microseconds(asked_again_after_us + more));
    }
    return true;
}

void PublishLock::release() {
    ::flock(file_.get(), LOCK_UN);
    released_at_ = now_since_boot();
}

} // namespace ic::kubo
