#include "lease/rendezvous.h"

#include <algorithm>
#include <limits>

namespace ic::lease {
namespace {

/// The last 8 bytes: a digest has no structure there, a key only the sign bit of a coordinate.
std::uint64_t last_bytes(ByteView bytes) {
    std::uint64_t bits = 0;
    for (const std::uint8_t byte : bytes.last(std::min<std::size_t>(bytes.size(), 8))) {
        bits = bits << 8U | byte;
    }
    return bits;
}

} // namespace

std::uint64_t rendezvous_bits(const Cid& job) { return last_bytes(job.digest()); }

std::uint64_t rendezvous_bits(const PublicKey& worker) {
    return last_bytes(ByteView{worker.bytes});
}

std::uint64_t rendezvous_threshold(const RendezvousOptions& options, std::uint32_t heard_before) {
    constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
    if (options.workers <= options.bidders) {
        return all;
    }
    const std::uint64_t first = all / options.workers * options.bidders;
    const std::uint32_t rises = heard_before > 0 ? heard_before - 1 : 0;
    return rises >= 64 || first > all >> rises ? all : first << rises;
}

} // namespace ic::lease
