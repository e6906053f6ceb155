#include "store/write_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>

namespace ic::testing_store {
namespace {

std::mutex mutex;
std::vector<Event> events;
std::string logged_folder; ///< Empty: no log.

/// The file's name below the folder; nothing for what lies elsewhere, and for locks.
std::string name_below(const std::string& path) {
    if (logged_folder.empty() || !path.starts_with(logged_folder + "/") ||
        path.ends_with("lock.mdb") || path.ends_with(".lock") ||
        path.find("/sessions") != std::string::npos) {
        return {};
    }
    return path.substr(logged_folder.size() + 1);
}

std::string path_of(int fd) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

bool is_logging() { return !logged_folder.empty(); }

void log_write(int fd, const iovec* pieces, int count, std::uint64_t offset, ssize_t written) {
    if (!is_logging() || written <= 0) {
        return;
    }
    const std::string file = name_below(path_of(fd));
    if (file.empty()) {
        return;
    }
    Event event{.kind = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0 ? Event::Kind::write_synced
                                                              : Event::Kind::write,
                .file = file,
                .offset = offset};
    auto left = static_cast<std::size_t>(written);
    for (int piece = 0; piece < count && left > 0; ++piece) {
        const std::size_t size = std::min(left, pieces[piece].iov_len);
        const auto* bytes = static_cast<const std::uint8_t*>(pieces[piece].iov_base);
        event.bytes.insert(event.bytes.end(), bytes, bytes + size);
        left -= size;
    }
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
}

void log_event(Event::Kind kind, const std::string& path, Event event = {}) {
    event.file = is_logging() ? name_below(path) : std::string();
    if (event.file.empty() && !(kind == Event::Kind::sync_folder && path == logged_folder)) {
        return;
    }
    event.kind = kind;
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
}

int log_sync(int fd, long number) {
    const auto result = static_cast<int>(::syscall(number, fd));
    if (result == 0 && is_logging()) {
        struct stat status{};
        ::fstat(fd, &status);
        log_event(S_ISDIR(status.st_mode) ? Event::Kind::sync_folder : Event::Kind::sync,
                  path_of(fd));
    }
    return result;
}

} // namespace

void start_log(const std::string& folder) {
    const std::lock_guard lock(mutex);
    events.clear();
    logged_folder = folder;
}

std::vector<Event> stop_log() {
    const std::lock_guard lock(mutex);
    logged_folder.clear();
    return std::exchange(events, {});
}

void note(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    events.push_back({.kind = Event::Kind::note, .size = number});
}

Files read_files(const std::string& folder) {
    Files files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string name = std::filesystem::relative(entry.path(), folder);
        if (entry.is_regular_file() && !name.ends_with("lock.mdb") && !name.ends_with(".lock") &&
            !name.starts_with("sessions")) {
            std::ifstream file(entry.path(), std::ios::binary);
            files[name] = Bytes(std::istreambuf_iterator<char>(file), {});
        }
    }
    return files;
}

void write_files(const Files& files, const std::string& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : files) {
        const std::filesystem::path path = folder + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
}

namespace {

constexpr std::size_t piece_bytes = 4096; // What a disk is taken to write whole.

void put(Bytes& file, std::uint64_t offset, ByteView bytes) {
    if (file.size() < offset + bytes.size()) {
        file.resize(offset + bytes.size());
    }
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
}

void apply(Files& files, const Event& event, std::mt19937_64* lots) {
    const auto is_kept = [&] { return lots == nullptr || ((*lots)() & 1U) != 0; };
    switch (event.kind) {
    case Event::Kind::write:
    case Event::Kind::write_synced:
        for (std::size_t at = 0; at < event.bytes.size();) {
            const std::size_t in_page = (event.offset + at) % piece_bytes;
            const std::size_t size = std::min(piece_bytes - in_page, event.bytes.size() - at);
            if (is_kept()) {
                put(files[event.file], event.offset + at, ByteView{event.bytes}.subspan(at, size));
            }
            at += size;
        }
        break;
    case Event::Kind::punch:
        if (is_kept()) {
            put(files[event.file], event.offset, Bytes(event.size));
        }
        break;
    case Event::Kind::cut:
        if (is_kept()) {
            files[event.file].resize(event.size);
        }
        break;
    case Event::Kind::remove:
        if (is_kept()) {
            files.erase(event.file);
        }
        break;
    case Event::Kind::rename:
        if (is_kept()) {
            files[event.other] = std::exchange(files[event.file], {});
            files.erase(event.file);
        }
        break;
    case Event::Kind::sync:
    case Event::Kind::sync_folder:
    case Event::Kind::note:
        break;
    }
}

bool changes_names(Event::Kind kind) {
    return kind == Event::Kind::remove || kind == Event::Kind::rename;
}

} // namespace

