/// Properties: a document that reads keeps its bytes; what was read encodes to a document that
/// reads as the same job; and a second round changes nothing.

#include "job/envelope.h"
#include "job/invocation.h"

#include <algorithm>
#include <cstdlib>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    const ByteView input{data, size};
    const Result<job::SignedInvocation> read = job::read_invocation(input);
    if (!read) {
        return 0;
    }
    require(std::ranges::equal(read->document, input));
    const Bytes part = job::signed_part(read->invocation);
    // The very bytes again, but for a meta that was partly left to defaults or had unknown fields.
    Bytes document = copy_of(input.first(job::envelope::signed_part_at));
    document.insert(document.end(), part.begin(), part.end());
    const Result<job::SignedInvocation> again = job::read_invocation(document);
    if (!again) {
        // Only defaults that had been left out can have made it too large.
        require(again.error().code == Errc::too_large);
        return 0;
    }
    require(again->invocation == read->invocation);
    require(job::signed_part(again->invocation) == part);
    require(job::ids_of(*again).task == job::ids_of(*read).task);
    return 0;
}
