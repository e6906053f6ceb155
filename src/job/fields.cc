#include "job/fields.h"

#include "job/text.h"

namespace ic::job {
namespace {

constexpr std::size_t entries_max = 64;

} // namespace

Result<Fields> Fields::of(const ipld::Node& node, std::string_view where) {
    const auto* map = node.as<ipld::Map>();
    if (map == nullptr) {
        return Error{Errc::malformed, std::string(where) + " is not a map"};
    }
    return Fields{*map, where};
}

const ipld::Node* Fields::any(std::string_view key) {
    for (std::size_t index = 0; index < map_->size(); ++index) {
        if ((*map_)[index].first == key) {
            if (index < entries_max) {
                asked_ |= std::uint64_t{1} << index;
            }
            return &(*map_)[index].second;
        }
    }
    return nullptr;
}

Result<std::uint64_t> Fields::number(std::string_view key, std::uint64_t most) {
    const std::uint64_t value = *TRY(need<std::uint64_t>(key));
    if (value > most) {
        return too_large(key, most);
    }
    return value;
}

Result<std::uint64_t>
Fields::number_or(std::string_view key, std::uint64_t most, std::uint64_t otherwise) {
    const auto* value = TRY(maybe<std::uint64_t>(key));
    if (value == nullptr) {
        return otherwise;
    }
    if (*value > most) {
        return too_large(key, most);
    }
    return *value;
}

Result<std::string> Fields::text(std::string_view key, std::size_t bytes_most) {
    const std::string* value = TRY(need<std::string>(key));
    if (value->size() > bytes_most) {
        return too_large(key, bytes_most);
    }
    return *value;
}

bool Fields::all_known() const { return refuse_unknown().ok(); }

Result<void> Fields::refuse_unknown() const {
    for (std::size_t index = 0; index < map_->size(); ++index) {
        if (index >= entries_max || (asked_ >> index & 1U) == 0) {
            return Error{Errc::unsupported,
                         std::string(where_) + fit_text((*map_)[index].first, 64) +
                             " is a field that this version does not know"};
        }
    }
    return {};
}

Error Fields::missing(std::string_view key) const {
    return {Errc::malformed, std::string(where_).append(key) + " is missing"};
}

Error Fields::wrong_type(std::string_view key) const {
    return {Errc::malformed, std::string(where_).append(key) + " has the wrong type"};
}

Error Fields::too_large(std::string_view key, std::uint64_t most) const {
    return {Errc::too_large, std::string(where_).append(key) + " is above " + std::to_string(most)};
}

} // namespace ic::job
