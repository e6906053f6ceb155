#pragma once
/// BufferPool: room for pieces of files, used again and again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace ic::importer {

/// Memory that is new to a process costs a page fault every 4 KiB, more than the hashing of a
/// twentieth of it; so buffers that were given back are given out again first.
/// Threads: any. Lifetime: a buffer may outlive its pool.
class BufferPool {
public:
    explicit BufferPool(std::size_t buffer_bytes);

    /// A buffer of `buffer_bytes()`; its content is left over. It goes back when the last copy of
    /// the pointer goes.
    std::shared_ptr<std::uint8_t[]> take();

    std::size_t buffer_bytes() const { return buffer_bytes_; }

private:
    using Buffer = std::unique_ptr<std::uint8_t[]>;

    struct Free {
        std::mutex mutex;
        std::vector<Buffer> buffers;
    };

    const std::size_t buffer_bytes_;
    std::shared_ptr<Free> free_; ///< Shared with every buffer that is out.
};

} // namespace ic::importer
