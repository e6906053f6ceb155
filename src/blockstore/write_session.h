#pragma once
/// WriteSession: keeps what is being added from being collected before anything names it.

#include "base/result.h"
#include "multiformats/cid.h"

namespace ic {

/// Held while content is added, until something lasting names it (a pin, a receipt). While one
/// lives, no collection of any process takes a block that this process puts or protects: new ones,
/// and those that were there already. It costs a put nothing but for blocks of before the session,
/// which are stamped anew.
///
/// Ends with the object, or with the process, whichever is first: a killed process holds nothing.
/// Threads: any, and several sessions at once. Lifetime: the store must outlive it.
class WriteSession {
public:
    WriteSession() = default;
    WriteSession(const WriteSession&) = delete;
    WriteSession& operator=(const WriteSession&) = delete;
    virtual ~WriteSession() = default;

    /// Keeps a block that is here already, for who links to it without putting it. In force when
    /// `confirm` has returned without an error: a collection that began before may take it until
    /// then. Errors: not_found, of this block alone; as the store's `put`.
    virtual Result<void> protect(const Cid& cid) = 0;

    /// All that was protected before is here and stays. To be called before anything lasting names
    /// it; a `sync` or a pin says nothing of what was taken. Errors: not_found while a block that
    /// was protected is gone and was not put again; as the store's `sync`.
    virtual Result<void> confirm() = 0;
};

} // namespace ic
