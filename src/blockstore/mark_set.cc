#include "blockstore/mark_set.h"

#include "base/file.h"
#include "multiformats/cid.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ic {
namespace {

constexpr std::array<std::uint8_t, 32> zeros{};

} // namespace

Result<UniqueFd> MarkSet::nameless_file(const std::string& folder) {
    UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file && (errno == EOPNOTSUPP || errno == EISDIR)) {
        std::string pattern = folder + "/collection-XXXXXX";
        file = UniqueFd(::mkostemp(pattern.data(), O_CLOEXEC));
        ::unlink(pattern.c_str());
    }
    if (!file) {
        return system_error("cannot make a file in", folder, errno);
    }
    return file;
}

Result<MarkSet> MarkSet::make(std::uint64_t expected, std::string folder) {
    MarkSet set(std::move(folder));
    TRY(set.map(std::bit_ceil(std::max<std::uint64_t>(2 * expected, 1024))));
    return set;
}

MarkSet::MarkSet(MarkSet&& other) noexcept
    : folder_(std::move(other.folder_))
    , slots_(std::exchange(other.slots_, nullptr))
    , count_(std::exchange(other.count_, 0))
    , used_(other.used_)
    , has_zeros_(other.has_zeros_) {}

MarkSet& MarkSet::operator=(MarkSet&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(slots_, other.slots_);
    std::swap(count_, other.count_);
    used_ = other.used_;
    has_zeros_ = other.has_zeros_;
    return *this;
}

MarkSet::~MarkSet() {
    if (slots_ != nullptr) {
        ::munmap(slots_, count_ * sizeof(Digest));
    }
}

Result<void> MarkSet::map(std::uint64_t slots) {
    const std::size_t bytes = slots * sizeof(Digest);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    UniqueFd file;
    if (bytes > limits::mark_memory_bytes_max) {
        file = TRY(nameless_file(folder_));
        // All of it now: a page that finds no room later would be a SIGBUS.
        if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
            error != 0) {
            return system_error("no room for what a collection remembers in", folder_, error);
        }
        flags = MAP_SHARED;
    }
    void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file.get(), 0);
    if (mapped == MAP_FAILED) {
        return system_error("cannot map what a collection remembers in", folder_, errno);
    }
    slots_ = static_cast<Digest*>(mapped);
    count_ = slots;
    return {};
}

MarkSet::Digest MarkSet::digest_of(ByteView multihash) {
    Digest digest{};
    if (multihash.size() == 34 && multihash[0] == static_cast<std::uint8_t>(HashCode::sha2_256)) {
        std::ranges::copy(multihash.last(32), digest.begin());
    } else {
        std::ranges::copy(cid_of(Codec::raw, multihash).digest(), digest.begin());
    }
    return digest;
}

std::uint64_t MarkSet::find(const Digest& digest) const {
    std::uint64_t front = 0;
    std::memcpy(&front, digest.data(), sizeof front);
    std::uint64_t at = front & (count_ - 1);
    while (slots_[at] != zeros && slots_[at] != digest) {
        at = (at + 1) & (count_ - 1);
    }
    return at;
}

Result<bool> MarkSet::insert(ByteView multihash) {
    const Digest digest = digest_of(multihash);
    if (digest == zeros) {
        return !std::exchange(has_zeros_, true);
    }
    std::uint64_t at = find(digest);
    if (slots_[at] == digest) {
        return false;
    }
    if (2 * (used_ + 1) > count_) {
        TRY(grow());
        at = find(digest);
    }
    slots_[at] = digest;
    ++used_;
    return true;
}

bool MarkSet::contains(ByteView multihash) const {
    const Digest digest = digest_of(multihash);
    return digest == zeros ? has_zeros_ : slots_[find(digest)] == digest;
}

Result<void> MarkSet::grow() {
    MarkSet larger(folder_);
    TRY(larger.map(2 * count_));
    for (std::uint64_t at = 0; at < count_; ++at) {
        if (slots_[at] != zeros) {
            larger.slots_[larger.find(slots_[at])] = slots_[at];
        }
    }
    std::swap(slots_, larger.slots_);
    std::swap(count_, larger.count_);
    return {};
}

} // namespace ic
