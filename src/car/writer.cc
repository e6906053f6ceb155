#include "car/writer.h"

#include "multiformats/varint.h"

#include <utility>

namespace ic::car {

Bytes section_head(const Cid& cid, std::size_t block_bytes) {
    const ByteView name = cid.bytes();
    Bytes head;
    append_varint(head, name.size() + block_bytes);
    head.insert(head.end(), name.begin(), name.end());
    return head;
}

Result<Written>
write_dag(BlockSource& source, const Cid& root, const WalkOptions& options, Output& output) {
    Written written;
    Bytes header = encode_header({&root, 1});
    written.bytes += header.size();
    Walk walk(source, root, options);
    std::optional<Block> block = TRY(walk.next()); // Before the header: a root that is not here
                                                   // leaves the output empty.
    TRY(output.write(std::move(header), {}));
    while (block) {
        Bytes head = section_head(block->cid, block->data.size());
        written.bytes += head.size() + block->data.size();
        ++written.blocks;
        TRY(output.write(std::move(head), std::move(block->data)));
        block = TRY(walk.next());
    }
    written.missing_blocks = walk.missing_blocks();
    return written;
}

} // namespace ic::car
