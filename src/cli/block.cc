#include "base/file.h"
#include "base/unique_fd.h"
#include "cli/commands.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

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

Result<Codec> codec_named(const std::string& name) {
    if (name == "raw") {
        return Codec::raw;
    }
    if (name == "dag-pb") {
        return Codec::dag_pb;
    }
    if (name == "dag-cbor") {
        return Codec::dag_cbor;
    }
    return Error{Errc::usage, "--codec is raw, dag-pb or dag-cbor, not '" + name + "'"};
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

void add_block_put(Command& block, Context& context) {
    struct Options {
        std::string path = "-";
        std::string codec = "raw";
    };
    Command* command = block.add_subcommand("put", "Store a block and print its CID");
    auto options = std::make_shared<Options>();
    command->add_option(
        "FILE", options->path, "A file of 2 MiB at most; '-' or none: standard input");
    command->add_option("--codec", options->codec, "raw, dag-pb or dag-cbor")->type_name("NAME");
    command->footer("Examples:\n  echo hello | ipfs-compute block put\n"
                    "  ipfs-compute block put --codec dag-cbor node");
    context.on_run(*command, [&context, options]() -> Result<int> {
        const Codec codec = TRY(codec_named(options->codec));
        const Bytes data = TRY(read_block(options->path));
        const Cid cid = cid_of(codec, data);
        BlockStore& store = TRY(context.open_stores())->local();
        TRY(store.put(cid, data));
        TRY(store.sync());
        TRY(context.streams.print(cid.to_string() + "\n"));
        return 0;
    });
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
