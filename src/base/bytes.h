#pragma once
/// Bytes: owned, viewed, lent; and their hexadecimal form.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic {

using ByteView = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

/// Bytes somebody else owns, kept alive for as long as this value lives (a mapped block, a shared
/// buffer): so that a store can lend what it has and nobody copies.
/// Threads: a value may move between threads; what it views is never written.
class LentBytes {
public:
    LentBytes() = default;

    LentBytes(ByteView view, std::shared_ptr<const void> owner)
        : view_(view)
        , owner_(std::move(owner)) {}

    /// Takes `bytes` over; lends from its own copy.
    static LentBytes of(Bytes bytes) {
        auto owned = std::make_shared<const Bytes>(std::move(bytes));
        return {ByteView{*owned}, owned};
    }

    ByteView view() const { return view_; }

    std::size_t size() const { return view_.size(); }

    /// `part` of these bytes, kept alive as the whole is.
    LentBytes part(ByteView part) const { return {part, owner_}; }

private:
    ByteView view_;
    std::shared_ptr<const void> owner_;
};

inline ByteView bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

/// Lower-case hexadecimal digits, two a byte.
std::string to_hex(ByteView bytes);

} // namespace ic
