/// A machine whose clocks and disk are not in order, for a program that runs with this in
/// LD_PRELOAD and the name of a file with a `Machine` in IC_FAULTY_MACHINE. What it starts is on
/// that machine too. Whoever changes the file changes the machine at once.

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

/// The file, as tests/network/machine_faults.py writes it.
struct Machine {
    std::atomic<std::int64_t> wall_offset_ns; ///< The wall clock is that much ahead.
    std::int64_t reference_ns;                ///< On CLOCK_BOOTTIME: since then clocks run wrong.
    std::int64_t rate_millionths;             ///< 1,200,000: they run a fifth too fast. 0: right.
    std::atomic<std::int64_t> disk_error;     ///< What writing and syncing ends in; 0: it works.
    std::uint64_t disk;                       ///< Which file system, as `st_dev`.
};

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr const char* file_variable = "IC_FAULTY_MACHINE";
constexpr const char* preload_variable = "LD_PRELOAD";

/// Mapped once, before the process gives up its view of files; null where there is none.
const Machine* machine() {
    static const Machine* const mapped = []() -> const Machine* {
        const char* const name = std::getenv(file_variable);
        const int file = name == nullptr ? -1 : ::open(name, O_RDONLY | O_CLOEXEC);
        if (file < 0) {
            return nullptr;
        }
        void* const at = ::mmap(nullptr, sizeof(Machine), PROT_READ, MAP_SHARED, file, 0);
        ::close(file);
        return at == MAP_FAILED ? nullptr : static_cast<const Machine*>(at);
    }();
    return mapped;
}

/// The function that this one stands before.
template <class Function>
Function* next(const char* name) {
    void* const found = ::dlsym(RTLD_NEXT, name);
    return reinterpret_cast<Function*>(found); // As POSIX has it for dlsym.
}

#define IC_NEXT(name) static auto* const real = next<decltype(name)>(#name)

std::int64_t nanoseconds(const timespec& value) { return value.tv_sec * second_ns + value.tv_nsec; }

timespec timespec_of(std::int64_t value) {
    return {.tv_sec = value / second_ns, .tv_nsec = value % second_ns};
}

std::int64_t right(clockid_t clock) {
    IC_NEXT(clock_gettime);
    timespec value{};
    real(clock, &value);
    return nanoseconds(value);
}

double rate() {
    const Machine* const here = machine();
    return here == nullptr || here->rate_millionths == 0
               ? 1.0
               : static_cast<double>(here->rate_millionths) / 1e6;
}

bool is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

