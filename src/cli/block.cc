#include "base/file.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/dag.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

/// A block, from a file or ("-") from standard input.
Result<Bytes> read_block(const std::string& path) {
    const bool is_input = path == "-";
    std::optional<Bytes> data =
        TRY(read_file_if_exists(is_input ? "/dev/stdin" : path, limits::block_bytes_max));
    if (!data) {
        return Error{Errc::not_found, "there is no file " + path};
    }
    return std::move(*data);
}

void add_block_get(Command& block, Context& context) {
    Command* command = block.add_subcommand("get", "Print the bytes of a block");
    auto cid = std::make_shared<std::string>(); // Kept by the action; so below.
    command->add_option("CID", *cid)->required();
    context.add_gateways(*command);
    command->footer("Examples:\n  ipfs-compute block get CID > block");
    context.on_run(*command, [&context, cid]() -> Result<int> {
        const Cid wanted = TRY(Cid::parse(*cid));
        const LentBytes data = TRY(TRY(context.open_stores())->blocks().get(wanted));
        TRY(context.streams.print(text_of(data.view())));
        return 0;
    });
}

struct PutOptions {
    std::vector<std::string> paths;
    std::string codec = "raw";
    std::string hash = "sha2-256";
    bool pin = false;
};

Result<int> put(Context& context, PutOptions options) {
    const Codec codec = TRY(codec_of_flag("--cid-codec", options.codec));
    const HashCode hash = TRY(hash_of_flag("--mhtype", options.hash));
    if (options.paths.empty()) {
        options.paths.emplace_back("-");
    }
    wiring::Stores* const stores = TRY(context.open_stores());
    const std::unique_ptr<WriteSession> session = TRY(stores->local().begin_session());
    std::vector<Cid> cids;
    for (const std::string& path : options.paths) {
        const Bytes data = TRY(read_block(path));
        cids.push_back(TRY(cid_of_block(codec, hash, data)));
        TRY(stores->local().put(cids.back(), data));
    }
    TRY(stores->local().sync());
    for (const Cid& cid : cids) {
        if (options.pin) {
            TRY(stores->pins().add({.cid = cid, .kind = PinKind::recursive}));
        }
        TRY(context.streams.print(cid.to_string() + "\n"));
    }
    return 0;
}

void add_block_put(Command& block, Context& context) {
    Command* command = block.add_subcommand("put", "Store blocks and print their CIDs");
    auto options = std::make_shared<PutOptions>();
    command->add_option(
        "FILE", options->paths, "Files of 2 MiB at most; '-' or none: standard input");
    command
        ->add_option("--cid-codec,--codec",
                     options->codec,
                     "What the CID says that the bytes are: raw, dag-pb, dag-cbor, ... (raw)")
        ->type_name("NAME");
    command
        ->add_option("--mhtype", options->hash, "sha2-256, sha2-512, blake3 or identity (sha2-256)")
        ->type_name("NAME");
    command->add_flag("--pin", options->pin, "Pin each, with all that it links to");
    command->footer("The bytes are not looked at. The CIDs are those of 'ipfs block put'.\n\n"
                    "Examples:\n  echo hello | ipfs-compute block put\n"
                    "  ipfs-compute block put --cid-codec dag-cbor --pin node");
    context.on_run(*command, [&context, options] { return put(context, *options); });
}

void add_block_stat(Command& block, Context& context) {
    Command* command = block.add_subcommand("stat", "Print the CID and the size of a block");
    auto cid = std::make_shared<std::string>();
    command->add_option("CID", *cid)->required();
    context.add_json(*command);
    context.add_gateways(*command);
    command->footer("Examples:\n  ipfs-compute block stat CID");
    context.on_run(*command, [&context, cid]() -> Result<int> {
        const Cid wanted = TRY(Cid::parse(*cid));
        const LentBytes data = TRY(TRY(context.open_stores())->blocks().get(wanted));
        if (context.json) {
            const nlohmann::json json{{"cid", wanted.to_string()}, {"size", data.size()}};
            TRY(context.streams.print(json.dump() + "\n"));
        } else {
            TRY(context.streams.print("Key: " + wanted.to_string() +
                                      "\nSize: " + std::to_string(data.size()) + "\n"));
        }
        return 0;
    });
}

} // namespace

void add_block(Command& app, Context& context) {
    Command* command = app.add_subcommand("block", "Read and store single blocks");
    add_block_get(*command, context);
    add_block_put(*command, context);
    add_block_stat(*command, context);
}

} // namespace ic::cli
