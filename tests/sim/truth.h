#pragma once
/// Truth: what really happens in a simulation, and the laws it must obey. The machines do not see
/// it.

#include "job/ids.h"
#include "job/message.h"
#include "sim/ledger.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ic::sim {

class Truth {
public:
    struct Job {
        bool impure = false;
        bool told_accepted = false;
        bool told_end = false;
        bool cancel_acknowledged = false;
        std::size_t submits_unanswered = 0;
        std::size_t running = 0;               ///< Guests on a processor.
        std::size_t alive = 0;                 ///< Guests that run or would go on.
        job::Epoch sent;                       ///< The greatest epoch of which a grant was sent.
        std::set<Bytes> receipts;              ///< Made by runs that came to their end.
        std::optional<job::LeaseRef> accepted; ///< Whose receipt ended it, as its worker was told.
        std::optional<job::Outcome> end;       ///< As it was told first.
    };

    Job& job(const Cid& id) { return jobs_[id]; }

    // Each is called when it happens.
    void guest_on(const Cid& id);
    void guest_off(const Cid& id);
    void run_started(const job::LeaseRef& lease);
    void run_completed(const job::LeaseRef& lease, const Bytes& receipt);
    void bid_sent(const job::Nonce& nonce);
    void grant_sent(const job::Grant& grant, const SimLedger& ledger);
    void accepted_said(const Cid& id, const SimLedger& ledger);
    void end_said(const job::Outcome& outcome, const SimLedger& ledger);
    void receipt_acknowledged(const job::LeaseRef& lease, const SimLedger& ledger);
    void end_written(const lease::FinishedRecord& record);

    /// After a loss of power, and at the end: nothing that was said is gone.
    void check_ledger(const SimLedger& ledger, const std::set<Cid>& jobs);

    void violation(std::string what);
    const std::vector<std::string>& violations() const { return violations_; }

    std::size_t runs = 0;
    std::size_t grants = 0;

private:
    void check_end(const job::Outcome& outcome, Job& it);

    std::map<Cid, Job> jobs_;
    std::map<job::LeaseRef, Bytes> receipt_of_;
    std::set<job::LeaseRef> leases_started_;
    std::set<job::LeaseRef> leases_granted_;
    std::set<job::Nonce> nonces_bid_;
    std::map<job::LeaseRef, job::Nonce> nonce_of_;
    std::set<job::Nonce> nonces_started_;
    std::vector<std::string> violations_;
};

} // namespace ic::sim
