/// Property: an unsigned job that is read prints as JSON that reads as the same, and can be signed.

#include "job/unsigned_job.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    const Result<job::UnsignedJob> read = job::read_unsigned_job({data, size});
    if (!read) {
        return 0;
    }
    const Result<job::UnsignedJob> again = job::read_unsigned_job(job::print_unsigned_job(*read));
    if (!again || *again != *read) {
        std::abort();
    }
    const Result<job::Invocation> invocation =
        job::invocation_of(*read, {.peer = "12D3KooW", .seqno = {1}}, PublicKey{});
    if (!invocation || !job::check(*invocation)) {
        std::abort();
    }
    return 0;
}
