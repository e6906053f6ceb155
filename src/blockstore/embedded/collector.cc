#include "blockstore/embedded/collector.h"

#include "base/file.h"
#include "blockstore/embedded/rows.h"
#include "blockstore/identity.h"
#include "ipld/links.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ic::embedded {
namespace {

constexpr std::uint64_t progress_blocks = 1024;

} // namespace

Result<Collected> Collector::run() {
    scratch_ =
        options_.scratch_folder.empty() ? parts_.environment.folder() : options_.scratch_folder;
    TRY(lock());
    TRY(begin());
    before_ = TRY(parts_.sessions.earliest(before_));
    blocks_ = TRY(parts_.table.usage()).blocks;
    walk_ = TRY(DagWalk::make(blocks_, scratch_));
    TRY(mark_all());
    if (problems_ != 0) {
        return Error{Errc::unavailable,
                     "garbage collection aborted: could not retrieve some links; nothing was "
                     "removed. 'ipfs-compute repo verify' finds damage; a pin whose blocks are "
                     "nowhere can go with 'ipfs-compute pin rm'"};
    }
    TRY(sweep());
    if (options_.mode == CollectOptions::Mode::remove) {
        Reclaim reclaim(parts_.environment, parts_.segments);
        TRY(reclaim.punch_all());
        TRY(reclaim.remove_empty(living_));
    }
    return collected_;
}

Result<void> Collector::lock() {
    const std::string path = parts_.environment.folder() + "/collection.lock";
    lock_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_) {
        return system_error("cannot open", path, errno);
    }
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? Error{Errc::unavailable,
                           "another collection of " + parts_.environment.folder() + " is running"}
                   : system_error("cannot lock", path, errno);
    }
    return {};
}

int Collector::drop_expired(MDB_txn* transaction, std::vector<Pin>& expired) const {
    const bool removes = options_.mode == CollectOptions::Mode::remove;
    MDB_cursor* opened = nullptr;
    int code = mdb_cursor_open(transaction, parts_.environment.tables().pins, &opened);
    if (code != 0) {
        return code;
    }
    const CursorHandle cursor(opened);
    MDB_val key{}, value{};
    MDB_stat stat{};
    mdb_stat(transaction, parts_.environment.tables().pins, &stat);
    std::size_t seen = 0;
    for (code = mdb_cursor_get(opened, &key, &value, MDB_FIRST); code == 0;
         code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
        if (++seen > stat.ms_entries) {
            break;
        }
        std::optional<Pin> pin = decode_pin(bytes_of(text_of(key)), bytes_of(text_of(value)));
        if (!pin) {
            return code_damaged; // It may have named anything: nothing can be removed safely.
        }
        if (pin->is_expired(options_.now)) {
            expired.push_back(std::move(*pin));
            code = removes ? mdb_cursor_del(opened, 0) : 0;
        }
        if (code != 0) {
            return code;
        }
    }
    if (code == MDB_NOTFOUND && seen == stat.ms_entries) {
        return 0;
    }
    // Damaged pages can hide pins, and what those name must not go.
    return code == 0 || code == MDB_NOTFOUND ? code_damaged : code;
}

Result<void> Collector::begin() {
    const bool removes = options_.mode == CollectOptions::Mode::remove;
    std::vector<Pin> expired;
    TRY(parts_.environment.transact(
        removes ? 0 : MDB_RDONLY, "beginning a collection", [&](MDB_txn* transaction) {
            const Tables& tables = parts_.environment.tables();
            expired.clear();
            int code = next_stamp(transaction, tables, before_);
            code = code != 0 ? code : drop_expired(transaction, expired);
            if (code == 0 && removes) {
                code = write_number(transaction, tables.meta, meta_clock, before_);
                code = code != 0
                           ? code
                           : write_number(transaction, tables.meta, meta_collected_from, before_);
            }
            return code;
        }));
    for (const Pin& pin : expired) {
        if (options_.on_expired) {
            options_.on_expired(pin);
        }
    }
    return {};
}

/// What reaches far comes first: a block that was marked alone is not looked into again.
Result<void> Collector::mark_all() {
    TRY(mark_pins(PinKind::recursive));
    TRY(mark_roots(Reach::whole));
    TRY(mark_roots(Reach::found));
    TRY(mark_pins(PinKind::direct));
    return mark_roots(Reach::single);
}

Result<void> Collector::mark_pins(PinKind kind) {
    return parts_.pins.visit([&](const Pin& pin) -> Result<void> {
        if (pin.kind != kind || pin.is_expired(options_.now)) {
            return {};
        }
        return mark_below(
            {.cid = pin.cid, .reach = kind == PinKind::recursive ? Reach::whole : Reach::single});
    });
}

