#pragma once
/// Handles: what a guest has open through the host functions.

#include "executor/wasm/services.h"
#include "unixfs/file_reader.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

namespace ic::executor::wasm {

/// A file of IPFS, read where the last read ended.
struct FileHandle {
    unixfs::FileReader reader;
    std::size_t held_bytes = 0; ///< As Handles counts them.
    std::uint64_t read_last = 0;
};

/// Text that is here: a listing, or the CID of what was added.
struct TextHandle {
    std::string text;
    std::size_t position = 0;
};

/// A file being added; closing it without finishing forgets it.
struct AddHandle {
    std::uint32_t id = 0;
};

/// A response: its head, then its body.
struct CurlHandle {
    std::uint32_t id = 0;
    std::string head;
    std::size_t position = 0; ///< In the head.
};

using Handle = std::variant<FileHandle, TextHandle, AddHandle, CurlHandle>;

/// Numbers are given in rising order and never twice in one run, so a closed handle that is used
/// again is always found out. Threads: one.
class Handles {
public:
    /// How many may be open at once: of all kinds, and of responses among them.
    struct Limits {
        std::uint32_t handles_max = 0;
        std::uint64_t curls_max = 0;
    };

    void begin(const Limits& limits);

    /// Whether another may be opened.
    bool full() const { return handles_.size() >= limits_.handles_max; }

    /// Whether another response may be opened, as far as responses alone are concerned.
    bool full_of_curls() const { return curls_ >= limits_.curls_max; }

    /// Files being added.
    std::size_t adds() const { return adds_; }

    /// Of all text that is here, but for the listing that is being made.
    std::size_t text_bytes() const { return text_bytes_; }

    /// Of blocks and links of all files, as of their last reads.
    std::size_t file_bytes() const { return file_bytes_; }

    /// Requires: not `full`.
    std::int64_t open(Handle handle);

    /// After a read of it: while all files hold more than limits::files_bytes_max, the one that was
    /// read longest ago rests, but not this one.
    void was_read(FileHandle& file);

    /// Nothing for a number that is not open. Lifetime: until the next `open` or `close`.
    Handle* find(std::int64_t number);

    /// Its file is the caller's to finish; the number is the guest's no more. Nothing if it is
    /// none.
    std::optional<std::uint32_t> take_add(std::int64_t number);

    /// Ends it at the other side of `services` too. Whether it was open.
    bool close(std::int64_t number, Services& services);

    /// All that the guest left open.
    void close_all(Services& services);

private:
    void end(const Handle& handle, Services& services);
    void count(FileHandle& file);
    FileHandle* read_longest_ago(const FileHandle& but);

    std::map<std::int64_t, Handle> handles_;
    std::int64_t next_ = 1;
    std::uint64_t curls_ = 0; // Of the handles that are open, as what follows.
    std::size_t adds_ = 0;
    std::size_t text_bytes_ = 0;
    std::size_t file_bytes_ = 0;
    std::uint64_t reads_ = 0;
    Limits limits_;
};

} // namespace ic::executor::wasm
