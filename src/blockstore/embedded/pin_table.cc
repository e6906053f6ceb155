#include "blockstore/embedded/pin_table.h"

#include "blockstore/embedded/records.h"
#include "blockstore/embedded/rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ic::embedded {
namespace {

/// Read in one transaction; the visitor runs outside it.
constexpr std::size_t page_pins_max = 512;

Result<void> check_name(const Pin& pin) {
    if (pin.name.size() > ic::limits::pin_name_bytes_max) {
        return Error{Errc::too_large,
                     "pin name is " + std::to_string(pin.name.size()) + " bytes (max " +
                         std::to_string(ic::limits::pin_name_bytes_max) + " bytes)"};
    }
    return {};
}

} // namespace

Result<void> PinTable::add(const Pin& pin) {
    TRY(check_name(pin));
    return committer_.change_pins({.removed = std::nullopt, .added = pin});
}

Result<void> PinTable::remove(const Cid& cid) {
    return committer_.change_pins({.removed = cid, .added = std::nullopt});
}

Result<void> PinTable::replace(const Cid& from, const Pin& to) {
    TRY(check_name(to));
    return committer_.change_pins({.removed = from, .added = to});
}

Result<std::optional<Pin>> PinTable::find(const Cid& cid) {
    std::optional<Pin> pin;
    TRY(environment_.transact(MDB_RDONLY, "looking for a pin", [&](MDB_txn* transaction) {
        pin.reset();
        MDB_val key = value_of(ic::text_of(cid.bytes())), value{};
        const int code = mdb_get(transaction, environment_.tables().pins, &key, &value);
        if (code != 0) {
            return code == MDB_NOTFOUND ? 0 : code;
        }
        pin = decode_pin(cid.bytes(), bytes_of(text_of(value)));
        return pin ? 0 : code_damaged;
    }));
    return pin;
}

Result<PinTable::Page> PinTable::page_after(const std::optional<std::string>& after) {
    Page page;
    const std::string from = after.value_or("");
    TRY(environment_.transact(MDB_RDONLY, "reading pins", [&](MDB_txn* transaction) {
        page = {};
        const MDB_dbi table = environment_.tables().pins;
        MDB_cursor* opened = nullptr;
        int code = mdb_cursor_open(transaction, table, &opened);
        if (code != 0) {
            return code;
        }
        const CursorHandle cursor(opened);
        MDB_val key = value_of(from), value{};
        code = mdb_cursor_get(opened, &key, &value, after ? MDB_SET_RANGE : MDB_FIRST);
        for (std::size_t count = 0; code == 0 && count < page_pins_max;
             code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
            const std::string_view name = text_of(key);
            if (after && name == *after) {
                continue;
            }
            if (const auto& before = page.last ? page.last : after; before && name < *before) {
                return code_damaged; // A pointer that leads astray; it might lead in a circle.
            }
            ++count;
            page.last = name;
            MDB_val again = key, same{}; // Damage of its page can hide a pin from look-ups.
            const bool is_found =
                mdb_get(transaction, table, &again, &same) == 0 && same.mv_data == value.mv_data;
            std::optional<Pin> pin = decode_pin(bytes_of(name), bytes_of(text_of(value)));
            if (pin && is_found) {
                page.pins.push_back(std::move(*pin));
            } else {
                page.damaged.emplace_back(name);
            }
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return page;
}

Result<void> PinTable::visit(const Visitor& visitor) {
    std::size_t damaged = 0;
    for (Page page = TRY(page_after({})); page.last; page = TRY(page_after(page.last))) {
        for (const Pin& pin : page.pins) {
            TRY(visitor(pin));
        }
        damaged += page.damaged.size();
    }
    if (damaged != 0) {
        return Error{Errc::malformed,
                     std::to_string(damaged) + " pins in " + environment_.folder() +
                         " are damaged; 'ipfs-compute repo verify' lists them"};
    }
    return {};
}

Result<std::vector<std::string>> PinTable::damaged() {
    std::vector<std::string> keys;
    std::size_t seen = 0;
    for (Page page = TRY(page_after({})); page.last; page = TRY(page_after(page.last))) {
        seen += page.pins.size() + page.damaged.size();
        std::ranges::move(page.damaged, std::back_inserter(keys));
    }
    std::size_t counted = 0;
    TRY(environment_.transact(MDB_RDONLY, "counting pins", [&](MDB_txn* transaction) {
        MDB_stat stat{};
        const int code = mdb_stat(transaction, environment_.tables().pins, &stat);
        counted = stat.ms_entries;
        return code;
    }));
    if (seen < counted) { // Or others pin right now: then it is said once too often.
        return Error{Errc::malformed,
                     "the tables in " + environment_.folder() + " count " +
                         std::to_string(counted) + " pins and list " + std::to_string(seen)};
    }
    return keys;
}

Result<void> PinTable::drop(const std::string& key) {
    return environment_.transact(0, "removing a pin", [&](MDB_txn* transaction) {
        return erase_row(transaction, environment_.tables().pins, key);
    });
}

} // namespace ic::embedded
