#include "executor/wasm/handles.h"

#include <cassert>
#include <utility>

namespace ic::executor::wasm {

void Handles::begin(const Limits& limits) {
    handles_.clear();
    next_ = 1;
    curls_ = 0;
    limits_ = limits;
}

std::int64_t Handles::open(Handle handle) {
    assert(!full());
    curls_ += std::holds_alternative<CurlHandle>(handle) ? 1 : 0;
    handles_.emplace(next_, std::move(handle));
    return next_++;
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

void Handles::end(const Handle& handle, Services& services) {
    if (const auto* adding = std::get_if<AddHandle>(&handle)) {
        services.add_drop(adding->id);
    } else if (const auto* response = std::get_if<CurlHandle>(&handle)) {
        --curls_;
        services.curl_close(response->id);
    }
}

} // namespace ic::executor::wasm
