#include "car/walk.h"

#include "ipld/links.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ic::car {

Walk::Walk(BlockSource& source, Cid root, WalkOptions options)
    : source_(source)
    , options_(options)
    , root_(std::move(root)) {}

/// Puts the links of `block` before all that wait.
Result<void> Walk::enter(const Block& block) {
    Result<std::vector<Cid>> links = ipld::links_of(block.cid.codec(), block.data.view());
    if (!links) {
        return std::move(links).take_error().during("block " + block.cid.to_string());
    }
    if (!links->empty()) {
        const std::size_t count = links->size();
        waiting_links_ += count;
        levels_.push_back({.cid = block.cid, .links = std::move(links).take(), .count = count});
        forget_far_links();
    }
    return {};
}

void Walk::forget_far_links() {
    while (waiting_links_ > limits::waiting_links_max && forgotten_levels_ + 1 < levels_.size()) {
        Level& level = levels_[forgotten_levels_++];
        waiting_links_ -= level.links.size();
        level.links = {};
    }
}

/// The links of the block that is given now, then those of the ones above it, without those that
/// have been seen.
void Walk::announce() {
    const std::size_t count = source_.foresight_blocks();
    std::vector<UpcomingBlock> soon;
    for (auto level = levels_.rbegin(); level != levels_.rend() && soon.size() < count; ++level) {
        if (level->links.empty()) {
            break;
        }
        for (std::size_t at = level->next; at < level->count && soon.size() < count; ++at) {
            if (!seen_.contains(level->links[at])) {
                soon.push_back({.cid = level->links[at]});
            }
        }
    }
    if (!soon.empty()) {
        source_.expect(root_, soon);
    }
}

/// The next link of the lowest level; levels whose links were all followed go.
Result<std::optional<Cid>> Walk::next_link() {
    if (levels_.empty()) {
        return std::optional<Cid>{};
    }
    Level& level = levels_.back();
    if (level.links.empty()) {
        const LentBytes data = TRY(fetch(source_, level.cid));
        level.links = TRY(ipld::links_of(level.cid.codec(), data.view()));
        assert(level.links.size() == level.count); // The same bytes: the source verifies them.
        waiting_links_ += level.count;
        forgotten_levels_ = levels_.size() - 1;
    }
    Cid link = level.links[level.next++];
    if (level.next == level.count) {
        waiting_links_ -= level.count;
        levels_.pop_back();
        forgotten_levels_ = std::min(forgotten_levels_, levels_.size());
    }
    return std::optional<Cid>(std::move(link));
}

Result<std::optional<Block>> Walk::next() {
    TRY(std::exchange(entered_, {}));
    for (;;) {
        const std::optional<Cid> cid =
            std::exchange(is_begun_, true) ? TRY(next_link()) : std::optional(root_);
        if (!cid) {
            return std::optional<Block>{};
        }
        if (!seen_.insert(*cid).second) {
            continue;
        }
        Result<LentBytes> data = fetch(source_, *cid);
        if (!data) {
            if (options_.missing == MissingBlocks::leave_out) {
                ++missing_blocks_;
                continue;
            }
            return std::move(data).take_error();
        }
        Block block{*cid, std::move(data).take()};
        entered_ = enter(block);
        if (cid->hash() == HashCode::identity && options_.identity == IdentityBlocks::left_out) {
            TRY(std::exchange(entered_, {}));
            continue;
        }
        announce();
        return std::optional<Block>(std::move(block));
    }
}

} // namespace ic::car
