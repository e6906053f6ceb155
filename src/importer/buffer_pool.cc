#include "importer/buffer_pool.h"

#include <utility>

namespace ic::importer {

BufferPool::BufferPool(std::size_t buffer_bytes)
    : buffer_bytes_(buffer_bytes)
    , free_(std::make_shared<Free>()) {}

std::shared_ptr<std::uint8_t[]> BufferPool::take() {
    Buffer buffer;
    {
        const std::lock_guard lock(free_->mutex);
        if (!free_->buffers.empty()) {
            buffer = std::move(free_->buffers.back());
            free_->buffers.pop_back();
        }
    }
    if (!buffer) {
        buffer = std::make_unique_for_overwrite<std::uint8_t[]>(buffer_bytes_);
    }
    std::uint8_t* const bytes = buffer.release(); // Owned by what is returned, then by `free`.
    return {bytes, [free = free_](std::uint8_t* back) {
                Buffer owned(back);
                const std::lock_guard lock(free->mutex);
                free->buffers.push_back(std::move(owned));
            }};
}

} // namespace ic::importer
