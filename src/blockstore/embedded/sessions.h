#pragma once
/// Sessions: what a collection must know of the processes that are adding. Format:
/// docs/formats/store.md.

#include "base/result.h"
#include "base/unique_fd.h"
#include "blockstore/embedded/records.h"

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <utility>

namespace ic::embedded {

/// The write sessions of this process, and the file that tells other processes of them: one a
/// process, locked while it lives, with the stamp from which on nothing may be collected. A file
/// that is not locked belongs to a dead process and says nothing.
///
/// Why no block that a session counts on is ever taken: the file says `since` before `from` is read
/// from the store, and a collection writes its own stamp into the store before it reads the files.
/// So either it sees `since`, and takes nothing stamped later; or `from` is later than its stamp,
/// and so is every block that the session does not stamp anew.
/// Threads: any.
class Sessions {
public:
    explicit Sessions(std::string folder) : folder_(std::move(folder)) {}
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;
    ~Sessions();

    struct Session {
        Stamp since = 0; ///< Nothing stamped from here on is collected.
        Stamp from = 0;  ///< What is stamped from here on need not be stamped anew.
    };

    using Handle = std::list<Session>::iterator;
    /// The store's next stamp.
    using NextStamp = std::function<Result<Stamp>()>;

    /// Errors: as the file system and `next_stamp` give them.
    Result<Handle> begin(const NextStamp& next_stamp);
    void end(Handle session);

    /// From which stamp on a block is safe for each session of this process; nothing without one.
    std::optional<Stamp> safe_from() const;

    /// The earliest `since` of all living sessions of all processes, or `otherwise`. Removes the
    /// files of dead processes. Errors: as the file system gives them.
    Result<Stamp> earliest(Stamp otherwise) const;

private:
    Result<void> make_file();
    /// Writes the earliest `since` of all.
    Result<void> write();

    const std::string folder_;
    mutable std::mutex mutex_;
    std::list<Session> sessions_; ///< In the order of their beginning.
    UniqueFd file_;               ///< Made for the first session.
    std::string path_;            ///< Of that file.
    Stamp said_ = 0;              ///< What stands in it.
};

} // namespace ic::embedded
