#pragma once
/// Entry: one thing that happened, for operators; and Sink, where it is told.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ic::log {

enum class Level : std::uint8_t {
    debug,   ///< What a job goes through.
    info,    ///< What an operator expects to see.
    warning, ///< Something is not as it should be, and all goes on.
    error,   ///< Something that was to be done is not.
};

/// "debug", "info", "warning", "error". Inverse: `parse_level`.
std::string_view name(Level level);
std::optional<Level> parse_level(std::string_view name);

/// A name of docs/formats/log.md with its value.
struct Field {
    std::string_view name; ///< Lifetime: a literal's.
    std::variant<std::string, std::uint64_t> value;
};

enum class Source : std::uint8_t {
    node,  ///< This program.
    guest, ///< A guest, by ipfsComputeLog: its words are not ours.
};

/// Lifetime: of the call that tells it.
struct Entry {
    Level level = Level::info;
    Source source = Source::node;
    std::string_view message; ///< One line for people; it says it all without the fields.
    std::span<const Field> fields{};
};

/// Tells entries to whoever listens. A value: copies tell the same one; a default one tells nobody.
/// Threads: as what it tells.
class Sink {
public:
    Sink() = default;

    Sink(Level lowest, std::function<void(const Entry&)> take)
        : lowest_(lowest)
        , take_(std::move(take)) {}

    /// Asked first where an entry costs something to make.
    bool wants(Level level) const { return take_ != nullptr && level >= lowest_; }

    void operator()(Level level,
                    std::string_view message,
                    std::initializer_list<Field> fields = {}) const {
        tell({.level = level, .message = message, .fields = {fields.begin(), fields.size()}});
    }

    void tell(const Entry& entry) const {
        if (wants(entry.level)) {
            take_(entry);
        }
    }

private:
    Level lowest_ = Level::info;
    std::function<void(const Entry&)> take_;
};

} // namespace ic::log
