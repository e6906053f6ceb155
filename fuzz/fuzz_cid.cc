/// Properties: a CID that is read keeps its bytes, is made again from its parts, and comes back
/// from its text; text that parses names the same CID as its canonical text.

#include "multiformats/cid.h"

#include <algorithm>
#include <cstdlib>

namespace {

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void check(const ic::Cid& cid) {
    const ic::Result<ic::Cid> again = ic::Cid::parse(cid.to_string());
    require(again.ok() && *again == cid);
    require(cid == (cid.version() == 0 ? ic::Cid::v0(cid.digest())
                                       : ic::Cid::v1(cid.codec(), cid.hash(), cid.digest())));
    require(std::ranges::equal(cid.as_v1().multihash(), cid.multihash()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView whole{data, size};
    ic::ByteView rest = whole;
    const ic::Result<ic::Cid> binary = ic::Cid::take(rest);
    require(binary.ok() || rest.size() == whole.size());
    if (binary) {
        require(std::ranges::equal(binary->bytes(), whole.first(size - rest.size())));
        check(*binary);
    }
    const ic::Result<ic::Cid> text = ic::Cid::parse(ic::text_of(whole));
    if (text) {
        check(*text);
    }
    return 0;
}
