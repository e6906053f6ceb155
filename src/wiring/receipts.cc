#include "wiring/receipts.h"

#include "base/bytes.h"
#include "car/header.h"
#include "car/writer.h"
#include "ipld/dag_cbor.h"
#include "ipld/node.h"
#include "kubo/dag.h"
#include "kubo/pin.h"
#include "kubo/reach.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

namespace ic::wiring {
namespace {

/// Ours: a request of some megabytes at most.
constexpr std::chrono::minutes import_time_max{1};
/// Ours: what was just imported is not there once a collection of Kubo's came between. So often in
/// a row that is no coincidence.
constexpr int puts_max = 3;

void append(Bytes& to, ByteView more) { to.insert(to.end(), more.begin(), more.end()); }

/// Small enough to be held whole: documents have bounds of their own.
Bytes car_of(std::span<const Cid> cids, std::span<const Block> documents) {
    Bytes car = car::encode_header(cids);
    for (const Block& document : documents) {
        append(car, car::section_head(document.cid, document.data.size()));
        append(car, document.data.view());
    }
    return car;
}

std::vector<Cid> cids_of(std::span<const Block> documents) {
    std::vector<Cid> cids;
    for (const Block& document : documents) {
        cids.push_back(document.cid);
    }
    return cids;
}

/// Links to the bytes of all of them, as raw blocks: Kubo keeps blocks by their hashes alone, and
/// looks for no links in these. So one pin of the page keeps them, which is one sync of Kubo's
/// disk, and asks for nothing that they link to.
Block page_of(std::span<const Cid> cids) {
    ipld::List links;
    for (const Cid& cid : cids) {
        links.emplace_back(Cid::v1(Codec::raw, cid.hash(), cid.digest()));
    }
    Bytes bytes = dag_cbor::encode(ipld::Node{std::move(links)});
    const Cid cid = cid_of(Codec::dag_cbor, bytes);
    return {cid, LentBytes::of(std::move(bytes))};
}

bool is_collected(const Result<void>& put) {
    return !put && put.error().code == Errc::cid_unavailable;
}

} // namespace

Result<void> put_documents(kubo::Rpc& rpc, std::span<const Block> documents, kubo::Stop stop) {
    std::vector<Block> blocks(documents.begin(), documents.end());
    blocks.push_back(page_of(cids_of(documents)));
    const Cid page = blocks.back().cid;
    const Bytes car = car_of(std::span(&page, 1), blocks);
    ByteView left(car);
    const auto produce = [&left](std::span<std::uint8_t> into) -> Result<std::size_t> {
        const std::size_t count = std::min(into.size(), left.size());
        std::memcpy(into.data(), left.data(), count);
        left = left.subspan(count);
        return count;
    };
    TRY(kubo::dag_import(rpc,
                         {.car = produce, .roots = {}, .time_max = import_time_max, .stop = stop}));
    return kubo::pin_add(
        rpc, page, std::string(receipt_pin_name), kubo::Reach::local(), std::move(stop));
}

Receipts::Receipts(kubo::Rpc& rpc, HandedOn on_handed_on, ReceiptsOptions options)
    : rpc_(rpc)
    , on_handed_on_(std::move(on_handed_on))
    , options_(std::move(options))
    , thread_([this] { run(); }) {}

Receipts::~Receipts() {
    {
        const std::lock_guard lock(mutex_);
        ending_until_ = now_since_boot() + options_.end_time_max;
    }
    changed_.notify_all();
    thread_.join();
}

void Receipts::add(std::vector<Block> documents) {
    const std::lock_guard lock(mutex_);
    added_at_ = now_since_boot();
    waiting_since_ = waiting_.empty() ? added_at_ : waiting_since_;
    for (Block& document : documents) {
        waiting_bytes_ += document.data.size();
        waiting_.push_back(std::move(document));
    }
    drop_oldest();
    changed_.notify_all();
}

/// Whether what waits goes now. With the lock.
bool Receipts::is_time() const {
    const Instant now = now_since_boot();
    return ending_until_ || now - added_at_ >= options_.gather_time ||
           now - waiting_since_ >= options_.patience ||
           waiting_.size() > limits::receipts_waiting_max / 2 ||
           waiting_bytes_ > limits::receipt_bytes_waiting_max / 2;
}

/// With the lock.
void Receipts::drop_oldest() {
    while (waiting_.size() > limits::receipts_waiting_max ||
           waiting_bytes_ > limits::receipt_bytes_waiting_max) {
        waiting_bytes_ -= waiting_.front().data.size();
        waiting_.pop_front();
        ++counts_.dropped;
        note_loss("more of them wait than may");
    }
}

/// With the lock.
void Receipts::note_loss(const std::string& why) {
    if (!std::exchange(is_noted_, true)) {
        options_.note(log::Level::warning,
                      "Kubo does not take all receipts; some will not be found by their CIDs: " +
                          why);
    }
}

/// The oldest, as many as go together. With the lock.
std::vector<Block> Receipts::take() {
    const std::size_t count = std::min(waiting_.size(), limits::receipts_in_request_max);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Block> taken(std::make_move_iterator(waiting_.begin()),
                             std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    for (const Block& document : taken) {
        waiting_bytes_ -= document.data.size();
    }
    return taken;
}

/// With the lock.
void Receipts::put_back(std::vector<Block> documents) {
    for (const Block& document : documents) {
        waiting_bytes_ += document.data.size();
    }
    waiting_.insert(waiting_.begin(),
                    std::make_move_iterator(documents.begin()),
                    std::make_move_iterator(documents.end()));
    drop_oldest();
}

std::optional<Error> Receipts::stopped() const {
    const std::lock_guard lock(mutex_);
    return ending_until_ && now_since_boot() >= *ending_until_
               ? std::optional(Error{Errc::cancelled, "this process is ending"})
               : std::nullopt;
}

/// Errors: one that may pass; else Kubo does not want them, and they are done with.
Result<void> Receipts::hand_on(std::span<const Block> documents) {
    const auto put_once = [&] {
        return put_documents(rpc_, documents, [this] { return stopped(); });
    };
    Result<void> put = put_once();
    for (int puts = 1; puts < puts_max && is_collected(put); ++puts) {
        put = put_once();
    }
    if (put) {
        on_handed_on_(cids_of(documents));
        const std::lock_guard lock(mutex_);
        counts_.handed_on += documents.size();
        is_noted_ = false;
        return {};
    }
    if (put.error().code == Errc::unavailable || put.error().code == Errc::cancelled) {
        return put;
    }
    const std::lock_guard lock(mutex_);
    counts_.refused += documents.size();
    note_loss(put.error().message);
    return {};
}

void Receipts::run() {
    std::unique_lock lock(mutex_);
    const auto is_ending = [this] { return ending_until_.has_value(); };
    for (;;) {
        changed_.wait(lock, [&] { return is_ending() || !waiting_.empty(); });
        changed_.wait_for(lock, options_.gather_time, is_ending);
        if (waiting_.empty()) { // It is to end.
            return;
        }
        if (!is_time()) {
            continue;
        }
        std::vector<Block> documents = take();
        lock.unlock();
        const Result<void> handed_on = hand_on(documents);
        lock.lock();
        if (handed_on) {
            continue;
        }
        if (is_ending()) { // It has been tried.
            counts_.dropped += documents.size() + waiting_.size();
            return;
        }
        put_back(std::move(documents));
        changed_.wait_for(lock, options_.rest_time, is_ending);
    }
}

Receipts::Counts Receipts::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

} // namespace ic::wiring
