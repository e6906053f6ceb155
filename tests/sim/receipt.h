#pragma once
/// What stands in the receipts of simulated runs.

#include "base/bytes.h"
#include "job/ids.h"

#include <cstdint>

namespace ic::sim {

/// Whether the run failed for a reason that may pass; the job; the epoch.
inline Bytes receipt_of(std::uint64_t job, const job::Epoch& epoch, bool passing) {
    return {static_cast<std::uint8_t>(passing ? 1 : 0),
            static_cast<std::uint8_t>(job),
            static_cast<std::uint8_t>(epoch.incarnation),
            static_cast<std::uint8_t>(epoch.n)};
}

inline bool may_pass(const Bytes& receipt) { return receipt.size() == 4 && receipt[0] == 1; }

/// Whether the document is what its sender says: of this lease. (Real ones are signed.)
inline bool is_of(const Bytes& receipt, std::uint64_t job, const job::Epoch& epoch) {
    return receipt == receipt_of(job, epoch, may_pass(receipt));
}

} // namespace ic::sim
