#include "executor/process/module_source.h"

#include "executor/process/stop.h"
#include "unixfs/file_reader.h"

#include <string>

namespace ic::executor::process {

Result<Bytes>
read_module(BlockSource& source, const Cid& cid, std::uint64_t bytes_max, const Permit& permit) {
    Result<unixfs::FileReader> opened = unixfs::FileReader::open(source, cid);
    if (!opened) {
        Error error = std::move(opened).take_error();
        const bool no_file = error.code == Errc::malformed || error.code == Errc::unsupported;
        const bool is_missing = error.code == Errc::not_found;
        return Error{no_file ? Errc::module_invalid : error.code,
                     "the module: " + error.message +
                         (is_missing ? "; `ipfs-compute add FILE` puts a file here" : "")};
    }
    unixfs::FileReader reader = std::move(opened).take();
    if (reader.size() > bytes_max) {
        return Error{Errc::module_too_large,
                     "the module has " + std::to_string(reader.size()) + " bytes; the limit is " +
                         std::to_string(bytes_max)};
    }
    Bytes module;
    while (module.size() < reader.size()) {
        if (const std::optional<Errc> stop = must_stop(permit, now_since_boot())) {
            return Error{*stop, describe_stop(*stop)};
        }
        // One block at a time: nothing is reserved for a size that a root merely claims.
        const LentBytes part = TRY(reader.lend_at(module.size()));
        const ByteView bytes = part.view();
        if (bytes.empty()) {
            return Error{Errc::module_invalid, "module " + cid.to_string() + " ends early"};
        }
        module.insert(module.end(), bytes.begin(), bytes.end());
    }
    return module;
}

} // namespace ic::executor::process
