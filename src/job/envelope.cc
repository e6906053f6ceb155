#include "job/envelope.h"

#include "ipld/dag_cbor.h"
#include "job/text.h"

#include <algorithm>
#include <cassert>

namespace ic::job::envelope {

Bytes signed_part(std::string_view tag, ipld::Map payload) {
    ipld::Map map;
    map.reserve(2);
    map.emplace_back("h", Bytes(varsig_header.begin(), varsig_header.end()));
    map.emplace_back(std::string(tag), std::move(payload));
    return dag_cbor::encode(ipld::Node{std::move(map)});
}

Bytes seal(ByteView signed_part, const PrivateKey& key) {
    const Signature signature = key.sign(signed_part);
    Bytes document;
    document.reserve(signed_part_at + signed_part.size());
    document.insert(document.end(), head.begin(), head.end());
    document.insert(document.end(), signature.begin(), signature.end());
    document.insert(document.end(), signed_part.begin(), signed_part.end());
    return document;
}

Result<Opened> open(ByteView document, std::string_view tag) {
    if (document.size() <= signed_part_at ||
        !std::ranges::equal(document.first(head.size()), head)) {
        return Error{Errc::malformed, "the document does not begin as a signed envelope"};
    }
    ipld::Node node = TRY(dag_cbor::decode(document.subspan(signed_part_at)));
    const auto* map = node.as<ipld::Map>();
    if (map == nullptr || map->size() != 2 || (*map)[0].first != "h") {
        return Error{Errc::malformed, "the signed part is not {\"h\": ..., tag: ...}"};
    }
    const auto* header = (*map)[0].second.as<Bytes>();
    if (header == nullptr || !std::ranges::equal(*header, varsig_header)) {
        return Error{Errc::unsupported, "the signature is not Ed25519 over dag-cbor"};
    }
    const std::string& name = (*map)[1].first;
    if (name != tag) {
        const bool other_version = name.starts_with(tag.substr(0, tag.find('@') + 1));
        return Error{other_version ? Errc::unsupported : Errc::malformed,
                     "the document is '" + fit_text(name, 64) + "', not '" + std::string(tag) +
                         "'"};
    }
    return Opened{std::move(node)};
}

Result<void> verify(ByteView document, const PublicKey& signer) {
    assert(document.size() > signed_part_at);
    Signature signature;
    std::ranges::copy(document.subspan(head.size(), signature.size()), signature.begin());
    return signer.verify(document.subspan(signed_part_at), signature);
}

} // namespace ic::job::envelope
