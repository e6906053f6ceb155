/// Property: a cache that reads encodes to the bytes it was read from. The checksum at the end is
/// put right first, so that what is behind it is reached.

#include "importer/stat_cache.h"
#include "multiformats/multihash.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    Bytes input(data, data + size);
    if (size >= 32) {
        const Sha256Digest checksum = sha2_256(ByteView{input}.first(size - 32));
        std::ranges::copy(checksum, input.end() - 32);
    }
    const Result<importer::CacheContent> read = importer::decode_cache(input);
    if (read && importer::encode_cache(*read) != input) {
        std::abort();
    }
    return 0;
}
