#pragma once
/// Fields: reads the entries of one map of a document and says exactly what is wrong with it.

#include "base/result.h"
#include "ipld/node.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ic::job {

/// Remembers which entries were asked for, so that it can tell whether there are others.
/// Lifetime: of the node it was made of. Threads: one.
class Fields {
public:
    /// `where` is put before a field's name in messages: "args." or "".
    /// Errors: malformed if `node` is no map.
    static Result<Fields> of(const ipld::Node& node, std::string_view where);

    /// The entry's value, or nullptr if there is none. Errors: malformed if it is no T.
    template <class T>
    Result<const T*> maybe(std::string_view key) {
        const ipld::Node* node = any(key);
        if (node == nullptr) {
            return nullptr;
        }
        const T* value = node->as<T>();
        if (value == nullptr) {
            return wrong_type(key);
        }
        return value;
    }

    /// Errors: malformed if it is missing or no T.
    template <class T>
    Result<const T*> need(std::string_view key) {
        const T* value = TRY(maybe<T>(key));
        if (value == nullptr) {
            return missing(key);
        }
        return value;
    }

    /// Errors: as `need`, too_large above `most`.
    Result<std::uint64_t> number(std::string_view key, std::uint64_t most);
    /// `otherwise` if there is no such entry. Errors: malformed, too_large.
    Result<std::uint64_t>
    number_or(std::string_view key, std::uint64_t most, std::uint64_t otherwise);
    Result<std::string> text(std::string_view key, std::size_t bytes_most);

    /// The entry, or nullptr; counts as asked for.
    const ipld::Node* any(std::string_view key);

    bool all_known() const;

    /// Errors: unsupported, with the name of the first entry that nobody asked for.
    Result<void> refuse_unknown() const;

    Error missing(std::string_view key) const;
    Error wrong_type(std::string_view key) const;
    Error too_large(std::string_view key, std::uint64_t most) const;

private:
    Fields(const ipld::Map& map, std::string_view where) : map_(&map), where_(where) {}

    const ipld::Map* map_;
    std::string_view where_;
    std::uint64_t asked_ = 0; ///< A bit an entry; no map of ours has more than 64.
};

} // namespace ic::job
