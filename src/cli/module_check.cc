#include "cli/module_check.h"

#include "unixfs/file_reader.h"
#include "wasm_binary/linking.h"

#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

/// Nothing if it is not all here, is no file, or is larger than the job's own limit.
std::optional<Bytes> local_module(BlockStore& store, const Cid& cid, std::uint64_t bytes_max) {
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(store, cid);
    if (!reader || reader->size() > bytes_max) {
        return std::nullopt;
    }
    unixfs::FileReader file = std::move(reader).take();
    Bytes bytes;
    while (bytes.size() < file.size()) {
        const Result<LentBytes> piece = file.lend_at(bytes.size());
        if (!piece || piece->size() == 0) {
            return std::nullopt;
        }
        const ByteView view = piece->view();
        bytes.insert(bytes.end(), view.begin(), view.end());
    }
    return bytes;
}

/// An import that is here: what was read, and the bytes that it views.
struct LocalImport {
    Bytes bytes;
    wasm_binary::Module module{};
};

} // namespace

Result<void> check_module(BlockStore& store, const job::JobSpec& spec) {
    const std::uint64_t bytes_max = spec.limits.module_bytes_max;
    const std::optional<Bytes> bytes = local_module(store, spec.module, bytes_max);
    if (!bytes) {
        return {};
    }
    const wasm_binary::Module module = TRY(wasm_binary::parse(*bytes));
    std::list<LocalImport> here; // What views their bytes stays where it is.
    std::vector<wasm_binary::LinkedModule> linked;
    for (const auto& [name, cid] : spec.imports) {
        linked.push_back({.name = name});
        if (std::optional<Bytes> content = local_module(store, cid, bytes_max)) {
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
