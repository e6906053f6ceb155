/// Whatever a gateway sends as a CAR, only blocks of the DAG that was asked for come out of it, in
/// whatever pieces it arrives; and what came out is a CAR that gives the same again.

#include "car/dag_stream.h"
#include "car/writer.h"
#include "ipld/links.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace {

using ic::Bytes;
using ic::ByteView;
using ic::Cid;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

class Pieces final : public ic::car::ByteStream {
public:
    Pieces(ByteView rest, std::size_t piece) : rest_(rest), piece_(piece) {}

    ic::Result<std::size_t> read(std::span<std::uint8_t> into) override {
        const std::size_t count = std::min({into.size(), rest_.size(), piece_});
        std::ranges::copy(rest_.first(count), into.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

private:
    ByteView rest_;
    std::size_t piece_;
};

struct Outcome {
    std::vector<ic::Block> blocks;
    std::optional<ic::Errc> error;
};

Outcome outcome_of(ByteView car, const Cid& root, std::size_t piece) {
    Outcome outcome;
    ic::car::DagStream stream(
        std::make_unique<Pieces>(car, piece), root, [](const Cid&) { return false; });
    for (;;) {
        ic::Result<std::optional<ic::Block>> block = stream.next();
        if (!block) {
            outcome.error = block.error().code;
            return outcome;
        }
        if (!*block) {
            return outcome;
        }
        outcome.blocks.push_back(std::move(**block));
    }
}

bool are_same(const Outcome& left, const Outcome& right) {
    return left.error == right.error &&
           std::ranges::equal(left.blocks, right.blocks, {}, &ic::Block::cid, &ic::Block::cid);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView car(data, size);
    // The root that is asked for: the first one that the CAR names, so that inputs get further.
    ByteView body = car;
    ic::car::Decoder header(ic::car::Hashing::caller);
    static_cast<void>(header.take(body).ok());
    if (!header.header() || header.header()->roots.empty()) {
        static_cast<void>(outcome_of(car, Cid(), 1000));
        return 0;
    }
    const Cid root = header.header()->roots.front();
    const Outcome whole = outcome_of(car, root, 100'000);
    require(are_same(whole, outcome_of(car, root, 7)));

    std::set<Cid> linked{root.as_v1()};
    const std::vector<Cid> roots{root};
    Bytes again = ic::car::encode_header(roots);
    for (const ic::Block& block : whole.blocks) {
        require(block.cid.verify(block.data.view()).ok());
        require(linked.contains(block.cid.as_v1()));
        if (const auto links = ic::ipld::links_of(block.cid.codec(), block.data.view())) {
            for (const Cid& link : *links) {
                linked.insert(link.as_v1());
            }
        }
        const Bytes head = ic::car::section_head(block.cid, block.data.size());
        again.insert(again.end(), head.begin(), head.end());
        again.insert(again.end(), block.data.view().begin(), block.data.view().end());
    }
    const Outcome second = outcome_of(again, root, 100'000);
    require(!second.error && are_same(second, {.blocks = whole.blocks, .error = std::nullopt}));
    return 0;
}
