#include "car/header.h"
#include "ipld/dag_cbor.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

namespace ic::car {
namespace {

using ipld::List;
using ipld::Map;

const Cid root = cid_of(Codec::dag_pb, bytes_of("root"));

Errc code(const ipld::Node& node) { return decode_header(dag_cbor::encode(node)).error().code; }

// CARv1 specification, "Header": the length 0x3a, then {roots: [CID], version: 1}.
TEST(CarHeader, IsWhatTheSpecificationShows) {
    const Bytes header = encode_header({&root, 1});
    Bytes expected = from_hex("3a a2 65 726f6f7473 81 d82a 5825 00");
    expected.insert(expected.end(), root.bytes().begin(), root.bytes().end());
    const Bytes tail = from_hex("67 76657273696f6e 01");
    expected.insert(expected.end(), tail.begin(), tail.end());
    EXPECT_EQ(header, expected);
}

TEST(CarHeader, ComesBack) {
    const std::vector<Cid> roots{root, Cid{}, cid_of(Codec::raw, bytes_of("other"))};
    EXPECT_EQ(*decode_header(ByteView{encode_header(roots)}.subspan(1)), (Header{1, roots}));
    EXPECT_EQ(*decode_header(ByteView{encode_header({})}.subspan(1)), (Header{1, {}}));
}

// CARv2 specification, "Pragma".
TEST(CarHeader, TellsThePragmaOfVersion2) {
    EXPECT_EQ(*decode_header(from_hex("a1 67 76657273696f6e 02")), (Header{2, {}}));
}

TEST(CarHeader, RefusesOtherForms) {
    EXPECT_EQ(code(Map{{"version", 3UL}, {"roots", List{}}}), Errc::unsupported);
    EXPECT_EQ(code(Map{{"version", 1UL}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"roots", List{}}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"version", "1"}, {"roots", List{}}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"version", 1UL}, {"roots", List{"x"}}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"version", 1UL}, {"roots", ipld::Node{}}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"version", 1UL}, {"roots", List{}}, {"more", 1UL}}), Errc::malformed);
    EXPECT_EQ(code(Map{{"version", 2UL}, {"roots", List{}}}), Errc::malformed);
    EXPECT_EQ(code(List{}), Errc::malformed);
}

TEST(CarHeader, RefusesWhatIsNotCanonical) {
    EXPECT_EQ(decode_header(from_hex("a2 67 76657273696f6e 01 65 726f6f7473 80")).error().code,
              Errc::malformed)
        << "keys out of order";
    EXPECT_EQ(decode_header(from_hex("a2 65 726f6f7473 80 67 76657273696f6e 1801")).error().code,
              Errc::malformed)
        << "an integer that is not the shortest";
    EXPECT_EQ(decode_header({}).error().code, Errc::malformed);
}

} // namespace
} // namespace ic::car
