#include "cli/module_check.h"

#include "unixfs/file_reader.h"
#include "wasm_binary/host_abi.h"

#include <optional>
#include <utility>

namespace ic::cli {
namespace {

/// Nothing if it is not all here, is no file, or is larger than the job's own limit.
std::optional<Bytes> local_module(BlockStore& store, const job::JobSpec& spec) {
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(store, spec.module);
    if (!reader || reader->size() > spec.limits.module_bytes_max) {
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

} // namespace

Result<void> check_module(BlockStore& store, const job::JobSpec& spec) {
    const std::optional<Bytes> bytes = local_module(store, spec);
    if (!bytes) {
        return {};
    }
    const wasm_binary::Module module = TRY(wasm_binary::parse(*bytes));
    return wasm_binary::check_job(module, spec.handler, spec.arguments);
}

} // namespace ic::cli
