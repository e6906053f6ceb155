#include "executor/wasm/testing/memory_services.h"

#include <algorithm>
#include <stdexcept>

namespace ic::executor::wasm {

Result<LentBytes> MemoryServices::block(const Cid& cid) {
    ++block_calls;
    if (throws) {
        throw std::runtime_error("a library threw");
    }
    if (block_fault) {
        return Error{*block_fault, "as the test says"};
    }
    const auto at = blocks.find(cid);
    if (at == blocks.end()) {
        return Error{Errc::cid_unavailable, "nobody has it"};
    }
    return LentBytes::of(at->second);
}

Result<std::uint32_t> MemoryServices::add_open() {
    adding[next_] = {};
    return next_++;
}

Result<void> MemoryServices::add_write(std::uint32_t id, ByteView data) {
    Bytes& file = adding.at(id);
    file.insert(file.end(), data.begin(), data.end());
    return {};
}

Result<Cid> MemoryServices::add_finish(std::uint32_t id) {
    const Bytes file = std::move(adding.at(id));
    adding.erase(id);
    const Cid cid = cid_of(Codec::raw, file);
    blocks[cid] = file;
    return cid;
}

void MemoryServices::add_drop(std::uint32_t id) { adding.erase(id); }

Result<CurlOpened> MemoryServices::curl_open(std::string_view request) {
    requests.emplace_back(request);
    if (curl_fault) {
        return Error{*curl_fault, "as the test says"};
    }
    bodies[next_] = body;
    return CurlOpened{.id = next_++, .head = R"({"status":200})"};
}

Result<std::size_t> MemoryServices::curl_read(std::uint32_t id, std::span<std::uint8_t> into) {
    std::string& rest = bodies.at(id);
    const std::size_t count = std::min(rest.size(), into.size());
    std::copy_n(rest.begin(), count, into.begin());
    rest.erase(0, count);
    return count;
}

void MemoryServices::curl_close(std::uint32_t id) { bodies.erase(id); }

void MemoryServices::log(std::string_view lines) {
    ++log_calls;
    log_seen.append(lines);
}

void MemoryServices::output(job::Stream stream, ByteView data) {
    (stream == job::Stream::output ? output_seen : errors_seen).append(text_of(data));
}

std::optional<Errc> MemoryServices::stop_reason() const {
    return errc_of(static_cast<std::uint64_t>(stop.load()));
}

Result<void> MemoryServices::put(const Cid& cid, ByteView data) {
    blocks[cid] = copy_of(data);
    return {};
}

Cid MemoryServices::put_raw(std::string_view text) {
    const Cid cid = cid_of(Codec::raw, bytes_of(text));
    blocks[cid] = copy_of(bytes_of(text));
    return cid;
}

} // namespace ic::executor::wasm
