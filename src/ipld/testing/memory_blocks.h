#pragma once
/// MemoryBlocks: a source and a sink in memory, for tests.

#include "ipld/block.h"

#include <cstddef>
#include <unordered_map>

namespace ic {

/// Keyed by the whole CID. Counts what is asked for, and trusts what is put.
/// Threads: one at a time.
class MemoryBlocks final : public BlockSource, public BlockSink {
public:
    Result<LentBytes> get(const Cid& cid) override {
        ++gets;
        const auto found = blocks.find(cid);
        if (found == blocks.end()) {
            return Error{Errc::not_found, "no block " + cid.to_string()};
        }
        return LentBytes{found->second.view(), nullptr}; // A test keeps the blocks alive.
    }

    Result<void> put(const Cid& cid, ByteView data) override {
        blocks.insert_or_assign(cid, LentBytes::of(copy_of(data)));
        return {};
    }

    /// Puts `data` under its true CID.
    Cid add(Codec codec, ByteView data) {
        const Cid cid = cid_of(codec, data);
        blocks.insert_or_assign(cid, LentBytes::of(copy_of(data)));
        return cid;
    }

    std::unordered_map<Cid, LentBytes> blocks;
    std::size_t gets = 0;
};

} // namespace ic
