#include "job/ids.h"

#include <cstring>

std::size_t
std::hash<ic::job::Instance>::operator()(const ic::job::Instance& instance) const noexcept {
    // Random bytes are hash enough.
    std::size_t value = 0;
    static_assert(sizeof value <= sizeof instance.bytes);
    std::memcpy(&value, instance.bytes.data(), sizeof value);
    return value;
}
