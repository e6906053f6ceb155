#include "executor/process/artifact_cache.h"

#include "base/file.h"
#include "base/time.h"
#include "identity/key.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ic::executor::process {
namespace {

constexpr std::string_view magic = "ic-art/1";
constexpr std::size_t header_bytes = 24; // Magic, artifact size, module size.
constexpr std::size_t mac_bytes = 32;
constexpr std::string_view suffix = ".artifact";
constexpr std::string_view temporary = ".new-";
constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr mode_t others_bits = 077;
constexpr std::uint64_t looks_a_filling = 16; // At the folder, while the disk's share fills once.

/// A mapping of a whole memfd or nothing.
class Mapping {
public:
    Mapping(int descriptor, std::uint64_t bytes, int protection) : bytes_(bytes) {
        void* base =
            bytes == 0 ? MAP_FAILED : ::mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, 0);
        base_ = base == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(base);
    }

    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    ~Mapping() {
        if (base_ != nullptr) {
            ::munmap(base_, bytes_);
        }
    }

    explicit operator bool() const { return base_ != nullptr; }

    std::span<std::uint8_t> bytes() const { return {base_, bytes_}; }

private:
    std::uint8_t* base_ = nullptr;
    std::uint64_t bytes_;
};

struct Header {
    std::uint64_t artifact_bytes = 0;
    std::uint64_t module_bytes = 0;
};

void store_u64(std::uint64_t value, std::span<std::uint8_t> out) {
    for (std::size_t index = 0; index < 8; ++index) {
        out[index] = static_cast<std::uint8_t>(value >> (8 * index));
    }
}

std::uint64_t load_u64(ByteView bytes) {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < 8; ++index) {
        value |= std::uint64_t{bytes[index]} << (8 * index);
    }
    return value;
}

std::array<std::uint8_t, header_bytes> encode(const Header& header) {
    std::array<std::uint8_t, header_bytes> bytes{};
    std::ranges::copy(bytes_of(magic), bytes.begin());
    store_u64(header.artifact_bytes, std::span(bytes).subspan(8, 8));
    store_u64(header.module_bytes, std::span(bytes).subspan(16, 8));
    return bytes;
}

/// The name is authenticated too, so that one module's file cannot be put in another's place.
std::array<std::uint8_t, mac_bytes>
mac_of(ByteView key, ByteView header, std::string_view name, ByteView artifact) {
    Mac mac(key);
    mac.update(header);
    mac.update(bytes_of(name));
    mac.update(artifact);
    return mac.finish();
}

