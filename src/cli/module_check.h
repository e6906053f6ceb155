#pragma once
/// What can be said of a job's module before the job is sent.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "job/spec.h"

#include <cstdint>

namespace ic::cli {

/// What is said of a module of `bytes` where `bytes_max` is the limit.
Error module_too_large(std::uint64_t bytes, std::uint64_t bytes_max);

/// Refuses a job whose module cannot run with those that it imports from, or has no such handler. A
/// module that is not whole in `store` is not fetched for this: whoever runs it will say the same.
/// Errors: module_too_large, module_invalid, import_missing, handler_missing, handler_signature;
/// usage (an import that nothing needs); each with what to change.
Result<void> check_module(BlockStore& store, const job::JobSpec& spec);

} // namespace ic::cli
