#pragma once
/// The bytes of a module that lives on IPFS.

#include "base/bytes.h"
#include "base/result.h"
#include "executor/executor.h"
#include "ipld/block.h"

#include <cstdint>

namespace ic::executor::process {

/// Reads the module, a raw block or a UnixFS file, whole. Asks `permit` between blocks.
/// Errors: module_too_large beyond `bytes_max`; module_invalid if the CID is no file; as the
/// source; a stop reason of `permit`.
Result<Bytes>
read_module(BlockSource& source, const Cid& cid, std::uint64_t bytes_max, const Permit& permit);

} // namespace ic::executor::process
