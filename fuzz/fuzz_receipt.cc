/// Properties: a document that reads keeps its bytes; what was read encodes to a document that
/// reads as the same receipt.

#include "job/envelope.h"
#include "job/receipt.h"

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
    const Result<job::SignedReceipt> read = job::read_receipt(input);
    if (!read) {
        return 0;
    }
    require(std::ranges::equal(read->document, input));
    const Bytes part = job::signed_part(read->receipt);
    // The same bytes, but for fields that this version does not know and leaves out.
    require(part.size() <= input.size() - job::envelope::signed_part_at);
    Bytes document = copy_of(input.first(job::envelope::signed_part_at));
    document.insert(document.end(), part.begin(), part.end());
    const Result<job::SignedReceipt> again = job::read_receipt(document);
    require(again.ok() && again->receipt == read->receipt);
    return 0;
}
