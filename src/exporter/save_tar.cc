#include "exporter/save.h"
#include "unixfs/directory.h"

#include <algorithm>
#include <utility>

namespace ic::exporter {
namespace {

/// What Kubo gives an entry whose mode was not kept (boxo v0.42, files/util.go). A symlink's never
/// is.
std::uint32_t mode_of(const unixfs::Stat& stat) {
    switch (stat.type) {
    case unixfs::EntryType::file:
        return stat.metadata.mode.value_or(0644);
    case unixfs::EntryType::directory:
        return stat.metadata.mode.value_or(0755);
    case unixfs::EntryType::symlink:
        return 0777;
    }
    return 0;
}

/// Passes a file's content on to its entry in the archive.
class EntrySink final : public archive::ByteSink {
public:
    explicit EntrySink(archive::TarWriter& tar) : tar_(tar) {}

    Result<void> write(ByteView bytes) override { return tar_.write(bytes); }

private:
    archive::TarWriter& tar_;
};

class TarSaver {
public:
    TarSaver(BlockSource& source,
             const ArchiveDefaults& defaults,
             archive::ByteSink& sink,
             const OnBytes& on_bytes)
        : source_(source)
        , defaults_(defaults)
        , tar_(sink)
        , on_bytes_(on_bytes) {}

    Result<void> save(const Cid& cid, const std::string& path) {
        const unixfs::Stat stat = TRY(unixfs::stat(source_, cid));
        const unixfs::Metadata& metadata = stat.metadata;
        archive::TarEntry entry{.path = path, .size = stat.size, .mode = mode_of(stat)};
        entry.modified = metadata.mtime
                             ? archive::TarTime{.seconds = metadata.mtime->seconds,
                                                .nanoseconds = metadata.mtime->nanoseconds}
                             : defaults_.now;
        switch (stat.type) {
        case unixfs::EntryType::file: {
            TRY(tar_.begin(entry));
            EntrySink content(tar_);
            unixfs::FileReader reader = TRY(unixfs::FileReader::open(source_, cid));
            return copy_content(reader, {}, content, on_bytes_);
        }
        case unixfs::EntryType::directory:
            entry.type = archive::TarType::directory;
            TRY(tar_.begin(entry));
            return save_entries(cid, path);
        case unixfs::EntryType::symlink:
            entry.type = archive::TarType::symlink;
            entry.target = TRY(unixfs::read_link(source_, cid));
            return tar_.begin(entry);
        }
        return {};
    }

    Result<void> finish() { return tar_.finish(); }

private:
    Result<void> save_entries(const Cid& cid, const std::string& path) {
        if (depth_ == limits::folders_deep_max) {
            return Error{Errc::too_large, path + ": folders are nested too deeply"};
        }
        ++depth_;
        Result<void> listed = unixfs::list(source_, cid, [&](const unixfs::DirectoryEntry& entry) {
            return save(entry.cid, path + "/" + entry.name);
        });
        --depth_;
        return listed;
    }

    BlockSource& source_;
    const ArchiveDefaults& defaults_;
    archive::TarWriter tar_;
    const OnBytes& on_bytes_;
    std::size_t depth_ = 0;
};

} // namespace

Result<void> save_tar(BlockSource& source,
                      const Saved& saved,
                      const ArchiveDefaults& defaults,
                      archive::ByteSink& sink,
                      const OnBytes& on_bytes) {
    TarSaver saver(source, defaults, sink, on_bytes);
    TRY(saver.save(saved.cid, saved.name));
    return saver.finish();
}

Result<void> save_content(BlockSource& source,
                          const Cid& cid,
                          archive::ByteSink& sink,
                          const OnBytes& on_bytes) {
    const unixfs::Stat stat = TRY(unixfs::stat(source, cid));
    if (stat.type == unixfs::EntryType::directory) {
        return Error{Errc::unsupported,
                     cid.to_string() + " is a directory, which is no one file; add --archive"};
    }
    if (stat.type == unixfs::EntryType::symlink) {
        return sink.write(bytes_of(TRY(unixfs::read_link(source, cid))));
    }
    unixfs::FileReader reader = TRY(unixfs::FileReader::open(source, cid));
    return copy_content(reader, {}, sink, on_bytes);
}

} // namespace ic::exporter
