#pragma once
/// ArtifactCache: compiled modules, on disk and in memory. File format: docs/formats/artifact.md.

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "multiformats/cid.h"

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ic::executor::process {

namespace limits {
/// Ours: of one artifact; machine code is about three times its module (64 MiB by default).
inline constexpr std::uint64_t artifact_bytes_max = std::uint64_t{1} << 30U;
} // namespace limits

/// Machine code that was compiled by a process of ours, in a memfd that nobody can change.
struct Artifact {
    UniqueFd memory;
    std::uint64_t bytes = 0;
    std::uint64_t module_bytes = 0; ///< Of the module it came from.
    std::uint64_t number = 0;       ///< Unique in this process; names it towards executors.
};

/// Which artifact: the module, and everything that decides whether its code fits (engine version,
/// settings, processor), as the engine's fingerprint says it.
struct ArtifactKey {
    Cid module;
    std::string fingerprint;

    friend auto operator<=>(const ArtifactKey&, const ArtifactKey&) = default;

    /// Of the file in the folder.
    std::string file_name() const;
};

struct ArtifactCacheOptions {
    std::string folder;
    std::array<std::uint8_t, 32> key{}; ///< PrivateKey::derive("artifact-mac/1").
    std::uint64_t disk_bytes_max = std::uint64_t{1} << 30U;
    std::uint64_t memory_bytes_max = std::uint64_t{64} << 20U;
    std::size_t memory_artifacts_max = 256; ///< Each is a descriptor.
};

/// A file is used only if this node's key made it: machine code from anybody else would run.
/// Threads: every member from any. Processes: several may share the folder.
class ArtifactCache {
public:
    /// Makes the folder if needed, 0700. Errors: refused (it belongs to another user), as files.
    static Result<std::unique_ptr<ArtifactCache>> open(const ArtifactCacheOptions& options);

    /// Each is a descriptor of this process.
    std::size_t artifacts_in_memory() const;

    /// From memory, else from disk. `shared_ptr`: an artifact in use outlives its place here.
    /// Nothing if there is none, or only one that is damaged or not ours.
    std::shared_ptr<const Artifact> find(const ArtifactKey& key);

    /// Takes `memory` (an artifact of a finished compilation) over, seals it and keeps it; on disk
    /// too where there is room, and if not, only in memory. Errors: unavailable (someone still has
    /// it mapped for writing), too_large.
    Result<std::shared_ptr<const Artifact>>
    put(const ArtifactKey& key, UniqueFd memory, std::uint64_t module_bytes);

    /// Forgets it, here and on disk.
    void drop(const ArtifactKey& key);

private:
    struct Entry {
        ArtifactKey key;
        std::shared_ptr<const Artifact> artifact;
    };

    ArtifactCache(const ArtifactCacheOptions& options, UniqueFd folder);

    std::shared_ptr<const Artifact> read(const ArtifactKey& key);
    Result<void> write(const ArtifactKey& key, const Artifact& artifact);
    /// Whether a file of so many bytes may be written: the folder then holds at most
    /// `disk_bytes_max`, but for what other processes have written since the last look at it.
    bool make_room(std::uint64_t bytes);
    /// Until those left have at most `bytes_max`. What they have.
    std::uint64_t remove_oldest_files(std::uint64_t bytes_max);
    void remember(const ArtifactKey& key, std::shared_ptr<const Artifact> artifact);

    ArtifactCacheOptions options_;
    UniqueFd folder_;

    mutable std::mutex mutex_;
    std::list<Entry> recent_; // The most recently used first.
    std::map<ArtifactKey, std::list<Entry>::iterator> by_key_;
    std::uint64_t memory_bytes_ = 0;
    std::uint64_t last_number_ = 0;

    std::mutex room_mutex_;
    std::uint64_t room_ = 0; // Bytes that may be written before the next look at the folder.
};

} // namespace ic::executor::process
