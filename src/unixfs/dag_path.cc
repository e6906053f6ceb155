#include "unixfs/dag_path.h"

#include "ipld/codec.h"
#include "ipld/dag_pb.h"
#include "unixfs/data.h"
#include "unixfs/directory.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace ic::unixfs {
namespace {

constexpr std::string_view ipld_prefix = "/ipld/";

Error leads_nowhere(const Cid& cid, std::string_view name) {
    return {Errc::not_found, "no link named '" + std::string(name) + "' under " + cid.to_string()};
}

/// The item of a list, or the value of a key; nullptr if there is none.
const ipld::Node* step(const ipld::Node& node, const std::string& name) {
    const auto* list = node.as<ipld::List>();
    if (list == nullptr) {
        return node.find(name);
    }
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_index = error == std::errc{} && end == name.data() + name.size();
    return is_index && index < list->size() ? &(*list)[index] : nullptr;
}

/// The entry `name` of a directory; of DAG-PB that is no UnixFS, the link of that name.
Result<Cid> entry_of(BlockSource& source, const Cid& cid, const std::string& name) {
    const LentBytes block = TRY(fetch(source, cid));
    const dag_pb::Decoded decoded = TRY(dag_pb::decode(block.view()));
    const std::optional<ByteView>& message = decoded.node.data;
    const Result<Data> data =
        message ? decode_data(*message) : Error{Errc::malformed, "a node without data"};
    if (data && (data->type == DataType::directory || data->type == DataType::hamt_shard)) {
        return TRY(find_entry(source, cid, name)).cid;
    }
    if (data && (data->type == DataType::file || data->type == DataType::raw)) {
        return leads_nowhere(cid, name);
    }
    const auto link = std::ranges::find(decoded.node.links, name, &dag_pb::Link::name);
    if (link == decoded.node.links.end()) {
        return leads_nowhere(cid, name);
    }
    return link->cid;
}

/// What comes of names inside one block: the block behind the first link, and the names that are
/// left; or nothing, when all of them lead to a value of this block.
struct Crossing {
    Cid cid;
    std::span<const std::string> rest;
};

Result<std::optional<Crossing>>
cross(BlockSource& source, const Cid& cid, std::span<const std::string> names) {
    const LentBytes block = TRY(fetch(source, cid));
    const ipld::Node node = TRY(ipld::decode_as(cid.codec(), block.view()));
    const ipld::Node* at = &node;
    for (std::size_t index = 0; index < names.size(); ++index) {
        at = step(*at, names[index]);
        if (at == nullptr) {
            return leads_nowhere(cid, names[index]);
        }
        if (const Cid* link = at->as<Cid>()) {
            return std::optional<Crossing>({*link, names.subspan(index + 1)});
        }
    }
    return std::optional<Crossing>{};
}

} // namespace

Result<DagPath> DagPath::parse(std::string_view text) {
    if (!text.starts_with(ipld_prefix)) {
        return DagPath{.view = DagView::unixfs, .path = TRY(ContentPath::parse(text))};
    }
    text.remove_prefix(ipld_prefix.size());
    return DagPath{.view = DagView::fields, .path = TRY(ContentPath::parse(text))};
}

std::string DagPlace::to_string() const {
    std::string text = cid.to_string();
    for (const std::string& name : rest) {
        text += '/' + name;
    }
    return text;
}

Result<DagPlace> resolve_dag(BlockSource& source, const DagPath& path) {
    Cid cid = path.path.root;
    std::span<const std::string> names = path.path.names;
    while (!names.empty()) {
        if (cid.codec() == Codec::dag_pb && path.view == DagView::unixfs) {
            cid = TRY(entry_of(source, cid, names.front()));
            names = names.subspan(1);
            continue;
        }
        const std::optional<Crossing> crossing = TRY(cross(source, cid, names));
        if (!crossing) {
            break;
        }
        cid = crossing->cid;
        names = crossing->rest;
    }
    return DagPlace{.cid = cid, .rest = {names.begin(), names.end()}};
}

Result<ipld::Node> load_dag(BlockSource& source, const DagPlace& place) {
    const LentBytes block = TRY(fetch(source, place.cid));
    ipld::Node node = TRY(ipld::decode_as(place.cid.codec(), block.view()));
    for (const std::string& name : place.rest) {
        const ipld::Node* next = step(node, name);
        if (next == nullptr) {
            return leads_nowhere(place.cid, name);
        }
        node = ipld::Node(*next); // A copy first: `next` is a part of `node`.
    }
    return node;
}

} // namespace ic::unixfs