bool read_whole(int descriptor, std::span<std::uint8_t> into) {
    while (!into.empty()) {
        const ssize_t count = ::read(descriptor, into.data(), into.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        into = into.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

bool write_whole(int descriptor, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

/// Size of a plain file that only we can write, as its descriptor says; nothing for any other.
std::optional<std::uint64_t> size_if_ours(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != ::geteuid() || (status.st_mode & others_bits) != 0) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace

std::string ArtifactKey::file_name() const {
    Bytes name = copy_of(module.bytes());
    const ByteView more = bytes_of(fingerprint);
    name.insert(name.end(), more.begin(), more.end());
    return cid_of(Codec::raw, name).to_string() + std::string(suffix);
}

ArtifactCache::ArtifactCache(const ArtifactCacheOptions& options, UniqueFd folder)
    : options_(options)
    , folder_(std::move(folder)) {}

Result<std::unique_ptr<ArtifactCache>> ArtifactCache::open(const ArtifactCacheOptions& options) {
    TRY(make_folders(options.folder, 0700));
    UniqueFd folder(
        ::open(options.folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) {
        return system_error("opening", options.folder, errno);
    }
    struct stat status{};
    if (::fstat(folder.get(), &status) != 0) {
        return system_error("looking at", options.folder, errno);
    }
    if (status.st_uid != ::geteuid()) {
        return Error{Errc::refused, options.folder + " belongs to another user"};
    }
    if ((status.st_mode & others_bits) != 0 && ::fchmod(folder.get(), 0700) != 0) {
        return system_error("closing to other users", options.folder, errno);
    }
    std::unique_ptr<ArtifactCache> cache(new ArtifactCache(options, std::move(folder)));
    cache->remove_oldest_files(options.disk_bytes_max);
    return cache;
}

std::shared_ptr<const Artifact> ArtifactCache::find(const ArtifactKey& key) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = by_key_.find(key);
        if (found != by_key_.end()) {
            recent_.splice(recent_.begin(), recent_, found->second);
            return recent_.front().artifact;
        }
    }
    std::shared_ptr<const Artifact> artifact = read(key);
    if (artifact != nullptr) {
        remember(key, artifact);
    }
    return artifact;
}

std::shared_ptr<const Artifact> ArtifactCache::read(const ArtifactKey& key) {
    const std::string name = key.file_name();
    const UniqueFd file(
        ::openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const std::optional<std::uint64_t> size = file ? size_if_ours(file.get()) : std::nullopt;
    if (!size || *size <= header_bytes + mac_bytes ||
        *size - header_bytes - mac_bytes > limits::artifact_bytes_max) {
        return nullptr;
    }
    const std::uint64_t bytes = *size - header_bytes - mac_bytes;
    std::array<std::uint8_t, header_bytes> header{};
    if (!read_whole(file.get(), header)) {
        return nullptr;
    }
    const std::uint64_t module_bytes = load_u64(ByteView{header}.subspan(16, 8));
    if (header != encode({.artifact_bytes = bytes, .module_bytes = module_bytes})) {
        return nullptr;
    }
    UniqueFd memory(::memfd_create("ic-artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0) {
        return nullptr;
    }
    {
        // What is checked is the copy, which only this process can reach until it is sealed.
        const Mapping copy(memory.get(), bytes, PROT_READ | PROT_WRITE);
        std::array<std::uint8_t, mac_bytes> stored{};
        if (!copy || !read_whole(file.get(), copy.bytes()) || !read_whole(file.get(), stored) ||
            !equal_in_constant_time(stored, mac_of(options_.key, header, name, copy.bytes()))) {
            return nullptr;
        }
    }
    if (::fcntl(memory.get(), F_ADD_SEALS, seals) != 0) {
        return nullptr;
    }
    ::futimens(file.get(), nullptr); // The oldest go first: this one is in use.
    const std::lock_guard lock(mutex_);
    return std::make_shared<const Artifact>(Artifact{.memory = std::move(memory),
                                                     .bytes = bytes,
                                                     .module_bytes = module_bytes,
                                                     .number = ++last_number_});
}

Result<std::shared_ptr<const Artifact>>
ArtifactCache::put(const ArtifactKey& key, UniqueFd memory, std::uint64_t module_bytes) {
    if (::fcntl(memory.get(), F_ADD_SEALS, seals) != 0) {
        return system_error("sealing", "an artifact", errno);
    }
    struct stat status{};
    if (::fstat(memory.get(), &status) != 0) {
        return system_error("looking at", "an artifact", errno);
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes == 0 || bytes > limits::artifact_bytes_max) {
        return Error{Errc::too_large, "an artifact of " + std::to_string(bytes) + " bytes"};
    }
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = ++last_number_;
    }
    auto artifact = std::make_shared<const Artifact>(Artifact{.memory = std::move(memory),
                                                              .bytes = bytes,
                                                              .module_bytes = module_bytes,
                                                              .number = number});
    remember(key, artifact);
    if (make_room(header_bytes + bytes + mac_bytes)) {
        // A full disk costs a compilation later, not this run.
        static_cast<void>(write(key, *artifact));
    }
    return std::shared_ptr<const Artifact>(std::move(artifact));
}

Result<void> ArtifactCache::write(const ArtifactKey& key, const Artifact& artifact) {
    const std::string name = key.file_name();
    const std::string unfinished =
        std::string(temporary) + std::to_string(::getpid()) + "-" + std::to_string(artifact.number);
    const Mapping code(artifact.memory.get(), artifact.bytes, PROT_READ);
    if (!code) {
        return system_error("mapping", "an artifact", errno);
    }
    const auto header =
        encode({.artifact_bytes = artifact.bytes, .module_bytes = artifact.module_bytes});
    const auto mac = mac_of(options_.key, header, name, code.bytes());

    const UniqueFd file(::openat(folder_.get(),
                                 unfinished.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                 0600));
    // Not synced: what a crash leaves is either whole or fails its MAC.
    if (!file || !write_whole(file.get(), header) || !write_whole(file.get(), code.bytes()) ||
        !write_whole(file.get(), mac) ||
        ::renameat(folder_.get(), unfinished.c_str(), folder_.get(), name.c_str()) != 0) {
        const int reason = errno;
        ::unlinkat(folder_.get(), unfinished.c_str(), 0);
        return system_error("writing", options_.folder + "/" + name, reason);
    }
    return {};
}

void ArtifactCache::drop(const ArtifactKey& key) {
    ::unlinkat(folder_.get(), key.file_name().c_str(), 0);
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        memory_bytes_ -= found->second->artifact->bytes;
        recent_.erase(found->second);
        by_key_.erase(found);
    }
}

std::size_t ArtifactCache::artifacts_in_memory() const {
    const std::lock_guard lock(mutex_);
    return recent_.size();
}

void ArtifactCache::remember(const ArtifactKey& key, std::shared_ptr<const Artifact> artifact) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        memory_bytes_ -= found->second->artifact->bytes;
        recent_.erase(found->second);
    }
    memory_bytes_ += artifact->bytes;
    recent_.push_front({key, std::move(artifact)});
    by_key_.insert_or_assign(key, recent_.begin());
    while (recent_.size() > 1 && (memory_bytes_ > options_.memory_bytes_max ||
                                  recent_.size() > options_.memory_artifacts_max)) {
        memory_bytes_ -= recent_.back().artifact->bytes;
        by_key_.erase(recent_.back().key);
        recent_.pop_back();
    }
}

bool ArtifactCache::make_room(std::uint64_t bytes) {
    const std::uint64_t most = options_.disk_bytes_max;
    if (bytes > most) {
        return false;
    }
    const std::lock_guard lock(room_mutex_);
    if (bytes > room_) {
        // Looking at all files costs as much as there are, so it is done once for many of them;
        // often enough for what other processes write meanwhile.
        const std::uint64_t until_next_look = std::max(most / looks_a_filling, bytes);
        std::uint64_t total = remove_oldest_files(most);
        if (total > most - bytes) {
            total = remove_oldest_files(most - until_next_look);
        }
        room_ = std::min(most - std::min(total, most), until_next_look);
        if (bytes > room_) {
            return false; // What is there cannot be removed.
        }
    }
    room_ -= bytes;
    return true;
}

std::uint64_t ArtifactCache::remove_oldest_files(std::uint64_t bytes_max) {
    struct File {
        std::string name;
        timespec used;
        std::uint64_t bytes;
    };

    UniqueFd again(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(again.get()), ::closedir);
    if (entries == nullptr) {
        return 0;
    }
    static_cast<void>(again.release());                  // Its stream closes it now.
    constexpr std::int64_t unfinished_seconds_max = 600; // Nobody writes one file for so long.
    const UnixSeconds now = now_unix();
    std::vector<File> files;
    std::uint64_t total = 0;
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string name = entry->d_name;
        struct stat status{};
        if (::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (name.starts_with(temporary) &&
            now.value - status.st_mtim.tv_sec > unfinished_seconds_max) {
            ::unlinkat(folder_.get(), name.c_str(), 0);
        } else if (name.ends_with(suffix)) {
            files.push_back({name, status.st_mtim, static_cast<std::uint64_t>(status.st_size)});
            total += files.back().bytes;
        }
    }
    std::ranges::sort(files, [](const File& left, const File& right) {
        return std::pair(left.used.tv_sec, left.used.tv_nsec) <
               std::pair(right.used.tv_sec, right.used.tv_nsec);
    });
    for (const File& file : files) {
        if (total <= bytes_max) {
            break;
        }
        if (::unlinkat(folder_.get(), file.name.c_str(), 0) == 0 || errno == ENOENT) {
            total -= file.bytes;
        }
    }
    return total;
}

} // namespace ic::executor::process
