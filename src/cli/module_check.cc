#include "cli/module_check.h"

#include "unixfs/file_reader.h"
#include "wasm_binary/linking.h"

#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

/// Nothing if it is not all here or is no file. Errors: module_too_large, by the job's own limit.
Result<std::optional<Bytes>>
local_module(BlockStore& store, const Cid& cid, std::uint64_t bytes_max) {
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(store, cid);
    if (!reader) {
        return std::optional<Bytes>{};
    }
    if (reader->size() > bytes_max) {
        return module_too_large(reader->size(), bytes_max);
    }
    unixfs::FileReader file = std::move(reader).take();
    Bytes bytes;
    while (bytes.size() < file.size()) {
        const Result<LentBytes> piece = file.lend_at(bytes.size());
        if (!piece || piece->size() == 0) {
            return std::optional<Bytes>{};
        }
        const ByteView view = piece->view();
        bytes.insert(bytes.end(), view.begin(), view.end());
    }
    return std::optional(std::move(bytes));
}

/// An import that is here: what was read, and the bytes that it views.
struct LocalImport {
    Bytes bytes;
    wasm_binary::Module module{};
};

} // namespace

Error module_too_large(std::uint64_t bytes, std::uint64_t bytes_max) {
    return {Errc::module_too_large,
            "the module has " + std::to_string(bytes) + " bytes; the limit is " +
                std::to_string(bytes_max) + ": strip debug information" +
                (bytes_max < job::Limits{}.module_bytes_max ? " or raise --module-size" : "")};
}

Result<void> check_module(BlockStore& store, const job::JobSpec& spec) {
    const std::uint64_t bytes_max = spec.limits.module_bytes_max;
    const std::optional<Bytes> bytes = TRY(local_module(store, spec.module, bytes_max));
    if (!bytes) {
        return {};
    }
    const wasm_binary::Module module = TRY(wasm_binary::parse(*bytes));
    std::list<LocalImport> here; // What views their bytes stays where it is.
    std::vector<wasm_binary::LinkedModule> linked;
    for (const auto& [name, cid] : spec.imports) {
        linked.push_back({.name = name});
        Result<std::optional<Bytes>> read = local_module(store, cid, bytes_max);
        if (!read) {
            return std::move(read).take_error().during("import " + name);
        }
        if (std::optional<Bytes> content = std::move(read).take()) {
            LocalImport& import = here.emplace_back(LocalImport{.bytes = *std::move(content)});
            Result<wasm_binary::Module> parsed = wasm_binary::parse(import.bytes);
            if (!parsed) {
                return std::move(parsed).take_error().during("import " + name);
            }
            import.module = std::move(parsed).take();
            linked.back().module = &import.module;
        }
    }
    return wasm_binary::check_linked_job(module, linked, spec.handler, spec.arguments);
}

} // namespace ic::cli
