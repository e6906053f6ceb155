#include "kubo/dag.h"

#include "base/text.h"
#include "kubo/answer.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ic::kubo {
namespace {

using nlohmann::json;

/// Kubo says so where a block has another hash than its CID.
Error with_hash_mismatch(Error error) {
    if (error.message.find("mismatch in content integrity") != std::string::npos) {
        error.code = Errc::hash_mismatch;
    }
    return error;
}

/// `{"Root":{"Cid":{"/":...},"PinErrorMsg":""}}`, of which `missing` loses the CID.
Result<void> take_root(const json& root, std::vector<Cid>& missing, std::string_view where) {
    if (!root.is_object() || !root.contains("Cid") || !root["Cid"].is_object()) {
        return no_kubo(where, "a root without a CID");
    }
    const Cid cid = TRY(cid_field(root["Cid"], "/", where));
    const auto failure = root.find("PinErrorMsg");
    if (failure != root.end() && failure->is_string() && !failure->get<std::string>().empty()) {
        return Error{Errc::cid_unavailable,
                     std::string(where) + ": " + cid.to_string() +
                         " is not pinned: " + printable(failure->get<std::string>())};
    }
    std::erase(missing, cid);
    return {};
}

Result<ImportedDag> read_import(RpcAnswer& answer, std::vector<Cid> missing) {
    ImportedDag imported;
    while (const std::optional<json> object = TRY(next_object(answer))) {
        if (const auto root = object->find("Root"); root != object->end() && !root->is_null()) {
            TRY(take_root(*root, missing, answer.where()));
        }
        if (const auto stats = object->find("Stats");
            stats != object->end() && stats->is_object()) {
            imported.blocks = TRY(number_field(*stats, "BlockCount", answer.where()));
            imported.bytes = TRY(number_field(*stats, "BlockBytesCount", answer.where()));
        }
    }
    if (!missing.empty()) {
        return Error{Errc::cid_unavailable,
                     answer.where() + ": " + missing.front().to_string() +
                         " is not pinned: Kubo did not name it as a root"};
    }
    return imported;
}

} // namespace

Result<ImportedDag> dag_import(Rpc& rpc, const DagImport& import) {
    const RpcCall call{
        .command = "dag/import",
        .query = {{"pin-roots", import.roots.empty() ? "false" : "true"}, {"stats", "true"}},
        .part = "file",
        .produce = import.car,
        .total_time_max = import.time_max,
        .stop = import.stop};
    Result<std::unique_ptr<RpcAnswer>> answer = rpc.begin(call);
    if (!answer) {
        return with_hash_mismatch(std::move(answer).take_error());
    }
    Result<ImportedDag> imported = read_import(**answer, import.roots);
    return imported ? std::move(imported) : with_hash_mismatch(std::move(imported).take_error());
}

Result<std::unique_ptr<RpcAnswer>>
dag_export(Rpc& rpc, const Cid& root, const Reach& reach, Stop stop) {
    RpcCall call{.command = "dag/export",
                 .query = {{"arg", root.to_string()}, {"progress", "false"}},
                 .repeat = Repeat::harmless,
                 .answer_bytes_max = std::numeric_limits<std::uint64_t>::max(),
                 .kubo_failed = Errc::cid_unavailable,
                 .stop = std::move(stop)};
    set_reach(call, reach);
    return rpc.begin(call);
}

} // namespace ic::kubo
