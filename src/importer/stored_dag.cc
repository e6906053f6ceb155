#include "importer/stored_dag.h"

#include "ipld/links.h"

#include <utility>
#include <vector>

namespace ic::importer {
namespace {

bool says_missing(const Error& error) {
    return error.code == Errc::not_found || error.code == Errc::cid_unavailable ||
           error.code == Errc::hash_mismatch;
}

} // namespace

Result<bool> protect_dag(BlockStore& store, WriteSession& session, const Cid& root) {
    std::vector<Cid> waiting{root};
    while (!waiting.empty()) {
        const Cid cid = std::move(waiting.back());
        waiting.pop_back();
        if (cid.hash() != HashCode::identity) {
            Result<void> is_protected = session.protect(cid);
            if (!is_protected && says_missing(is_protected.error())) {
                return false;
            }
            TRY(std::move(is_protected));
        }
        if (cid.codec() == Codec::raw) {
            continue;
        }
        const Result<LentBytes> block = fetch(store, cid);
        if (!block && says_missing(block.error())) {
            return false;
        }
        if (!block) {
            return block.error();
        }
        for (Cid& link : TRY(ipld::links_of(cid.codec(), block->view()))) {
            waiting.push_back(std::move(link));
        }
    }
    return true;
}

} // namespace ic::importer
