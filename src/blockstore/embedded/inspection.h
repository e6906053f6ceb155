#pragma once
/// Inspection: every row of the index, sound or not. For this folder's sources.

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/embedded_store.h"
#include "blockstore/embedded/environment.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ic::embedded {

/// A row of the index, without its block.
struct Row {
    std::string key;
    std::optional<Stamp> stamp; ///< Nothing: the row is damaged, or a look-up does not find it.
    std::size_t size = 0;
    std::optional<Place> place; ///< Nothing: the block is in the row.
};

/// The CID that speaks of a multihash where no codec is known: version 1, raw, as Kubo names what
/// its blockstore holds. Errors: malformed (no multihash of ours).
Result<Cid> raw_cid_of(const std::string& key);

/// Threads: any.
class Inspection {
public:
    Inspection(Environment& environment, BlockTable& table)
        : environment_(environment)
        , table_(table) {}

    /// In the order of keys, from `from` on; the visitor runs outside any transaction.
    /// Errors: the visitor's; malformed if the table is not in order.
    Result<void> visit(const std::string& from,
                       const std::function<Result<void>(const Row&)>& visitor);

    /// Whether the block is what it should be; nothing if it is, or is gone. For a row that was
    /// visited without a stamp, it is not.
    Result<std::optional<Damage>> verify(const std::string& key);

    /// Removes a row whatever it says.
    Result<void> drop(const std::string& key);

private:
    Result<std::vector<Row>> rows_from(const std::string& from, bool skip_first);

    Environment& environment_;
    BlockTable& table_;
};

} // namespace ic::embedded
