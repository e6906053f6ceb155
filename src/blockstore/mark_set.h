#pragma once
/// MarkSet: which blocks were seen, outside memory when they are many.

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace ic {

namespace limits {
/// Ours: a mark set above this many bytes lives in a file, which the kernel writes out as it likes.
inline constexpr std::size_t mark_memory_bytes_max = std::size_t{64} << 20U;
} // namespace limits

/// A set of multihashes: SHA-256 digests as they are, 32 bytes, everything else by the SHA-256 of
/// its multihash. Open addressing, at most half full, in mapped memory. Threads: one.
class MarkSet {
public:
    /// Room for `expected` at first; grows. `folder` takes the file of a large one, which has no
    /// name. Errors: storage_full, unavailable.
    static Result<MarkSet> make(std::uint64_t expected, std::string folder);

    MarkSet(MarkSet&& other) noexcept;
    MarkSet& operator=(MarkSet&& other) noexcept;
    ~MarkSet();

    /// Whether it was not in. Errors: as `make`.
    Result<bool> insert(ByteView multihash);
    bool contains(ByteView multihash) const;

    std::uint64_t size() const { return used_; }

    /// A file in `folder` that goes when its descriptor does.
    static Result<UniqueFd> nameless_file(const std::string& folder);

private:
    using Digest = std::array<std::uint8_t, 32>;

    explicit MarkSet(std::string folder) : folder_(std::move(folder)) {}

    static Digest digest_of(ByteView multihash);
    Result<void> map(std::uint64_t slots);
    /// Where it is, or the free slot where it belongs.
    std::uint64_t find(const Digest& digest) const;
    Result<void> grow();

    std::string folder_;
    Digest* slots_ = nullptr; ///< Zeros are free; the digest of zeros is kept apart.
    std::uint64_t count_ = 0; ///< A power of two.
    std::uint64_t used_ = 0;
    bool has_zeros_ = false;
};

} // namespace ic
