#include "wiring/publication.h"

#include "base/bytes.h"
#include "car/header.h"
#include "car/walk.h"
#include "car/writer.h"
#include "kubo/dag.h"

#include <algorithm>
#include <chrono>
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

Publications::Entries Publications::take_waiting() {
    Entries taken;
    std::size_t roots = 0;
    while (!waiting_.empty() && (taken.empty() || roots + waiting_.front()->roots.size() <=
                                                      limits::publication_roots_max)) {
        roots += waiting_.front()->roots.size();
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return taken;
}

/// On the thread of one of those who wait, without the lock.
void Publications::hand_on(const Entries& entries) {
    std::vector<Cid> roots;
    for (const std::shared_ptr<Entry>& entry : entries) {
        roots.insert(roots.end(), entry->roots.begin(), entry->roots.end());
    }
    const Result<void> all = hand_on_(roots, [this, &entries] { return stopped(entries); });
    const bool each_alone = !all && entries.size() > 1 && all.error().code != Errc::unavailable;
    for (const std::shared_ptr<Entry>& entry : entries) {
        Result<void> own =
            each_alone
                ? hand_on_(entry->roots, [this, &entry] { return stopped(std::span(&entry, 1)); })
                : all;
        const std::lock_guard lock(mutex_);
        requests_ += each_alone ? 1 : 0;
        entry->result = std::move(own);
        changed_.notify_all();
    }
}

/// Nothing as long as any of them wants it to go on.
std::optional<Error> Publications::stopped(std::span<const std::shared_ptr<Entry>> entries) {
    const std::lock_guard lock(mutex_);
    std::optional<Error> why;
    for (const std::shared_ptr<Entry>& entry : entries) {
        std::optional<Error> own;
        if (entry->is_gone) {
            own = Error{Errc::cancelled, "nobody waits for it any more"};
        } else if (entry->stop) {
            own = entry->stop();
        }
        if (!own) {
            return std::nullopt;
        }
        why = std::move(own);
    }
    return why;
}

Result<void> Publications::publish(std::span<const Cid> roots, kubo::Stop stop) {
    constexpr std::chrono::milliseconds look_every{20};
    const auto entry = std::make_shared<Entry>(
        Entry{.roots = {roots.begin(), roots.end()}, .stop = std::move(stop)});
    std::unique_lock lock(mutex_);
    waiting_.push_back(entry);
    while (!entry->result) {
        const bool waits = std::ranges::find(waiting_, entry) != waiting_.end();
        if (waits && under_way_ < requests_at_once_) {
            const Entries taken = take_waiting();
            ++under_way_;
            ++requests_;
            lock.unlock();
            hand_on(taken);
            lock.lock();
            --under_way_;
            changed_.notify_all();
            continue;
        }
        changed_.wait_for(lock, look_every);
        if (!entry->result && entry->stop) {
            if (std::optional<Error> stopped = entry->stop()) {
                entry->is_gone = true;
                std::erase(waiting_, entry);
                return std::move(*stopped);
            }
        }
    }
    return *std::move(entry->result);
}

std::uint64_t Publications::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t Publications::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

} // namespace ic::wiring
