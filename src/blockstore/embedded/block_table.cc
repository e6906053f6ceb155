#include "blockstore/embedded/block_table.h"

#include "blockstore/embedded/batch_writer.h"
#include "blockstore/embedded/in_place.h"
#include "ipld/block.h"

#include <algorithm>
#include <set>

namespace ic::embedded {
namespace {

Error damaged(const std::string& key, const char* what) {
    return {Errc::hash_mismatch,
            std::string(what) + " of block " + to_hex(bytes_of(key)) +
                " is damaged; 'ipfs-compute repo verify --repair' drops it"};
}

LentBytes copy_of_mapped(ByteView mapped) {
    auto owned =
        std::make_shared_for_overwrite<std::uint8_t[]>(std::max<std::size_t>(mapped.size(), 1));
    std::copy_n(mapped.data(), mapped.size(), owned.get());
    return {ByteView{owned.get(), mapped.size()}, owned};
}

/// Segments that are tried before another one is made: each may be in use.
constexpr std::size_t segments_tried_max = 16;

} // namespace

void Batch::erase(const std::string& key) {
    const auto found = blocks.find(key);
    if (found == blocks.end()) {
        return;
    }
    Waiting& old = found->second;
    bytes -= old.memory_bytes();
    if (old.appended) {
        wasted.push_back(std::move(*old.appended));
    }
    blocks.erase(found);
}

void Batch::add(const std::string& key, Waiting block) {
    erase(key);
    bytes += block.memory_bytes();
    appended_bytes += block.appended ? record_bytes(block.appended->place.size) : 0;
    blocks.emplace(key, std::move(block));
}

template <class See>
Result<bool> BlockTable::look(const std::string& key, See see) {
    bool is_there = false;
    TRY(environment_.transact(MDB_RDONLY, "looking for a block", [&](MDB_txn* transaction) {
        std::optional<Entry> entry;
        const int code = read_entry(transaction, environment_.tables().index, key, entry);
        is_there = code == code_damaged || entry.has_value();
        if (code != 0 && code != code_damaged) {
            return code;
        }
        return is_there ? see(transaction, entry) : 0;
    }));
    return is_there;
}

Result<std::optional<LentBytes>> BlockTable::get(const std::string& key) {
    for (;;) {
        std::optional<Place> place;
        std::optional<FilePlace> file;
        std::optional<LentBytes> block;
        const bool is_there = TRY(look(key, [&](MDB_txn*, const std::optional<Entry>& entry) {
            place.reset();
            file.reset();
            if (entry && entry->place() != nullptr) {
                place = *entry->place();
            } else if (entry && entry->file() != nullptr) {
                file = *entry->file();
            } else if (entry && entry->size() <= ic::limits::block_bytes_max) {
                block = copy_of_mapped(*entry->bytes());
            }
            return 0;
        }));
        if (file) {
            return std::optional(TRY(read_in_place(*file, bytes_of(key))));
        }
        if (!is_there || block) {
            return block;
        }
        if (!place) {
            return damaged(key, "the entry");
        }
        block = TRY(segments_.read(*place, bytes_of(key)));
        // A collection takes a row away before it gives the record's space back: if the row is
        // still the same, what was read is what the record held.
        std::optional<Place> still;
        TRY(look(key, [&](MDB_txn*, const std::optional<Entry>& entry) {
            still.reset();
            if (entry && entry->place() != nullptr) {
                still = *entry->place();
            }
            return 0;
        }));
        if (still == place) {
            return block ? Result<std::optional<LentBytes>>(std::move(block))
                         : damaged(key, "the record");
        }
    }
}

Result<bool> BlockTable::has(const std::string& key) {
    bool is_sound = false;
    TRY(look(key, [&](MDB_txn*, const std::optional<Entry>& entry) {
        is_sound = entry.has_value();
        return 0;
    }));
    return is_sound;
}

Result<std::optional<Found>> BlockTable::find(const std::string& key) {
    std::optional<Found> found;
    TRY(look(key, [&](MDB_txn* transaction, const std::optional<Entry>& entry) {
        found.reset();
        if (!entry) {
            return 0;
        }
        found.emplace();
        found->stamp = entry->stamp;
        return read_number(
            transaction, environment_.tables().meta, meta_collected_from, found->collected_from);
    }));
    return found;
}

Result<std::optional<Found>> BlockTable::compare(const std::string& key, ByteView data) {
    std::optional<Found> found;
    bool is_outside = false;
    TRY(look(key, [&](MDB_txn* transaction, const std::optional<Entry>& entry) {
        found.reset();
        if (!entry) {
            return 0;
        }
        found.emplace();
        found->stamp = entry->stamp;
        is_outside = entry->place() != nullptr;
        found->is_in_file = entry->file() != nullptr;
        found->is_same = entry->bytes() != nullptr && std::ranges::equal(*entry->bytes(), data);
        return read_number(
            transaction, environment_.tables().meta, meta_collected_from, found->collected_from);
    }));
    if (found && is_outside) {
        const Result<std::optional<LentBytes>> block = get(key);
        found->is_same = block && *block && std::ranges::equal((*block)->view(), data);
    }
    return found;
}

Result<Usage> BlockTable::usage() {
    Usage usage;
    TRY(environment_.transact(MDB_RDONLY, "counting blocks", [&](MDB_txn* transaction) {
        return read_usage(transaction, environment_.tables(), environment_.page_bytes(), usage);
    }));
    disk_bytes_ = usage.disk_bytes;
    has_looked_ = true;
    return usage;
}

Result<Stamp> BlockTable::next_stamp() {
    Stamp stamp = 0;
    TRY(environment_.transact(MDB_RDONLY, "reading the clock", [&](MDB_txn* transaction) {
        return embedded::next_stamp(transaction, environment_.tables(), stamp);
    }));
    return stamp;
}

Result<Appended>
BlockTable::append(const std::string& key, ByteView data, std::uint64_t waiting_bytes) {
    if (options_.bytes_max != 0) { // Before the disk is filled with what no commit would take.
        if (!has_looked_) {
            TRY(usage());
        }
        if (disk_bytes_ + waiting_bytes + record_bytes(data.size()) > options_.bytes_max) {
            TRY(environment_.transact(
                MDB_RDONLY, "writing blocks", [](MDB_txn*) { return code_quota; }));
        }
    }
    for (;;) {
        std::optional<Appended> appended = TRY(segments_.append(bytes_of(key), data));
        if (appended) {
            return std::move(*appended);
        }
        TRY(open_segment(record_bytes(data.size())));
    }
}

Result<void> BlockTable::open_segment(std::uint64_t bytes) {
    std::size_t tried = 0;
    for (const auto& [number, row] : TRY(read_segment_rows(environment_))) {
        if (row.end + bytes > options_.segment_bytes_max || tried == segments_tried_max) {
            continue;
        }
        ++tried;
        std::shared_ptr<Segment> segment = segments_.lock(number);
        if (!segment) {
            continue;
        }
        // Only now nobody else commits to it.
        if (const std::optional<SegmentRow> now = TRY(read_segment_row(environment_, number));
            now && now->end + bytes <= options_.segment_bytes_max) {
            return segments_.append_to(std::move(segment), now->end);
        }
    }
    return segments_.open_new();
}

Result<LentBytes> BlockTable::read(const std::string& key, const Appended& appended) {
    std::optional<LentBytes> block = TRY(segments_.read(appended.place, bytes_of(key)));
    if (!block) {
        return damaged(key, "the record");
    }
    return std::move(*block);
}

Result<void> BlockTable::write(const Batch& batch,
                               std::optional<Stamp> safe_from,
                               PinChange* change,
                               std::vector<std::string>& gone) {
    std::set<std::shared_ptr<Segment>> touched;
    std::uint64_t fresh_bytes = 0;
    for (const auto& [key, block] : batch.blocks) {
        if (block.appended) {
            touched.insert(block.appended->segment);
            fresh_bytes += record_bytes(block.appended->place.size);
        } else if (block.kind == Waiting::Kind::fresh) {
            fresh_bytes += block.data.size();
        }
    }
    for (const std::shared_ptr<Segment>& segment : touched) {
        TRY(segments_.sync(*segment));
    }
    Usage usage;
    TRY(environment_.transact(0, "writing blocks", [&](MDB_txn* transaction) {
        BatchWriter writer(transaction, environment_.tables());
        gone.clear();
        int code = read_usage(transaction, environment_.tables(), environment_.page_bytes(), usage);
        if (code == 0 && options_.bytes_max != 0 && fresh_bytes != 0 &&
            usage.disk_bytes + fresh_bytes > options_.bytes_max) {
            return code_quota;
        }
        code = code != 0 ? code : writer.write(batch, safe_from, gone);
        if (code == 0 && change != nullptr) {
            code = writer.change_pins(*change);
        }
        return code;
    }));
    disk_bytes_ = usage.disk_bytes + fresh_bytes;
    has_looked_ = true;
    return {};
}

Result<std::optional<SegmentRow>> read_segment_row(Environment& environment, std::uint64_t number) {
    std::optional<SegmentRow> row;
    const auto key = big_endian(number);
    TRY(environment.transact(MDB_RDONLY, "looking for a segment", [&](MDB_txn* transaction) {
        MDB_val name = value_of(ic::text_of(key)), value{};
        const int code = mdb_get(transaction, environment.tables().segments, &name, &value);
        row = code == 0 ? decode_segment(key, bytes_of(text_of(value))) : std::nullopt;
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return row;
}

Result<bool> has_segment_row(Environment& environment, std::uint64_t number) {
    bool is_there = false;
    const auto key = big_endian(number);
    TRY(environment.transact(MDB_RDONLY, "looking for a segment", [&](MDB_txn* transaction) {
        MDB_val name = value_of(ic::text_of(key)), value{};
        const int code = mdb_get(transaction, environment.tables().segments, &name, &value);
        is_there = code == 0;
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return is_there;
}

Result<std::vector<std::pair<std::uint64_t, SegmentRow>>>
read_segment_rows(Environment& environment) {
    std::vector<std::pair<std::uint64_t, SegmentRow>> rows;
    TRY(environment.transact(MDB_RDONLY, "listing segments", [&](MDB_txn* transaction) {
        rows.clear();
        MDB_cursor* opened = nullptr;
        int code = mdb_cursor_open(transaction, environment.tables().segments, &opened);
        if (code != 0) {
            return code;
        }
        const CursorHandle cursor(opened);
        MDB_val key{}, value{};
        for (code = mdb_cursor_get(opened, &key, &value, MDB_FIRST); code == 0;
             code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
            const ByteView name = bytes_of(text_of(key));
            const std::optional<SegmentRow> row = decode_segment(name, bytes_of(text_of(value)));
            if (row && name.size() == 8) {
                rows.emplace_back(from_big_endian(name), *row);
            }
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return rows;
}

} // namespace ic::embedded
