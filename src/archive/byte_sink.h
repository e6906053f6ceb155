#pragma once
/// ByteSink: where a stream of bytes goes.

#include "base/bytes.h"
#include "base/result.h"

namespace ic::archive {

/// Takes bytes in the order in which they are to stand. Threads: one at a time.
class ByteSink {
public:
    virtual ~ByteSink() = default;

    /// All of `bytes`, which are the caller's again after the call. Errors: the sink's own.
    virtual Result<void> write(ByteView bytes) = 0;
};

} // namespace ic::archive
