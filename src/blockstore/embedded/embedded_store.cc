#include "blockstore/embedded/embedded_store.h"

#include "base/bytes.h"
#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/collector.h"
#include "blockstore/embedded/committer.h"
#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/in_place.h"
#include "blockstore/embedded/inspection.h"
#include "blockstore/embedded/orphans.h"
#include "blockstore/embedded/pin_table.h"
#include "blockstore/embedded/sessions.h"
#include "blockstore/identity.h"

#include <algorithm>
#include <utility>

namespace ic {

using embedded::Found;
using embedded::Waiting;

namespace {

std::string key_of(const Cid& cid) { return std::string(text_of(cid.multihash())); }

Error not_here(const Cid& cid) {
    return {Errc::not_found, "block " + cid.to_string() + " is not in this store"};
}

} // namespace

/// From the disk upwards; destroyed in the opposite order.
struct EmbeddedStore::Impl {
    Impl(EmbeddedOptions opened, std::unique_ptr<embedded::Environment> from)
        : options(std::move(opened))
        , environment(std::move(from)) {}

    EmbeddedOptions options;
    std::unique_ptr<embedded::Environment> environment;
    embedded::SegmentFiles segments{options.folder + "/segments", options.segment_bytes_max};
    embedded::Sessions sessions{options.folder + "/sessions"};
    embedded::BlockTable table{
        *environment,
        segments,
        {.bytes_max = options.bytes_max, .segment_bytes_max = options.segment_bytes_max}};
    embedded::Committer committer{table, sessions};
    embedded::PinTable pins{*environment, committer};
    embedded::Inspection inspection{*environment, table};
    embedded::Orphans orphans{*environment, segments};

    /// Whether a block with this stamp need not be stamped anew when it is put again.
    bool is_safe(const Found& found) const {
        return found.stamp >= sessions.safe_from().value_or(found.collected_from);
    }

    Result<Waiting> prepare(const std::string& key, ByteView data);

    static Waiting again(ByteView data) {
        return {.kind = Waiting::Kind::again, .data = LentBytes::of(copy_of(data))};
    }
};

namespace {

class Session final : public WriteSession {
public:
    Session(embedded::Sessions& sessions,
            embedded::Sessions::Handle handle,
            embedded::BlockTable& table,
            embedded::Committer& committer)
        : sessions_(sessions)
        , handle_(handle)
        , table_(table)
        , committer_(committer)
        , number_(committer.begin_session()) {}

    ~Session() override {
        committer_.end_session(number_);
        sessions_.end(handle_);
    }

    Result<void> protect(const Cid& cid) override {
        if (is_identity(cid)) {
            return {};
        }
        return TRY(is_protected(key_of(cid))) ? Result<void>{} : not_here(cid);
    }

    Result<void> confirm() override {
        for (;;) {
            const std::vector<std::string> lost = TRY(committer_.confirm(number_));
            if (lost.empty()) {
                return {};
            }
            for (const std::string& key : lost) { // Others may have put it since.
                if (!TRY(is_protected(key))) {
                    return Error{Errc::not_found,
                                 "block " + to_hex(bytes_of(key)) +
                                     " was collected before it was protected"};
                }
            }
        }
    }

private:
    /// False if it is not here.
    Result<bool> is_protected(const std::string& key) {
        if (committer_.protect_waiting(key, number_)) {
            return true;
        }
        if (!committer_.find(key)) { // Else it is being committed right now.
            const std::optional<Found> found = TRY(table_.find(key));
            if (!found) {
                return false;
            }
            if (found->stamp >= handle_->from) {
                committer_.found_safe(key, number_);
                return true;
            }
        }
        TRY(committer_.protect(key, number_));
        return true;
    }

    embedded::Sessions& sessions_;
    const embedded::Sessions::Handle handle_;
    embedded::BlockTable& table_;
    embedded::Committer& committer_;
    const embedded::Committer::SessionNumber number_;
};

} // namespace

EmbeddedStore::EmbeddedStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(EmbeddedOptions options) {
    std::unique_ptr<embedded::Environment> environment =
        TRY(embedded::Environment::open({.folder = options.folder,
                                         .map_bytes_first = options.map_bytes_first,
                                         .bytes_max = options.bytes_max}));
    return std::unique_ptr<EmbeddedStore>(
        new EmbeddedStore(std::make_unique<Impl>(std::move(options), std::move(environment))));
}

EmbeddedStore::~EmbeddedStore() {
    const Result<void> last_try = sync(); // Who must know has called sync and looked.
    static_cast<void>(last_try);
}

Result<LentBytes> EmbeddedStore::get(const Cid& cid) {
    if (is_identity(cid)) {
        return content_of(cid);
    }
    const std::string key = key_of(cid);
    if (const std::optional<Waiting> block = impl_->committer.find(key)) {
        if (block->file) {
            return embedded::read_in_place(*block->file, bytes_of(key));
        }
        return block->appended ? impl_->table.read(key, *block->appended)
                               : Result<LentBytes>(block->data);
    }
    std::optional<LentBytes> block = TRY(impl_->table.get(key));
    if (!block) {
        return not_here(cid);
    }
    return std::move(*block);
}

Result<bool> EmbeddedStore::has(const Cid& cid) {
    if (is_identity(cid)) {
        return true;
    }
    const std::string key = key_of(cid);
    if (impl_->committer.find(key)) {
        return true;
    }
    return impl_->table.has(key);
}

Result<Waiting> EmbeddedStore::Impl::prepare(const std::string& key, ByteView data) {
    if (data.size() < options.segment_block_bytes_min ||
        key.size() > embedded::record_key_bytes_max) {
        return Waiting{.data = LentBytes::of(copy_of(data))};
    }
    return Waiting{.appended = TRY(table.append(key, data, committer.appended_bytes()))};
}

Result<void> EmbeddedStore::put(const Cid& cid, ByteView data) {
    if (data.size() > limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "block " + cid.to_string() + " has " + std::to_string(data.size()) +
                         " bytes; a block has at most " + std::to_string(limits::block_bytes_max)};
    }
    if (is_identity(cid)) {
        return {};
    }
    const std::string key = key_of(cid);
    if (const std::optional<Waiting> block = impl_->committer.find(key); block && !block->file) {
        const LentBytes waiting =
            block->appended ? TRY(impl_->table.read(key, *block->appended)) : block->data;
        if (std::ranges::equal(waiting.view(), data)) {
            return impl_->committer.will_be_stamped(key)
                       ? Result<void>{}
                       : impl_->committer.add(key, impl_->again(data));
        }
    } else if (const std::optional<Found> found = TRY(impl_->table.compare(key, data));
               found && found->is_same) {
        if (impl_->is_safe(*found)) {
            return {};
        }
        // With its bytes: a collection may take it before the new stamp is committed.
        return impl_->committer.add(key, impl_->again(data));
    }
    return impl_->committer.add(key, TRY(impl_->prepare(key, data)));
}

