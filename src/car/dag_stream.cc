#include "car/dag_stream.h"

#include "ipld/links.h"

#include <utility>
#include <vector>

namespace ic::car {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} << 10U;

} // namespace

DagStream::DagStream(std::unique_ptr<ByteStream> bytes, const Cid& root, IsHere is_here)
    : bytes_(std::move(bytes))
    , is_here_(std::move(is_here))
    , buffer_(buffer_bytes)
    , awaited_{root.as_v1()} {}

bool DagStream::awaits(const Cid& cid) const { return awaited_.contains(cid.as_v1()); }

Result<std::optional<Block>> DagStream::next() {
    for (;;) {
        if (input_.empty()) {
            const std::size_t count = TRY(bytes_->read(buffer_));
            if (count == 0) {
                if (Result<void> whole = decoder_.finish(); !whole) {
                    return Error{Errc::unavailable,
                                 "its CAR ended early: " + whole.error().message};
                }
                return std::optional<Block>{};
            }
            input_ = ByteView{buffer_}.first(count);
        }
        Result<std::optional<Block>> block = decoder_.take(input_);
        if (!block) {
            return std::move(block).take_error().during("its CAR is wrong");
        }
        if (*block) {
            std::optional<Block> accepted = TRY(accept(**block));
            if (accepted) {
                return accepted;
            }
        }
    }
}

/// Nothing for a block that was here before.
Result<std::optional<Block>> DagStream::accept(const Block& block) {
    if (awaited_.erase(block.cid.as_v1()) == 0) {
        repeated_bytes_ += block.data.size() + block.cid.bytes().size();
        if (!is_here_(block.cid)) {
            return Error{Errc::malformed,
                         "its CAR has block " + block.cid.to_string() +
                             ", which was not asked for"};
        }
        if (repeated_bytes_ > limits::repeated_bytes_max) {
            return Error{Errc::malformed, "its CAR repeats itself without an end"};
        }
        return std::optional<Block>{};
    }
    repeated_bytes_ = 0;
    TRY(await_links_of(block));
    return std::optional(
        Block{.cid = block.cid, .data = LentBytes::of(copy_of(block.data.view()))});
}

/// A block whose links cannot be read has none for us: what reads it will say what is wrong.
Result<void> DagStream::await_links_of(const Block& block) {
    const Result<std::vector<Cid>> links = ipld::links_of(block.cid.codec(), block.data.view());
    if (!links) {
        return {};
    }
    for (const Cid& link : *links) {
        if (link.hash() != HashCode::identity) {
            awaited_.insert(link.as_v1());
        }
    }
    if (awaited_.size() > limits::awaited_blocks_max) {
        return Error{Errc::unsupported,
                     "the DAG has more than " + std::to_string(limits::awaited_blocks_max) +
                         " links that wait at once"};
    }
    return {};
}

} // namespace ic::car
