#include "executor/wasm/host.h"

#include "executor/wasm/boundary.h"
#include "executor/wasm/host_errors.h"
#include "executor/wasm/limits.h"
#include "unixfs/content_path.h"
#include "unixfs/directory.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace ic::executor::wasm {
namespace {

using Address = std::uint32_t;
using Size = std::uint32_t;
/// A handle, a count, 0, or a negated HostError.
using Answer = std::int64_t;

/// What a guest is told of an error in content it asked for. Blocks that cannot be had never come
/// here as such: they have ended the run.
Answer answer_for(const Error& error) {
    switch (error.code) {
    case Errc::usage:
        return negative(HostError::invalid);
    case Errc::not_found:
        return negative(HostError::not_found);
    case Errc::malformed:
        return negative(HostError::malformed);
    case Errc::too_large:
        return negative(HostError::too_large);
    case Errc::refused:
        return negative(HostError::refused);
    case Errc::unavailable:
        return negative(HostError::network);
    default:
        return negative(HostError::unsupported);
    }
}

/// As above for the network: what is not the guest's doing ends the run.
Answer answer_for_network(Run& run, Error error) {
    switch (error.code) {
    case Errc::malformed:
        return negative(HostError::invalid);
    case Errc::refused:
    case Errc::too_large:
    case Errc::unsupported:
    case Errc::unavailable:
        return answer_for(error);
    default:
        run.stop_for(std::move(error), "ipfsComputeCurl");
        return 0;
    }
}

Answer open_handle(Run& run, Handle handle) { return run.handles.open(std::move(handle)); }

/// Each file that is being added has a piece of it waiting here and one at the broker.
bool room_for_add(Run& run) {
    if (run.handles.adds() >= limits::adds_open_max) {
        run.stop(Errc::limit_handles,
                 "the guest has more than " + std::to_string(limits::adds_open_max) +
                     " files open that it adds: finish or close them");
        return false;
    }
    return true;
}

/// Asked before anything is fetched for a new handle.
bool room_for_handle(Run& run) {
    if (run.handles.full()) {
        run.stop(Errc::limit_handles,
                 "the guest has more than " + std::to_string(run.task().spec.limits.handles_max) +
                     " handles open: close what is read, or raise --handles");
        return false;
    }
    return true;
}

bool room_for_curl(Run& run) {
    if (run.handles.full_of_curls()) {
        run.stop(Errc::limit_curls,
                 "the guest has more than " + std::to_string(run.task().spec.limits.curls_max) +
                     " responses open: close those that are read, or raise --curls");
        return false;
    }
    return true;
}

Answer log(Run& run, Address text, Size size) {
    const auto place = run.memory.slice(text, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (!run.capture.log(*place)) {
        run.stop(Errc::limit_log,
                 "the guest logged more than " +
                     std::to_string(run.task().spec.limits.log_bytes_max) +
                     " bytes: log less, or raise --log-size");
    }
    return 0;
}

// --- reading ------------------------------------------------------------------------------------

/// The content path that the guest wrote, followed to its CID. The text is copied once, before use.
/// Errors: usage if it is no path; as `unixfs::resolve`.
Result<Cid> resolve(Run& run, std::span<const std::uint8_t> text) {
    if (text.size() > unixfs::limits::path_bytes_max) {
        return Error{Errc::too_large,
                     "a path may have " + std::to_string(unixfs::limits::path_bytes_max) +
                         " bytes"};
    }
    Result<unixfs::ContentPath> path = unixfs::ContentPath::parse(std::string(text_of(text)));
    if (!path.ok() && path.error().code != Errc::too_large) {
        return Error{Errc::usage, path.error().message};
    }
    return unixfs::resolve(run.blocks, TRY(std::move(path)));
}

/// A path goes on behind what is a file, or a symbolic link.
Answer answer_for_path(const Error& error) {
    return error.code == Errc::unsupported ? negative(HostError::not_a_directory)
                                           : answer_for(error);
}

Answer get(Run& run, Address path, Size size) {
    const auto place = run.memory.slice(path, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (!room_for_handle(run)) {
        return 0;
    }
    const Result<Cid> cid = resolve(run, *place);
    if (!cid.ok()) {
        return answer_for_path(cid.error());
    }
    Result<unixfs::FileReader> reader = unixfs::FileReader::open(run.blocks, *cid);
    if (!reader.ok()) {
        return reader.error().code == Errc::unsupported ? negative(HostError::not_a_file)
                                                        : answer_for(reader.error());
    }
    return open_handle(run, FileHandle{std::move(reader).take()});
}

std::string_view name_of(unixfs::EntryType type) {
    switch (type) {
    case unixfs::EntryType::file:
        return "file";
    case unixfs::EntryType::directory:
        return "directory";
    case unixfs::EntryType::symlink:
        return "symlink";
    }
    return "unknown";
}

Result<std::string> list(Run& run, const Cid& directory) {
    const std::size_t bytes_max =
        std::min(limits::listing_bytes_max,
                 limits::listings_bytes_max -
                     std::min(limits::listings_bytes_max, run.handles.text_bytes()));
    std::string text;
    const auto add_line = [&](const unixfs::ListedEntry& listed) -> Result<void> {
        const std::string name = json_string(listed.entry.name);
        text.append(R"({"name":)").append(name);
        if (name.find("\xEF\xBF\xBD") != std::string::npos) {
            text.append(R"(,"nameHex":")").append(to_hex(bytes_of(listed.entry.name))).append("\"");
        }
        text.append(R"(,"cid":")").append(listed.entry.cid.to_string());
        text.append(R"(","type":")").append(listed.stat ? name_of(listed.stat->type) : "unknown");
        const std::uint64_t size_shown = listed.stat ? listed.stat->size : 0;
        text.append(R"(","size":)").append(std::to_string(size_shown)).append("}\n");
        if (text.size() > bytes_max) {
            return Error{Errc::too_large, "the listing is too long, or others that are open are"};
        }
        return {};
    };
    TRY(unixfs::list_with_types(run.blocks, directory, add_line));
    return text;
}

Answer ls(Run& run, Address path, Size size) {
    const auto place = run.memory.slice(path, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (!room_for_handle(run)) {
        return 0;
    }
    const Result<Cid> cid = resolve(run, *place);
    if (!cid.ok()) {
        return answer_for_path(cid.error());
    }
    Result<std::string> text = list(run, *cid);
    if (!text.ok()) {
        return text.error().code == Errc::unsupported ? negative(HostError::not_a_directory)
                                                      : answer_for(text.error());
    }
    return open_handle(run, TextHandle{std::move(text).take()});
}

Answer copy_from(std::string_view text, std::uint64_t offset, std::span<std::uint8_t> out) {
    if (offset >= text.size()) {
        return 0;
    }
    const std::string_view rest = text.substr(static_cast<std::size_t>(offset), out.size());
    std::copy(rest.begin(), rest.end(), out.begin());
    return static_cast<Answer>(rest.size());
}

Answer read_response(Run& run, CurlHandle& handle, std::span<std::uint8_t> out) {
    if (handle.position < handle.head.size()) {
        const Answer count = copy_from(handle.head, handle.position, out);
        handle.position += static_cast<std::size_t>(count);
        return count;
    }
    out = out.first(std::min(out.size(), limits::curl_read_bytes_max));
    if (out.empty() || !run.before_effect()) {
        return 0;
    }
    Result<std::size_t> count = run.services().curl_read(handle.id, out);
    return count.ok() ? static_cast<Answer>(*count)
                      : answer_for_network(run, std::move(count).take_error());
}

/// Fills as much of `out` as one handle gives at once; short reads are no sign of the end.
Answer read(Run& run, std::int64_t number, Address out, Size size) {
    const auto place = run.memory.slice(out, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    Handle* handle = run.handles.find(number);
    if (handle == nullptr) {
        return negative(HostError::bad_handle);
    }
    if (auto* file = std::get_if<FileHandle>(handle)) {
        const Result<std::size_t> count = file->reader.read(*place);
        run.handles.was_read(*file);
        return count.ok() ? static_cast<Answer>(*count) : answer_for(count.error());
    }
    if (auto* text = std::get_if<TextHandle>(handle)) {
        const Answer count = copy_from(text->text, text->position, *place);
        text->position += static_cast<std::size_t>(count);
        return count;
    }
    if (auto* response = std::get_if<CurlHandle>(handle)) {
        return read_response(run, *response, *place);
    }
    return negative(HostError::bad_handle);
}

Answer read_at(Run& run, std::int64_t number, std::int64_t offset, Address out, Size size) {
    const auto place = run.memory.slice(out, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (offset < 0) {
        return negative(HostError::invalid);
    }
    Handle* handle = run.handles.find(number);
    if (handle == nullptr) {
        return negative(HostError::bad_handle);
    }
    const auto from = static_cast<std::uint64_t>(offset);
    if (auto* file = std::get_if<FileHandle>(handle)) {
        const Result<std::size_t> count = file->reader.read_at(from, *place);
        run.handles.was_read(*file);
        return count.ok() ? static_cast<Answer>(*count) : answer_for(count.error());
    }
    if (const auto* text = std::get_if<TextHandle>(handle)) {
        return copy_from(text->text, from, *place);
    }
    return negative(HostError::bad_handle);
}

Answer close(Run& run, std::int64_t number) {
    return run.handles.close(number, run.services()) ? 0 : negative(HostError::bad_handle);
}

// --- adding -------------------------------------------------------------------------------------

/// Writes all of `data`. Whether it went; if not, the run has ended.
bool write_all(Run& run, std::uint32_t id, ByteView data) {
    if (!run.count_added(data.size())) {
        return false;
    }
    while (!data.empty()) {
        if (!run.before_effect()) {
            return false;
        }
        const ByteView piece = data.first(std::min(data.size(), limits::add_piece_bytes_max));
        Result<void> written = run.services().add_write(id, piece);
        if (!written.ok()) {
            run.stop_for(std::move(written).take_error(), "adding a file");
            return false;
        }
        data = data.subspan(piece.size());
    }
    return true;
}

std::optional<std::uint32_t> begin_add(Run& run) {
    if (!run.before_effect()) {
        return std::nullopt;
    }
    Result<std::uint32_t> id = run.services().add_open();
    if (!id.ok()) {
        run.stop_for(std::move(id).take_error(), "adding a file");
        return std::nullopt;
    }
    return *id;
}

/// The handle that reads back the CID.
Answer finish_add(Run& run, std::uint32_t id) {
    if (!run.before_effect()) {
        run.services().add_drop(id);
        return 0;
    }
    Result<Cid> cid = run.services().add_finish(id);
    if (!cid.ok()) {
        run.stop_for(std::move(cid).take_error(), "adding a file");
        return 0;
    }
    return open_handle(run, TextHandle{cid->to_string()});
}

Answer add(Run& run, Address data, Size size) {
    const auto place = run.memory.slice(data, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (!room_for_handle(run)) {
        return 0;
    }
    const std::optional<std::uint32_t> id = begin_add(run);
    if (!id) {
        return 0;
    }
    if (!write_all(run, *id, *place)) {
        run.services().add_drop(*id);
        return 0;
    }
    return finish_add(run, *id);
}

Answer add_open(Run& run) {
    if (!room_for_handle(run) || !room_for_add(run)) {
        return 0;
    }
    const std::optional<std::uint32_t> id = begin_add(run);
    return id ? open_handle(run, AddHandle{*id}) : 0;
}

Answer write(Run& run, std::int64_t number, Address data, Size size) {
    const auto place = run.memory.slice(data, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    Handle* handle = run.handles.find(number);
    const auto* adding = handle == nullptr ? nullptr : std::get_if<AddHandle>(handle);
    if (adding == nullptr) {
        return negative(HostError::bad_handle);
    }
    return write_all(run, adding->id, *place) ? static_cast<Answer>(size) : 0;
}

Answer add_finish(Run& run, std::int64_t number) {
    const std::optional<std::uint32_t> id = run.handles.take_add(number);
    return id ? finish_add(run, *id) : negative(HostError::bad_handle);
}

// --- the network --------------------------------------------------------------------------------

Answer curl(Run& run, Address request, Size size) {
    const auto place = run.memory.slice(request, size);
    if (!place) {
        return negative(HostError::bad_pointer);
    }
    if (run.pure()) {
        return negative(HostError::refused);
    }
    if (size > limits::curl_request_bytes_max) {
        return negative(HostError::too_large);
    }
    if (!room_for_handle(run) || !room_for_curl(run) || !run.before_effect()) {
        return 0;
    }
    Result<CurlOpened> opened = run.services().curl_open(std::string(text_of(*place)));
    if (!opened.ok()) {
        return answer_for_network(run, std::move(opened).take_error());
    }
    CurlOpened response = std::move(opened).take();
    response.head.push_back('\n');
    return open_handle(run, CurlHandle{.id = response.id, .head = std::move(response.head)});
}

Answer abi_version_of_host(Run& /*run*/) { return abi_version; }

Result<void> define_in(wasmtime_linker_t* linker, std::string_view module) {
    TRY(define<&log>(linker, module, "ipfsComputeLog"));
    TRY(define<&get>(linker, module, "ipfsComputeGet"));
    TRY(define<&ls>(linker, module, "ipfsComputeLs"));
    TRY(define<&add>(linker, module, "ipfsComputeAdd"));
    TRY(define<&curl>(linker, module, "ipfsComputeCurl"));
    TRY(define<&read>(linker, module, "ipfsComputeRead"));
    TRY(define<&read_at>(linker, module, "ipfsComputeReadAt"));
    TRY(define<&close>(linker, module, "ipfsComputeClose"));
    TRY(define<&add_open>(linker, module, "ipfsComputeAddOpen"));
    TRY(define<&write>(linker, module, "ipfsComputeWrite"));
    TRY(define<&add_finish>(linker, module, "ipfsComputeAddFinish"));
    TRY(define<&abi_version_of_host>(linker, module, "ipfsComputeAbiVersion"));
    return {};
}

} // namespace

std::string json_string(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<void> define_host(wasmtime_linker_t* linker) {
    TRY(define_in(linker, "env"));
    TRY(define_in(linker, "ipfs_compute"));
    return {};
}

} // namespace ic::executor::wasm
