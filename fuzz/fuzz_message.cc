/// Property: what decodes, encodes to bytes that decode to the same message; the same bytes, unless
/// it had fields that this version does not know.

#include "job/message.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    const Result<job::Message> read = job::decode({data, size});
    if (!read) {
        return 0;
    }
    const Bytes bytes = job::encode(*read);
    const Result<job::Message> again = job::decode(bytes);
    if (bytes.size() > size || !again || !(*again == *read)) {
        std::abort();
    }
    return 0;
}
