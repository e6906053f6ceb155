#include "executor/wasm/handles.h"

#include "executor/wasm/limits.h"

#include <cassert>
#include <utility>

namespace ic::executor::wasm {

void Handles::begin(const Limits& limits) {
    handles_.clear();
    next_ = 1;
    curls_ = 0;
    adds_ = 0;
    text_bytes_ = 0;
    file_bytes_ = 0;
    limits_ = limits;
}

std::int64_t Handles::open(Handle handle) {
    assert(!full());
    curls_ += std::holds_alternative<CurlHandle>(handle) ? 1 : 0;
    adds_ += std::holds_alternative<AddHandle>(handle) ? 1 : 0;
    if (const auto* text = std::get_if<TextHandle>(&handle)) {
        text_bytes_ += text->text.size();
    }
    Handle& opened = handles_.emplace(next_, std::move(handle)).first->second;
    if (auto* file = std::get_if<FileHandle>(&opened)) {
        was_read(*file); // Its root.
    }
    return next_++;
}

void Handles::count(FileHandle& file) {
    file_bytes_ -= file.held_bytes;
    file.held_bytes = file.reader.held_bytes();
    file_bytes_ += file.held_bytes;
}

FileHandle* Handles::read_longest_ago(const FileHandle& but) {
    FileHandle* found = nullptr;
    for (auto& [number, handle] : handles_) {
        auto* file = std::get_if<FileHandle>(&handle);
        if (file != nullptr && file != &but && file->held_bytes != 0 &&
            (found == nullptr || file->read_last < found->read_last)) {
            found = file;
        }
    }
    return found;
}

void Handles::was_read(FileHandle& file) {
    file.read_last = ++reads_;
    count(file);
    while (file_bytes_ > limits::files_bytes_max) {
        FileHandle* const resting = read_longest_ago(file);
        if (resting == nullptr) {
            return; // One file alone may hold more.
        }
        resting->reader.rest();
        count(*resting);
    }
}

Handle* Handles::find(std::int64_t number) {
    const auto at = handles_.find(number);
    return at == handles_.end() ? nullptr : &at->second;
}

bool Handles::close(std::int64_t number, Services& services) {
    const auto at = handles_.find(number);
    if (at == handles_.end()) {
        return false;
    }
    const Handle handle = std::move(at->second);
    handles_.erase(at);
    end(handle, services);
    return true;
}

void Handles::close_all(Services& services) {
    while (!handles_.empty()) {
        close(handles_.begin()->first, services);
    }
}

std::optional<std::uint32_t> Handles::take_add(std::int64_t number) {
    const auto at = handles_.find(number);
    const auto* adding = at == handles_.end() ? nullptr : std::get_if<AddHandle>(&at->second);
    if (adding == nullptr) {
        return std::nullopt;
    }
    const std::uint32_t id = adding->id;
    handles_.erase(at);
    --adds_;
    return id;
}

void Handles::end(const Handle& handle, Services& services) {
    if (const auto* adding = std::get_if<AddHandle>(&handle)) {
        --adds_;
        services.add_drop(adding->id);
    } else if (const auto* text = std::get_if<TextHandle>(&handle)) {
        text_bytes_ -= text->text.size();
    } else if (const auto* file = std::get_if<FileHandle>(&handle)) {
        file_bytes_ -= file->held_bytes;
    } else if (const auto* response = std::get_if<CurlHandle>(&handle)) {
        --curls_;
        services.curl_close(response->id);
    }
}

} // namespace ic::executor::wasm