Result<void> Collector::mark_roots(Reach reach) {
    if (!options_.roots) {
        return {};
    }
    return options_.roots([&](const Root& root) -> Result<void> {
        return root.reach == reach ? mark_below(root) : Result<void>{};
    });
}

Result<void> Collector::mark_below(const Root& root) {
    if (root.reach == Reach::single) {
        return walk_->note(root.cid);
    }
    return walk_->visit(root.cid, [&](const Cid& cid) { return links_below(cid, root.reach); });
}

/// Goes on after a block that cannot be read, so that all of them are said.
Result<std::vector<Cid>> Collector::links_below(const Cid& cid, Reach reach) {
    progress();
    if (!may_have_links(cid)) {
        return std::vector<Cid>{};
    }
    Result<std::vector<Cid>> links = links_of(cid);
    if (links || (links.error().code == Errc::not_found && reach == Reach::found)) {
        return links ? std::move(links) : std::vector<Cid>{};
    }
    ++problems_;
    if (options_.on_error) {
        options_.on_error(cid, links.error());
    }
    return std::vector<Cid>{};
}

Result<std::vector<Cid>> Collector::links_of(const Cid& cid) {
    if (is_identity(cid)) {
        return ipld::links_of(cid.codec(), content_of(cid).view());
    }
    std::optional<LentBytes> block =
        TRY(parts_.table.get(std::string(ic::text_of(cid.multihash()))));
    if (!block) {
        return Error{Errc::not_found, "block " + cid.to_string() + " is not in this store"};
    }
    TRY(cid.verify(block->view())); // Links of a damaged block would be wrong ones.
    return ipld::links_of(cid.codec(), block->view());
}

Result<void> Collector::sweep() {
    living_.before = TRY(read_segment_rows(parts_.environment));
    std::vector<Row> candidates;
    TRY(parts_.inspection.visit({}, [&](const Row& row) -> Result<void> {
        ++swept_;
        progress();
        if (!row.stamp) {
            living_.is_complete = false;
            ++collected_.kept;
            return {};
        }
        if (row.place) {
            living_.bytes[row.place->segment] += record_bytes(row.place->size);
        }
        if (*row.stamp >= before_ || walk_->has(bytes_of(row.key))) {
            ++collected_.kept;
            return {};
        }
        candidates.push_back(row);
        return candidates.size() < limits::removed_per_commit_max ? Result<void>{}
                                                                  : remove(candidates);
    }));
    return remove(candidates);
}

Result<void> Collector::remove(std::vector<Row>& candidates) {
    std::vector<Row> removed;
    if (options_.mode == CollectOptions::Mode::dry_run) {
        removed = std::exchange(candidates, {});
        return count_removed(removed);
    }
    if (candidates.empty()) {
        return {};
    }
    TRY(parts_.environment.transact(0, "removing blocks", [&](MDB_txn* transaction) {
        const Tables& tables = parts_.environment.tables();
        Accounts accounts(transaction, tables);
        removed.clear();
        for (const Row& row : candidates) {
            std::optional<Entry> entry;
            int code = read_entry(transaction, tables.index, row.key, entry);
            if (code != 0 && code != code_damaged) {
                return code;
            }
            if (!entry || entry->stamp >= before_) { // Put again or protected meanwhile.
                continue;
            }
            accounts.remove_block(entry->size());
            code = entry->place() != nullptr ? accounts.remove_record(*entry->place()) : 0;
            code = code != 0 ? code : erase_row(transaction, tables.index, row.key);
            if (code != 0) {
                return code;
            }
            removed.push_back(row);
        }
        return accounts.write();
    }));
    collected_.kept += candidates.size() - removed.size();
    candidates.clear();
    return count_removed(removed);
}

Result<void> Collector::count_removed(const std::vector<Row>& removed) {
    for (const Row& row : removed) {
        ++collected_.blocks;
        collected_.bytes += row.size;
        if (row.place) {
            living_.bytes[row.place->segment] -= record_bytes(row.place->size);
        }
        if (options_.on_removed) {
            TRY(options_.on_removed(TRY(raw_cid_of(row.key))));
        }
    }
    return {};
}

void Collector::progress() {
    const std::uint64_t marked = walk_->blocks();
    if (options_.on_progress && (marked + swept_) % progress_blocks == 0) {
        options_.on_progress(marked, swept_, blocks_);
    }
}

} // namespace ic::embedded
