#include "base/file.h"
#include "cli/dag.h"
#include "ipld/codec.h"
#include "multiformats/multicodec.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

/// Ours: JSON of a block of 2 MiB, with room for base64 and escapes.
constexpr std::size_t input_bytes_max = std::size_t{8} << 20U;

struct PutOptions {
    std::vector<std::string> paths;
    std::string input_codec = "dag-json";
    std::string store_codec = "dag-cbor";
    std::string hash = "sha2-256";
    bool pin = false;
};

Result<Bytes> read_input(const std::string& path) {
    std::optional<Bytes> data =
        TRY(read_file_if_exists(path == "-" ? "/dev/stdin" : path, input_bytes_max));
    if (!data) {
        return Error{Errc::not_found, "there is no file " + path};
    }
    return std::move(*data);
}

/// The block that the input says, and its CID.
Result<Block> made(const PutOptions& options, const Bytes& input) {
    const Codec input_codec = TRY(codec_of_flag("--input-codec", options.input_codec));
    const Codec store_codec = TRY(codec_of_flag("--store-codec", options.store_codec));
    const HashCode hash = TRY(hash_of_flag("--hash", options.hash));
    Bytes data = TRY(ipld::encode_as(store_codec, TRY(ipld::decode_as(input_codec, input))));
    if (data.size() > ic::limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "the block has " + std::to_string(data.size()) + " bytes; at most " +
                         std::to_string(ic::limits::block_bytes_max) +
                         " can be exchanged with others: split it and link the parts"};
    }
    const Cid cid = TRY(cid_of_block(store_codec, hash, data));
    return Block{cid, LentBytes::of(std::move(data))};
}

Result<int> put(Context& context, const PutOptions& options) {
    wiring::Stores* stores = TRY(context.open_stores());
    const std::unique_ptr<WriteSession> session = TRY(stores->local().begin_session());
    std::vector<std::string> paths = options.paths;
    if (paths.empty()) {
        paths.emplace_back("-");
    }
    std::vector<Cid> cids;
    for (const std::string& path : paths) {
        Result<Block> block = made(options, TRY(read_input(path)));
        if (!block) {
            return std::move(block).take_error().during(path == "-" ? "standard input" : path);
        }
        TRY(stores->local().put(block->cid, block->data.view()));
        cids.push_back(block->cid);
    }
    TRY(stores->local().sync());
    for (const Cid& cid : cids) {
        if (options.pin) {
            TRY(stores->pins().add({.cid = cid, .kind = PinKind::recursive}));
        }
        const std::string text = cid.to_string();
        TRY(context.streams.print(context.json ? nlohmann::json{{"cid", text}}.dump() + "\n"
                                               : text + "\n"));
    }
    return 0;
}

} // namespace

void add_dag_put(Command& dag, Context& context) {
    Command* command = dag.add_subcommand("put", "Store a node and print its CID");
    auto options = std::make_shared<PutOptions>(); // Kept by the action.
    command->add_option("FILE", options->paths, "Files; '-' or none: standard input");
    command->add_option("--input-codec", options->input_codec, "What the input is (dag-json)")
        ->type_name("NAME");
    command->add_option("--store-codec", options->store_codec, "What the block is to be (dag-cbor)")
        ->type_name("NAME");
    command
        ->add_option("--hash", options->hash, "sha2-256, sha2-512, blake3 or identity (sha2-256)")
        ->type_name("NAME");
    command->add_flag("--pin", options->pin, "Pin the node, with all that it links to");
    context.add_json(*command);
    command->footer(
        "Codecs: dag-json, dag-cbor, dag-pb, raw, json and cbor. The CIDs are those of\n"
        "'ipfs dag put'.\n\n"
        "Examples:\n"
        "  echo '{\"a\":[1,2,{\"/\":\"CID\"}]}' | ipfs-compute dag put\n"
        "  ipfs-compute dag put --store-codec dag-json node.json\n"
        "  ipfs-compute dag put --input-codec dag-cbor --pin node.cbor");
    context.on_run(*command, [&context, options] { return put(context, *options); });
}

} // namespace ic::cli
