#include "cli/content_paths.h"
#include "cli/dag.h"
#include "ipld/codec.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"
#include "unixfs/dag_path.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

Result<std::string> single_word(const std::string& word) {
    if (!word.empty()) {
        return word;
    }
    std::vector<std::string> words = TRY(given_paths({}));
    if (words.size() != 1) {
        return Error{Errc::usage, "name one path, here or on standard input"};
    }
    return std::move(words.front());
}

/// A CID in the base in which the path had its own, as version 1 then; the usual text if that was
/// version 0.
std::string in_base_of(const std::string& path, const Cid& cid) {
    std::string_view text = path;
    for (const std::string_view prefix : {"/ipfs/", "/ipld/", "ipfs://"}) {
        if (text.starts_with(prefix)) {
            text.remove_prefix(prefix.size());
            break;
        }
    }
    text = text.substr(0, text.find('/'));
    const Result<Cid> root = Cid::parse(text);
    if (!root || root->version() == 0) {
        return cid.to_string();
    }
    return multibase::encode(static_cast<Base>(text.front()), cid.as_v1().bytes());
}

Result<int> get(Context& context, const std::string& word, const std::string& codec_text) {
    const Codec codec = TRY(codec_of_flag("--output-codec", codec_text));
    const std::string path = TRY(single_word(word));
    BlockStore& blocks = TRY(context.open_stores())->blocks();
    const auto run = [&]() -> Result<void> {
        const unixfs::DagPath parsed = TRY(unixfs::DagPath::parse(path));
        const unixfs::DagPlace place = TRY(unixfs::resolve_dag(blocks, parsed));
        const Bytes out = TRY(ipld::encode_as(codec, TRY(unixfs::load_dag(blocks, place))));
        return context.streams.print(text_of(out));
    };
    if (Result<void> result = run(); !result) {
        return std::move(result).take_error().during(path);
    }
    return 0;
}

Result<int> resolve(Context& context, const std::string& word) {
    const std::string path = TRY(single_word(word));
    BlockStore& blocks = TRY(context.open_stores())->blocks();
    const unixfs::DagPath parsed = TRY(unixfs::DagPath::parse(path));
    unixfs::DagPlace place = TRY(unixfs::resolve_dag(blocks, parsed));
    std::string rest;
    for (const std::string& name : place.rest) {
        rest += (rest.empty() ? "" : "/") + name;
    }
    const std::string cid = in_base_of(path, place.cid);
    if (context.json) {
        const nlohmann::json json{{"cid", cid}, {"rest", rest}};
        TRY(context.streams.print(
            json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
    } else {
        TRY(context.streams.print(rest.empty() ? cid : cid + "/" + rest)); // No line end, as Kubo.
    }
    return 0;
}

} // namespace

void add_dag_get(Command& dag, Context& context) {
    Command* command = dag.add_subcommand("get", "Print a node, or a value inside one");
    auto path = std::make_shared<std::string>(); // Kept by the action; so below.
    auto codec = std::make_shared<std::string>("dag-json");
    command->add_option("PATH", *path, "A CID, or a path such as CID/key/0; none: standard input");
    command->add_option("--output-codec", *codec, "How it is printed (dag-json)")
        ->type_name("NAME");
    context.add_gateways(*command);
    command->footer(
        "Names are keys, indices of lists and entries of directories; links are followed.\n"
        "Below /ipld/CID names are the fields of DAG-PB itself: Links/0/Hash.\n\n"
        "Examples:\n"
        "  ipfs-compute dag get CID\n"
        "  ipfs-compute dag get CID/authors/0/name\n"
        "  ipfs-compute dag get --output-codec dag-cbor CID > node");
    context.on_run(*command, [&context, path, codec] { return get(context, *path, *codec); });
}

void add_dag_resolve(Command& dag, Context& context) {
    Command* command = dag.add_subcommand(
        "resolve", "Print the block that a path leads to, and what is left of it");
    auto path = std::make_shared<std::string>();
    command->add_option("PATH", *path, "A CID, or a path such as CID/key/0; none: standard input");
    context.add_json(*command);
    context.add_gateways(*command);
    command->footer("Examples:\n  ipfs-compute dag resolve CID/dir/file\n"
                    "  ipfs-compute dag resolve CID/authors/0/name");
    context.on_run(*command, [&context, path] { return resolve(context, *path); });
}

} // namespace ic::cli
