#pragma once
/// BatchWriter: one batch into one transaction. For block_table.cc.

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/rows.h"

#include <optional>
#include <string>
#include <vector>

namespace ic::embedded {

/// All functions give 0, LMDB's code, or one of environment.h. Lifetime: within the transaction.
class BatchWriter {
public:
    BatchWriter(MDB_txn* transaction, const Tables& tables)
        : transaction_(transaction)
        , tables_(tables)
        , accounts_(transaction, tables) {}

    /// The keys of protected blocks that are gone are in `gone`; the rest is written.
    int write(const Batch& batch, std::optional<Stamp> safe_from, std::vector<std::string>& gone);

    /// What the rules of pins refuse is in `change.refusal`, not in the code.
    int change_pins(PinChange& change);

private:
    int write_block(const std::string& key, const Waiting& block, std::vector<std::string>& gone);
    int write_fresh(const std::string& key, const Waiting& block, const Entry* old);
    int put_inline(const std::string& key, ByteView data);
    int put_place(const std::string& key, const Place& place);
    int put_file_place(const std::string& key, const FilePlace& place);
    int stamp_anew(const std::string& key, const Entry& old);
    int find_pin(const Cid& cid, std::optional<Pin>& pin);

    MDB_txn* transaction_;
    const Tables& tables_;
    Accounts accounts_;
    Stamp stamp_ = 0;
    std::optional<Stamp> safe_from_;
};

} // namespace ic::embedded
