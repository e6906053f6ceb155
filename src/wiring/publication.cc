#include "wiring/publication.h"

#include "base/bytes.h"
#include "car/header.h"
#include "car/walk.h"
#include "car/writer.h"
#include "kubo/dag.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

/// A CAR of several DAGs, given out in pieces as they are asked for.
class CarStream {
public:
    CarStream(BlockSource& source, const std::vector<Cid>& roots)
        : source_(source)
        , roots_(roots)
        , head_(car::encode_header(roots)) {}

    /// As `kubo::Producer`.
    Result<std::size_t> produce(std::span<std::uint8_t> into) {
        std::size_t count = 0;
        while (count < into.size()) {
            if (at_ == head_.size() + data_.size() && !TRY(next())) {
                break;
            }
            count += copy(into.subspan(count));
        }
        return count;
    }

private:
    /// Of the head, or of the block after it.
    std::size_t copy(std::span<std::uint8_t> into) {
        const ByteView part = at_ < head_.size() ? ByteView{head_}.subspan(at_)
                                                 : data_.view().subspan(at_ - head_.size());
        const std::size_t count = std::min(part.size(), into.size());
        std::memcpy(into.data(), part.data(), count);
        at_ += count;
        return count;
    }

    /// The next block that was not given yet; false at the end.
    Result<bool> next() {
        for (;;) {
            if (!walk_) {
                if (root_ == roots_.size()) {
                    return false;
                }
                walk_.emplace(source_,
                              roots_[root_++],
                              car::WalkOptions{.identity = car::IdentityBlocks::left_out});
            }
            std::optional<Block> block = TRY(walk_->next());
            if (!block) {
                walk_.reset();
            } else if (roots_.size() == 1 || given_.insert(block->cid).second) {
                head_ = car::section_head(block->cid, block->data.size());
                data_ = std::move(block->data);
                at_ = 0;
                return true;
            }
        }
    }

    BlockSource& source_;
    const std::vector<Cid>& roots_;
    Bytes head_;
    LentBytes data_{};
    std::size_t at_ = 0;
    std::size_t root_ = 0;
    std::optional<car::Walk> walk_{};
    std::unordered_set<Cid> given_{}; ///< Of several DAGs that share blocks.
};

} // namespace

Result<void>
publish(BlockSource& source, kubo::Rpc& rpc, std::span<const Cid> roots, kubo::Stop stop) {
    std::vector<Cid> wanted;
    for (const Cid& root : roots) {
        if (root.hash() != HashCode::identity && std::ranges::find(wanted, root) == wanted.end()) {
            wanted.push_back(root);
        }
    }
    if (wanted.empty()) {
        return {};
    }
    CarStream car(source, wanted);
    Result<kubo::ImportedDag> imported =
        kubo::dag_import(rpc,
                         {.car = [&car](std::span<std::uint8_t> into) { return car.produce(into); },
                          .roots = wanted,
                          .stop = std::move(stop)});
    if (!imported) {
        return std::move(imported).take_error();
    }
    return {};
}

} // namespace ic::wiring
