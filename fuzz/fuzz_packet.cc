/// Properties: what was read encodes to a packet that reads as the same; without fields that this
/// version does not know, to the same bytes.

#include "job/envelope.h"
#include "job/packet.h"

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
    const Result<job::Packet> read = job::read_packet(input);
    if (!read) {
        return 0;
    }
    const Bytes part = job::signed_part(*read);
    require(part.size() <= size - job::envelope::signed_part_at);
    Bytes bytes = copy_of(input.first(job::envelope::signed_part_at));
    bytes.insert(bytes.end(), part.begin(), part.end());
    const Result<job::Packet> again = job::read_packet(bytes);
    require(again.ok() && *again == *read);
    for (const Bytes& message : read->messages) {
        if (const Result<job::Message> decoded = job::decode(message)) {
            require(job::decode(job::encode(*decoded)).ok());
        }
    }
    return 0;
}
