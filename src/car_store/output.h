#pragma once
/// FileOutput: a CAR into a file or a pipe, from its beginning or from where an earlier export
/// ended.

#include "base/result.h"
#include "car/writer.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ic::car_store {

namespace limits {
/// Ours: what is collected before it is written; blocks are lent, so this holds them, not copies.
inline constexpr std::size_t unwritten_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t unwritten_parts_max = 512;
} // namespace limits

struct OutputOptions {
    std::string name{}; ///< For messages.
    /// Bytes at the beginning that are there already and are not written again.
    std::uint64_t there_bytes = 0;
    /// Where they can be read, to be compared with what the export gives; -1: nowhere.
    int there_fd = -1;
    /// Called with the bytes of each part, written or skipped.
    std::function<void(std::uint64_t)> progress{};
};

/// Threads: one. Lifetime: the descriptors outlive it.
class FileOutput final : public car::Output {
public:
    FileOutput(int fd, OutputOptions options);

    /// Errors: refused if what is there already differs from what is exported; as `system_error`.
    Result<void> write(Bytes head, LentBytes data) override;

    /// Writes what was collected. Errors: refused if more is there already than the export has; as
    /// `write`.
    Result<void> finish();

private:
    Result<void> add(LentBytes part);
    Result<void> compare(ByteView part) const;
    Result<void> flush();

    const int fd_;
    const OutputOptions options_;
    std::uint64_t offset_ = 0; ///< Of what comes next.
    std::vector<LentBytes> unwritten_;
    std::size_t unwritten_bytes_ = 0;
};

} // namespace ic::car_store
