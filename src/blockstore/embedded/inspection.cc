#include "blockstore/embedded/inspection.h"

#include "blockstore/embedded/rows.h"

#include <utility>

namespace ic::embedded {
namespace {

/// Read in one transaction.
constexpr std::size_t page_rows_max = 4096;

} // namespace

Result<Cid> raw_cid_of(const std::string& key) {
    Bytes cid{1, static_cast<std::uint8_t>(Codec::raw)};
    cid.insert(cid.end(), key.begin(), key.end());
    return Cid::from_bytes(cid);
}

Result<std::vector<Row>> Inspection::rows_from(const std::string& from, bool skip_first) {
    std::vector<Row> rows;
    TRY(environment_.transact(MDB_RDONLY, "listing blocks", [&](MDB_txn* transaction) {
        rows.clear();
        MDB_cursor* opened = nullptr;
        int code = mdb_cursor_open(transaction, environment_.tables().index, &opened);
        if (code != 0) {
            return code;
        }
        const CursorHandle cursor(opened);
        MDB_val key = value_of(from), value{};
        code = mdb_cursor_get(opened, &key, &value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
        for (; code == 0 && rows.size() < page_rows_max;
             code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
            Row row{.key = std::string(text_of(key)), .stamp = {}, .size = 0, .place = {}};
            if (skip_first && row.key == from) {
                continue;
            }
            if (row.key < (rows.empty() ? from : rows.back().key)) {
                return code_damaged; // A pointer that leads astray; it might lead in a circle.
            }
            MDB_val again = key, same{}; // Damaged pages above it can hide a row from look-ups.
            if (mdb_get(transaction, environment_.tables().index, &again, &same) != 0 ||
                same.mv_data != value.mv_data) {
                rows.push_back(std::move(row));
                continue;
            }
            if (const auto entry = decode_entry(bytes_of(row.key), bytes_of(text_of(value)))) {
                row.stamp = entry->stamp;
                row.size = entry->size();
                row.place =
                    entry->place() != nullptr ? std::optional(*entry->place()) : std::nullopt;
            }
            rows.push_back(std::move(row));
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return rows;
}

Result<void> Inspection::visit(const std::string& from,
                               const std::function<Result<void>(const Row&)>& visitor) {
    std::vector<Row> rows = TRY(rows_from(from, false));
    while (!rows.empty()) {
        for (const Row& row : rows) {
            TRY(visitor(row));
        }
        rows = TRY(rows_from(rows.back().key, true));
    }
    return {};
}

Result<std::optional<Damage>> Inspection::verify(const std::string& key) {
    const Result<Cid> cid = raw_cid_of(key);
    if (!cid) {
        return std::optional(
            Damage{.key = key,
                   .error = Error{Errc::hash_mismatch,
                                  "the key of a block is no multihash: " + cid.error().message}});
    }
    Result<std::optional<LentBytes>> block = table_.get(key);
    if (!block) {
        if (block.error().code != Errc::hash_mismatch) {
            return std::move(block).take_error();
        }
        return std::optional(Damage{.key = key, .error = std::move(block).take_error()});
    }
    if (!*block) {
        return std::optional<Damage>{};
    }
    if (Result<void> verified = cid->verify((*block)->view()); !verified) {
        return std::optional(Damage{.key = key, .error = std::move(verified).take_error()});
    }
    return std::optional<Damage>{};
}

Result<void> Inspection::drop(const std::string& key) {
    return environment_.transact(0, "removing a block", [&](MDB_txn* transaction) {
        const Tables& tables = environment_.tables();
        Accounts accounts(transaction, tables);
        std::optional<Entry> entry;
        int code = read_entry(transaction, tables.index, key, entry);
        if (code != 0 && code != code_damaged) {
            return code;
        }
        code = 0;
        if (entry) {
            accounts.remove_block(entry->size());
            if (const Place* place = entry->place()) {
                code = accounts.remove_record(*place);
            }
        }
        code = code != 0 ? code : erase_row(transaction, tables.index, key);
        return code != 0 ? code : accounts.write();
    });
}

} // namespace ic::embedded
