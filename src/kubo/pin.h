#pragma once
/// `pin/...`: what a Kubo keeps. Recursive pins alone.

#include "base/result.h"
#include "kubo/reach.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <functional>
#include <optional>
#include <string>

namespace ic::kubo {

/// `pin/add`: Kubo fetches what it lacks of the DAG, within `reach`. `name` may be empty.
/// Errors beside those of Rpc: cid_unavailable if Kubo does not get all of it.
Result<void>
pin_add(Rpc& rpc, const Cid& cid, const std::string& name, const Reach& reach, Stop stop = {});

/// `pin/rm`. Errors beside those of Rpc: not_found if it is not pinned, or not by itself.
Result<void> pin_remove(Rpc& rpc, const Cid& cid, Stop stop = {});

struct Pin {
    std::string type; ///< "recursive", "direct", "indirect through ...".
    std::string name; ///< Empty if it has none.
};

/// `pin/ls` of one CID; nothing if it is not pinned.
Result<std::optional<Pin>> pin_of(Rpc& rpc, const Cid& cid, Stop stop = {});

/// `pin/ls` of all recursive pins, in Kubo's order, as they arrive. Errors beside those of Rpc:
/// what `take` says, which ends the call.
Result<void>
pin_each(Rpc& rpc, const std::function<Result<void>(const Cid&, const Pin&)>& take, Stop stop = {});

} // namespace ic::kubo
