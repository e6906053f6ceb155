/// Reads files and directories out of blocks that are anything at all. The input is a list of
/// blocks, each two bytes of length and then its bytes; the first digest byte of a CID says which
/// block it names, so that links lead somewhere without the fuzzer having to find hashes.
/// Properties: what is read by pieces, at offsets and lent is the same and as long as the file
/// says; a name that is listed is found; and the number of fetches is bounded by what came out.

#include "unixfs/directory.h"
#include "unixfs/file_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace {

namespace unixfs = ic::unixfs;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

class FuzzedBlocks final : public ic::BlockSource {
public:
    explicit FuzzedBlocks(ic::ByteView input) {
        while (input.size() >= 2) {
            const std::size_t size = std::min<std::size_t>(
                std::size_t{input[0]} | std::size_t{input[1]} << 8U, input.size() - 2);
            blocks_.push_back(input.subspan(2, size));
            input = input.subspan(2 + size);
        }
    }

    ic::Result<ic::LentBytes> get(const ic::Cid& cid) override {
        ++gets;
        const std::size_t index = cid.digest().front();
        if (index >= blocks_.size()) {
            return ic::Error{ic::Errc::not_found, "no such block"};
        }
        return ic::LentBytes{blocks_[index], nullptr};
    }

    std::size_t gets = 0;

private:
    std::vector<ic::ByteView> blocks_;
};

constexpr std::size_t read_bytes_max = 4096; ///< A small input can claim a file of any size.

void read_file(FuzzedBlocks& blocks, const ic::Cid& cid) {
    ic::Result<unixfs::FileReader> opened = unixfs::FileReader::open(blocks, cid);
    if (!opened) {
        return;
    }
    unixfs::FileReader reader = std::move(opened).take();
    std::array<std::uint8_t, 100> piece{};
    std::array<std::uint8_t, 100> again{};
    std::uint64_t offset = 0;
    while (offset < read_bytes_max) {
        blocks.gets = 0;
        const ic::Result<std::size_t> count = reader.read(piece);
        if (!count) {
            return;
        }
        // A byte may need the whole way down; nothing else may be fetched.
        require(blocks.gets <= (*count + 1) * unixfs::limits::file_depth_max);
        require(*count == std::min<std::uint64_t>(piece.size(), reader.size() - offset));
        if (*count == 0) {
            return;
        }
        const ic::ByteView got{piece.data(), *count};
        const ic::Result<std::size_t> at = reader.read_at(offset, again);
        require(at.ok() && *at == *count &&
                std::ranges::equal(got, ic::ByteView{again}.first(*at)));
        const ic::Result<ic::LentBytes> lent = reader.lend_at(offset);
        require(lent.ok() && lent->size() > 0);
        const std::size_t both = std::min(lent->size(), got.size());
        require(std::ranges::equal(lent->view().first(both), got.first(both)));
        offset += *count;
    }
}

void read_directory(FuzzedBlocks& blocks, const ic::Cid& cid) {
    std::vector<unixfs::DirectoryEntry> entries;
    blocks.gets = 0;
    const auto keep = [&entries](const unixfs::DirectoryEntry& entry) -> ic::Result<void> {
        entries.push_back(entry);
        return {};
    };
    const ic::Result<void> listed = unixfs::list(blocks, cid, keep);
    // 64 bits of hash, 3 a level at least; one shard more may fail after the last name.
    require(blocks.gets <= 1 + (entries.size() + 1) * 22);
    if (!listed) {
        return;
    }
    for (const unixfs::DirectoryEntry& entry : entries) {
        const ic::Result<unixfs::DirectoryEntry> found =
            unixfs::find_entry(blocks, cid, entry.name);
        require(found.ok() && *found == entry);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedBlocks blocks({data, size});
    const ic::Cid root =
        ic::Cid::v1(ic::Codec::dag_pb, ic::HashCode::sha2_256, std::array<std::uint8_t, 32>{});
    read_file(blocks, root);
    read_directory(blocks, root);
    const ic::Result<unixfs::Stat> stat = unixfs::stat(blocks, root);
    if (stat && stat->type == unixfs::EntryType::symlink) {
        const ic::Result<std::string> target = unixfs::read_link(blocks, root);
        require(!target.ok() || target->size() == stat->size);
    }
    return 0;
}
