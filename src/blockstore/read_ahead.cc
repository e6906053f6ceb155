#include "blockstore/read_ahead.h"

#include <algorithm>
#include <utility>

namespace ic {

ReadAhead::ReadAhead(BlockSource& inner, ReadAheadOptions options)
    : inner_(inner)
    , options_(options) {}

ReadAhead::~ReadAhead() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    work_.notify_all();
    for (std::thread& worker : workers_) {
        worker.join();
    }
}

ReadAhead::Slots::iterator ReadAhead::find(const Cid& cid) {
    return std::ranges::find_if(slots_,
                                [&](const Slot& slot) { return slot.wanted && slot.cid == cid; });
}

Result<LentBytes> ReadAhead::get(const Cid& cid) {
    {
        std::unique_lock lock(mutex_);
        auto slot = find(cid);
        if (slot != slots_.end() && slot->state == State::running) {
            ready_.wait(lock, [&] {
                slot = find(cid); // Another reader may have taken it.
                return slot == slots_.end() || slot->state != State::running;
            });
        }
        if (slot != slots_.end() && slot->state == State::ready) {
            Result<LentBytes> block = std::move(*slot->block);
            slots_.erase(slot);
            return block;
        }
        if (slot != slots_.end()) {
            slots_.erase(slot); // No worker has got to it: done here, now.
        }
    }
    return inner_.get(cid);
}

std::size_t ReadAhead::foresight_blocks() const {
    // One more than is fetched here: the first is the reader's own.
    return std::max(options_.blocks_max + 1, inner_.foresight_blocks());
}

void ReadAhead::expect(const Cid& file, std::span<const UpcomingBlock> soon) {
    inner_.expect(file, soon);
    bool has_work = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto slot = slots_.begin(); slot != slots_.end();) {
            const bool stays =
                std::ranges::find(soon, slot->cid, &UpcomingBlock::cid) != soon.end();
            slot->wanted = stays;
            slot = stays || slot->state == State::running ? std::next(slot) : slots_.erase(slot);
        }
        for (const UpcomingBlock& block : soon.subspan(std::min<std::size_t>(1, soon.size()))) {
            if (slots_.size() == options_.blocks_max) {
                break;
            }
            if (block.cid.hash() != HashCode::identity && find(block.cid) == slots_.end()) {
                slots_.push_back({.cid = block.cid});
                has_work = true;
            }
        }
        while (has_work && workers_.size() < options_.threads) {
            workers_.emplace_back([this] { work(); });
        }
    }
    if (has_work) {
        work_.notify_all();
    }
}

void ReadAhead::plan(const ReadPlan& plan) { inner_.plan(plan); }

void ReadAhead::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto next = std::ranges::find(slots_, State::waiting, &Slot::state);
        if (ending_) {
            return;
        }
        if (next == slots_.end()) {
            work_.wait(lock);
            continue;
        }
        next->state = State::running; // Nobody erases it now but this thread or, once ready, get.
        const Cid cid = next->cid;
        lock.unlock();
        Result<LentBytes> block = inner_.get(cid);
        lock.lock();
        if (next->wanted) {
            next->block.emplace(std::move(block));
            next->state = State::ready;
        } else {
            slots_.erase(next);
        }
        ready_.notify_all();
    }
}

} // namespace ic