bool is_bent(clockid_t clock) {
    return is_wall(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW;
}

/// How far this clock is ahead now.
std::int64_t ahead(clockid_t clock) {
    const Machine* const here = machine();
    if (here == nullptr || !is_bent(clock)) {
        return 0;
    }
    const auto running = static_cast<double>(right(CLOCK_BOOTTIME) - here->reference_ns);
    return static_cast<std::int64_t>(running * (rate() - 1.0)) +
           (is_wall(clock) ? here->wall_offset_ns.load() : 0);
}

/// A length of time by this machine's clocks, in right ones.
timespec right_length(const timespec& length) {
    return timespec_of(
        static_cast<std::int64_t>(static_cast<double>(nanoseconds(length)) / rate()));
}

/// An instant by this machine's clock, on the right one.
timespec right_instant(clockid_t clock, const timespec& instant) {
    const std::int64_t now = right(clock);
    const std::int64_t left = nanoseconds(instant) - (now + ahead(clock));
    return timespec_of(std::max<std::int64_t>(
        1, now + static_cast<std::int64_t>(static_cast<double>(left) / rate())));
}

int right_milliseconds(int length) {
    return length <= 0 ? length : static_cast<int>(static_cast<double>(length) / rate()) + 1;
}

/// Whether the disk fails whoever writes to this now, with errno set.
bool fails(int descriptor) {
    const Machine* const here = machine();
    const std::int64_t error = here == nullptr ? 0 : here->disk_error.load();
    struct stat status{};
    if (error == 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_dev != here->disk) {
        return false;
    }
    errno = static_cast<int>(error);
    return true;
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* value) noexcept {
    IC_NEXT(clock_gettime);
    const int status = real(clock, value);
    if (status == 0 && is_bent(clock)) {
        *value = timespec_of(nanoseconds(*value) + ahead(clock));
    }
    return status;
}

int gettimeofday(timeval* value, void*) noexcept {
    const timespec now = timespec_of(right(CLOCK_REALTIME) + ahead(CLOCK_REALTIME));
    *value = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t* value) noexcept {
    const time_t now = (right(CLOCK_REALTIME) + ahead(CLOCK_REALTIME)) / second_ns;
    if (value != nullptr) {
        *value = now;
    }
    return now;
}

/// Absolute ones are set on CLOCK_BOOTTIME by us; what Asio sets on its own clock is relative.
int timerfd_settime(int timer, int flags, const itimerspec* value, itimerspec* before) noexcept {
    IC_NEXT(timerfd_settime);
    itimerspec set = *value;
    if (nanoseconds(set.it_value) != 0) {
        set.it_value = (flags & TFD_TIMER_ABSTIME) != 0
                           ? right_instant(CLOCK_BOOTTIME, set.it_value)
                           : right_length(set.it_value);
    }
    return real(timer, flags, &set, before);
}

int pthread_cond_clockwait(pthread_cond_t* condition,
                           pthread_mutex_t* mutex,
                           clockid_t clock,
                           const timespec* until) {
    IC_NEXT(pthread_cond_clockwait);
    const timespec instant = right_instant(clock, *until);
    return real(condition, mutex, clock, &instant);
}

int pthread_cond_timedwait(pthread_cond_t* condition,
                           pthread_mutex_t* mutex,
                           const timespec* until) {
    IC_NEXT(pthread_cond_timedwait);
    const timespec instant = right_instant(CLOCK_REALTIME, *until);
    return real(condition, mutex, &instant);
}

int nanosleep(const timespec* length, timespec* left) {
    IC_NEXT(nanosleep);
    const timespec shorter = right_length(*length);
    return real(&shorter, left);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* length, timespec* left) {
    IC_NEXT(clock_nanosleep);
    const timespec set =
        (flags & TIMER_ABSTIME) != 0 ? right_instant(clock, *length) : right_length(*length);
    return real(clock, flags, &set, left);
}

int poll(pollfd* descriptors, nfds_t count, int length) {
    IC_NEXT(poll);
    return real(descriptors, count, right_milliseconds(length));
}

int epoll_wait(int epoll, epoll_event* events, int count, int length) {
    IC_NEXT(epoll_wait);
    return real(epoll, events, count, right_milliseconds(length));
}

ssize_t write(int descriptor, const void* data, size_t size) {
    IC_NEXT(write);
    return fails(descriptor) ? -1 : real(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
    IC_NEXT(pwrite);
    return fails(descriptor) ? -1 : real(descriptor, data, size, at);
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t at) {
    IC_NEXT(pwrite64);
    return fails(descriptor) ? -1 : real(descriptor, data, size, at);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
    IC_NEXT(writev);
    return fails(descriptor) ? -1 : real(descriptor, parts, count);
}

ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t at) {
    IC_NEXT(pwritev);
    return fails(descriptor) ? -1 : real(descriptor, parts, count, at);
}

int fsync(int descriptor) {
    IC_NEXT(fsync);
    return fails(descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor) {
    IC_NEXT(fdatasync);
    return fails(descriptor) ? -1 : real(descriptor);
}

int ftruncate(int descriptor, off_t size) noexcept {
    IC_NEXT(ftruncate);
    return fails(descriptor) ? -1 : real(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) noexcept {
    IC_NEXT(ftruncate64);
    return fails(descriptor) ? -1 : real(descriptor, size);
}

/// Executors are started with an empty environment.
int posix_spawn(pid_t* id,
                const char* path,
                const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes,
                char* const* arguments,
                char* const* environment) {
    IC_NEXT(posix_spawn);
    std::vector<std::string> ours;
    for (const char* const name : {preload_variable, file_variable}) {
        if (const char* const value = std::getenv(name)) {
            ours.push_back(std::string(name) + "=" + value);
        }
    }
    std::vector<char*> all;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        all.push_back(*environment);
    }
    std::ranges::transform(
        ours, std::back_inserter(all), [](std::string& text) { return text.data(); });
    all.push_back(nullptr);
    return real(id, path, actions, attributes, arguments, all.data());
}

} // extern "C"

namespace {

/// Before `main`, so before any wall.
[[gnu::constructor]] void find_machine() { machine(); }

} // namespace