Result<void>
EmbeddedStore::refer(const Cid& cid, ByteView data, const std::string& path, std::uint64_t offset) {
    if (data.size() > limits::block_bytes_max || path.size() > embedded::file_path_bytes_max) {
        return Error{Errc::too_large, path + ": a block or its path is too long"};
    }
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
        return Error{Errc::malformed, path + " is no absolute path"};
    }
    if (is_identity(cid)) {
        return {};
    }
    const std::string key = key_of(cid);
    const std::optional<Waiting> waiting = impl_->committer.find(key);
    const std::optional<Found> found =
        waiting ? std::nullopt : TRY(impl_->table.compare(key, data));
    if ((waiting && !waiting->file) || (found && found->is_same)) {
        return put(cid, data);
    }
    const bool is_copy_damaged =
        waiting ? waiting->kind == Waiting::Kind::mended : found && !found->is_in_file;
    return impl_->committer.add(
        key,
        {.kind = is_copy_damaged ? Waiting::Kind::mended : Waiting::Kind::fresh,
         .file = embedded::FilePlace{
             .path = path, .offset = offset, .size = static_cast<std::uint32_t>(data.size())}});
}

Result<void> EmbeddedStore::sync() { return impl_->committer.sync(); }

Result<StoreStat> EmbeddedStore::stat() {
    const RepoStat all = TRY(repo_stat());
    return StoreStat{.blocks = all.blocks, .bytes = all.block_bytes};
}

Result<RepoStat> EmbeddedStore::repo_stat() {
    TRY(sync());
    const embedded::Usage usage = TRY(impl_->table.usage());
    return RepoStat{
        .blocks = usage.blocks, .block_bytes = usage.block_bytes, .disk_bytes = usage.disk_bytes};
}

Result<std::unique_ptr<WriteSession>> EmbeddedStore::begin_session() {
    const embedded::Sessions::Handle handle =
        TRY(impl_->sessions.begin([this] { return impl_->table.next_stamp(); }));
    return std::unique_ptr<WriteSession>(
        std::make_unique<Session>(impl_->sessions, handle, impl_->table, impl_->committer));
}

Pins& EmbeddedStore::pins() { return impl_->pins; }

Result<Collected> EmbeddedStore::collect(const CollectOptions& options) {
    // What waits need not fit: a full store is what is collected most.
    const Result<void> as_far_as_it_goes = sync();
    static_cast<void>(as_far_as_it_goes);
    embedded::Collector collector({.environment = *impl_->environment,
                                   .segments = impl_->segments,
                                   .sessions = impl_->sessions,
                                   .table = impl_->table,
                                   .pins = impl_->pins,
                                   .inspection = impl_->inspection},
                                  options);
    return collector.run();
}

Result<void> EmbeddedStore::visit_blocks(const std::string& from, const BlockVisitor& visitor) {
    TRY(sync());
    return impl_->inspection.visit(from, [&](const embedded::Row& row) {
        return visitor({.key = row.key, .size = row.size, .is_sound = row.stamp.has_value()});
    });
}

Result<std::optional<Damage>> EmbeddedStore::verify(const std::string& key) {
    return impl_->inspection.verify(key);
}

Result<void> EmbeddedStore::drop(const std::string& key) { return impl_->inspection.drop(key); }

Result<std::vector<std::string>> EmbeddedStore::damaged_pins() { return impl_->pins.damaged(); }

Result<void> EmbeddedStore::drop_pin(const std::string& key) { return impl_->pins.drop(key); }

Result<void>
EmbeddedStore::visit_orphans(const std::function<Result<void>(const Orphan&)>& visitor) {
    return impl_->orphans.visit(visitor);
}

Result<void> EmbeddedStore::take_in_orphan(std::uint64_t number) {
    TRY(impl_->orphans.read(number,
                            [this](const Cid& cid, ByteView data) { return put(cid, data); }));
    TRY(sync());
    return impl_->orphans.remove(number);
}

Result<void> EmbeddedStore::drop_orphan(std::uint64_t number) {
    return impl_->orphans.remove(number);
}

Result<std::pair<std::uint64_t, std::uint64_t>> EmbeddedStore::compact() {
    TRY(sync());
    TRY(impl_->environment->lock_alone());
    return impl_->environment->compact();
}

} // namespace ic
