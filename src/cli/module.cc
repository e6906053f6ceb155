#include "base/file.h"
#include "cli/commands.h"
#include "cli/job_session.h"
#include "cli/local.h"
#include "cli/module_text.h"
#include "ipld/block.h"
#include "unixfs/content_path.h"
#include "unixfs/directory.h"
#include "unixfs/file_reader.h"
#include "wasm_binary/host_abi.h"

#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

/// Ours: larger than any module that the engine reads.
constexpr std::size_t inspected_bytes_max = std::size_t{1} << 30U;

struct InspectFlags {
    std::string what;
    bool no_compile = false;
};

struct Found {
    std::optional<Cid> cid;
    Bytes bytes;
};

Error too_large(const std::string& what) {
    return Error{Errc::module_too_large, "'" + what + "' has more than 1 GiB, as no module has"};
}

Result<Found> find_content(BlockSource& source, const std::string& text) {
    const Cid cid = TRY(unixfs::resolve(source, text));
    if (TRY(unixfs::FileReader::open(source, cid)).size() > inspected_bytes_max) {
        return too_large(text);
    }
    Found found{.cid = cid, .bytes = {}};
    TRY(copy_file(source, cid, 0, [&found](std::string_view piece) -> Result<void> {
        const ByteView view = bytes_of(piece);
        found.bytes.insert(found.bytes.end(), view.begin(), view.end());
        return {};
    }));
    return found;
}

Result<Found> find_file(const std::string& path) {
    Result<std::optional<Bytes>> read = read_file_if_exists(path, inspected_bytes_max);
    if (!read && read.error().code == Errc::too_large) {
        return too_large(path);
    }
    std::optional<Bytes> bytes = TRY(std::move(read));
    if (!bytes) {
        return Error{Errc::not_found, "'" + path + "' is neither a CID nor a file that is there"};
    }
    return Found{.cid = std::nullopt, .bytes = std::move(*bytes)};
}

Result<int> inspect(Context& context, const InspectFlags& flags) {
    const bool is_content = unixfs::ContentPath::parse(flags.what).ok();
    // A file is looked at without a home, unless it is compiled.
    std::unique_ptr<Local> local;
    if (is_content || !flags.no_compile) {
        local = TRY(open_local(context));
    }
    const Found found =
        TRY(is_content ? find_content(local->source(), flags.what) : find_file(flags.what));
    const wasm_binary::Module module = TRY(wasm_binary::parse(found.bytes));
    InspectedModule inspected{.cid = found.cid, .bytes = found.bytes.size(), .module = module};
    if (!flags.no_compile && wasm_binary::check_host(module)) {
        job::Limits limits;
        limits.module_bytes_max = found.bytes.size();
        inspected.compiled.emplace(
            wiring::compile_module(local->home.modules(),
                                   local->key,
                                   found.cid.value_or(cid_of(Codec::raw, found.bytes)),
                                   found.bytes,
                                   limits));
    }
    TRY(context.streams.print(context.json ? to_json(inspected).dump() + "\n"
                                           : describe(inspected)));
    return 0;
}

} // namespace

void add_module(Command& app, Context& context) {
    Command* group = app.add_subcommand("module", "Look into WebAssembly modules");
    Command* command = group->add_subcommand(
        "inspect", "Print what a module imports, exports and needs, and whether it can run here");
    auto flags = std::make_shared<InspectFlags>(); // Kept by the action.
    command->add_option("MODULE", flags->what, "A CID, a path below one, or a file")->required();
    command->add_flag("--no-compile", flags->no_compile, "Do not compile it for its code's size");
    context.add_gateways(*command);
    context.add_json(*command);
    command->footer("Examples:\n"
                    "  ipfs-compute module inspect x.wasm\n"
                    "  ipfs-compute module inspect --no-compile --json CID");
    context.on_run(*command, [&context, flags] { return inspect(context, *flags); });
}

} // namespace ic::cli