Files after_power_cut(const Files& before,
                      const std::vector<Event>& all,
                      std::size_t count,
                      std::mt19937_64& lots) {
    // From the end: which event a later sync within the prefix has made sure of.
    std::vector<bool> is_sure(count);
    std::set<std::string> synced_later;
    bool names_synced_later = false;
    for (std::size_t index = count; index-- > 0;) {
        const Event& event = all[index];
        if (event.kind == Event::Kind::sync) {
            synced_later.insert(event.file);
        } else if (event.kind == Event::Kind::sync_folder) {
            names_synced_later = true;
        }
        is_sure[index] =
            event.kind == Event::Kind::write_synced ||
            (changes_names(event.kind) ? names_synced_later : synced_later.contains(event.file));
    }
    // A file that is new has no name on the disk before its folder is synced behind it.
    std::map<std::string, std::size_t> first_seen;
    std::size_t last_folder_sync = 0;
    for (std::size_t index = 0; index < count; ++index) {
        if (all[index].kind == Event::Kind::sync_folder) {
            last_folder_sync = index;
        } else if (!all[index].file.empty() && !before.contains(all[index].file)) {
            first_seen.try_emplace(all[index].file, index);
        }
    }
    Files files = before;
    for (std::size_t index = 0; index < count; ++index) {
        apply(files, all[index], is_sure[index] ? nullptr : &lots);
    }
    for (const auto& [file, index] : first_seen) {
        if (index > last_folder_sync && (lots() & 1U) != 0) {
            files.erase(file);
        }
    }
    return files;
}

} // namespace ic::testing_store

// --- the C library's functions ---------------------------------------------------------------

extern "C" {

using ic::testing_store::Event;
using ic::testing_store::log_event;
using ic::testing_store::log_sync;
using ic::testing_store::log_write;
using ic::testing_store::path_of;

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
    const ssize_t written = ::syscall(SYS_pwrite64, fd, bytes, size, offset);
    const iovec piece{const_cast<void*>(bytes), size};
    log_write(fd, &piece, 1, static_cast<std::uint64_t>(offset), written);
    return written;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
    return pwrite(fd, bytes, size, offset);
}

ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) {
    const ssize_t written = ::syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    log_write(fd, pieces, count, static_cast<std::uint64_t>(offset), written);
    return written;
}

ssize_t pwritev64(int fd, const iovec* pieces, int count, off64_t offset) {
    return pwritev(fd, pieces, count, offset);
}

ssize_t writev(int fd, const iovec* pieces, int count) {
    const off_t offset = ::lseek(fd, 0, SEEK_CUR);
    const ssize_t written = ::syscall(SYS_writev, fd, pieces, count);
    log_write(fd, pieces, count, static_cast<std::uint64_t>(offset), written);
    return written;
}

int fdatasync(int fd) { return log_sync(fd, SYS_fdatasync); }

int fsync(int fd) { return log_sync(fd, SYS_fsync); }

int ftruncate(int fd, off_t size) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_ftruncate, fd, size));
    if (result == 0) {
        log_event(Event::Kind::cut, path_of(fd), {.size = static_cast<std::uint64_t>(size)});
    }
    return result;
}

int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }

int fallocate(int fd, int mode, off_t offset, off_t size) {
    const auto result = static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, size));
    if (result == 0 && (mode & FALLOC_FL_PUNCH_HOLE) != 0) {
        log_event(Event::Kind::punch,
                  path_of(fd),
                  {.offset = static_cast<std::uint64_t>(offset),
                   .size = static_cast<std::uint64_t>(size)});
    }
    return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
    return fallocate(fd, mode, offset, size);
}

int unlink(const char* path) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_unlink, path));
    if (result == 0) {
        log_event(Event::Kind::remove, path);
    }
    return result;
}
}
