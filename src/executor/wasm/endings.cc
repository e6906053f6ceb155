#include "executor/wasm/endings.h"

#include "executor/wasm/engine_config.h"
#include "wasm_binary/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t frames_shown_max = 16;
constexpr std::size_t name_bytes_max = 120;
constexpr std::size_t path_bytes_max = 80;
/// Of all frames together: a message has to fit a receipt with its cause and remedy.
constexpr std::size_t place_bytes_max = 2000;
constexpr std::size_t detail_bytes_max = 400;

struct Row {
    wasmtime_trap_code_enum trap;
    Errc code;
    std::string_view cause;
    std::string_view remedy;
};

static_assert(limits::wasm_stack_bytes_max == std::size_t{1} << 20U, "a text below says 1 MiB");

constexpr std::string_view bug = "this is a fault of the module";

constexpr std::array<Row, 14> rows{{
    {WASMTIME_TRAP_CODE_STACK_OVERFLOW,
     Errc::trap_stack,
     "the guest used up its stack of 1 MiB",
     "recurse less deeply"},
    {WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS,
     Errc::trap_memory,
     "the guest accessed memory out of bounds",
     bug},
    {WASMTIME_TRAP_CODE_HEAP_MISALIGNED,
     Errc::trap_memory,
     "the guest accessed memory at an address that is not aligned",
     bug},
    {WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS,
     Errc::trap_table,
     "the guest accessed a table out of bounds",
     bug},
    {WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL,
     Errc::trap_call,
     "the guest called a null function",
     bug},
    {WASMTIME_TRAP_CODE_NULL_REFERENCE, Errc::trap_call, "the guest used a null reference", bug},
    {WASMTIME_TRAP_CODE_BAD_SIGNATURE,
     Errc::trap_call,
     "the guest called a function of another type than it expected",
     bug},
    {WASMTIME_TRAP_CODE_INTEGER_OVERFLOW,
     Errc::trap_arithmetic,
     "the guest overflowed an integer operation",
     bug},
    {WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO,
     Errc::trap_arithmetic,
     "the guest divided by zero",
     bug},
    {WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER,
     Errc::trap_arithmetic,
     "the guest converted a number that does not fit to an integer",
     bug},
    {WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED,
     Errc::trap_unreachable,
     "the guest executed `unreachable`",
     "most often a panic or an abort: see its standard error"},
    {WASMTIME_TRAP_CODE_OUT_OF_FUEL,
     Errc::limit_fuel,
     "the guest used up its fuel",
     "raise --fuel or give the job less to do"},
    {WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE,
     Errc::limit_memory,
     "the guest wanted more memory at once than can be had",
     "give the job less to do"},
    {WASMTIME_TRAP_CODE_INTERRUPT, Errc::trap_other, "the guest was interrupted", "run it again"},
}};

/// The name of a file as far as people need it: the last parts of its path.
std::string_view short_path(std::string_view path) {
    if (path.size() <= path_bytes_max) {
        return path;
    }
    path = path.substr(path.size() - path_bytes_max);
    const std::size_t slash = path.find('/');
    return slash == std::string_view::npos ? std::string_view("...") : path.substr(slash + 1);
}

/// "divide (math.c:12)", "function 7 @0x1f3": what is known of where it was.
std::string text_of(const ic_frame_t& frame, std::span<const ImportImage> imports) {
    const std::string_view function(frame.function, frame.function_bytes);
    const std::string number = "function " + std::to_string(frame.index);
    const bool unnamed = function.empty() || function == "<wasm " + number + ">";
    std::string text = unnamed ? number : one_line(function, name_bytes_max);
    const auto import = std::ranges::find(imports, frame.module, &ImportImage::start);
    if (import != imports.end()) {
        text = one_line(import->name, name_bytes_max) + "!" + text;
    }
    if (frame.line > 0 && frame.file_bytes > 0) {
        text += " (" + one_line(short_path({frame.file, frame.file_bytes}), path_bytes_max) + ":" +
                std::to_string(frame.line);
        text += frame.column > 0 ? ":" + std::to_string(frame.column) + ")" : ")";
    } else if (frame.module_offset != UINT64_MAX) {
        text += " @" + wasm_binary::hex_offset(frame.module_offset);
    }
    return text;
}

struct Frames {
    std::span<const ImportImage> imports;
    std::vector<std::string> texts{};
};

void add_frame(void* data, const ic_frame_t* frame) noexcept {
    Frames& frames = *static_cast<Frames*>(data);
    frames.texts.push_back(text_of(*frame, frames.imports));
}

/// " in a < b < c": the innermost functions, as far as the module names them.
std::string place_of(const Failure& failure, std::span<const ImportImage> imports) {
    Frames found{.imports = imports};
    ic_frames(failure.trap.get(), failure.error.get(), frames_shown_max + 1, &add_frame, &found);
    const std::vector<std::string>& frames = found.texts;
    std::string text;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (i == frames_shown_max || text.size() + frames[i].size() > place_bytes_max) {
            return text + " < ...";
        }
        text += (i == 0 ? " in " : " < ") + frames[i];
    }
    return text;
}

/// The number after `words` in `text`.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view words) {
    const std::size_t at = text.find(words);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view digits = text.substr(at + words.size());
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return read.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

job::Ending ending_of(Errc code, std::string message) {
    job::Ending ending;
    ending.error = code;
    ending.message = std::move(message);
    return ending;
}

/// Growth of memory or table that was refused: native/src/lib.rs makes it an error with these
/// words.
std::optional<job::Ending>
growth_refused(std::string_view text, std::string_view place, const job::Limits& limits) {
    const bool memory = text.find("memory to ") != std::string_view::npos ||
                        text.find("memory growth failure") != std::string_view::npos ||
                        text.find("memory minimum size") != std::string_view::npos ||
                        text.find("memory has a minimum") != std::string_view::npos;
    const bool table = text.find("table to ") != std::string_view::npos ||
                       text.find("table growth failure") != std::string_view::npos ||
                       text.find("table minimum size") != std::string_view::npos ||
                       text.find("initial table size") != std::string_view::npos;
    if (!memory && !table) {
        return std::nullopt;
    }
    const std::string_view what = memory ? "memory" : "tables";
    const std::string_view unit = memory ? " bytes" : " elements";
    const std::uint64_t limit = memory ? limits.memory_bytes_max : limits.table_elements_max;
    const auto wanted = number_after(text, memory ? "memory to " : "table to ");
    std::string message = "the guest wanted more ";
    message.append(what).append(place);
    if (wanted && *wanted <= limit) {
        message.append(": ").append(std::to_string(*wanted)).append(unit);
        message.append(", which is beyond the maximum that the module declares itself");
        return ending_of(memory ? Errc::limit_memory : Errc::limit_table, std::move(message));
    }
    message.append(" than its limit of ").append(std::to_string(limit)).append(unit);
    if (wanted) {
        message.append(" (").append(std::to_string(*wanted)).append(")");
    }
    message.append(memory ? ": raise --memory or use less"
                          : ": raise --table-elements or use less");
    return ending_of(memory ? Errc::limit_memory : Errc::limit_table, std::move(message));
}

} // namespace

std::string one_line(std::string_view text, std::size_t bytes_max) {
    std::size_t size = std::min(text.size(), bytes_max);
    // Not in the middle of a UTF-8 sequence: documents hold valid text only.
    while (size > 0 && size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    std::string line(text.substr(0, size));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = ' ';
        }
    }
    if (size < text.size()) {
        line += "...";
    }
    return line;
}

job::Ending ending_for(const Failure& failure,
                       const job::Limits& limits,
                       std::span<const ImportImage> imports) {
    const std::string place = place_of(failure, imports);
    if (failure.trap) {
        wasmtime_trap_code_t trap = 0;
        if (wasmtime_trap_code(failure.trap.get(), &trap)) {
            for (const Row& row : rows) {
                if (row.trap == trap) {
                    std::string message(row.cause);
                    message.append(place).append(": ").append(row.remedy);
                    return ending_of(row.code, std::move(message));
                }
            }
        }
    }
    const std::string text = failure.trap ? message_of(*failure.trap) : message_of(*failure.error);
    if (!failure.trap && text.starts_with("incompatible import type")) { // Wasmtime, linker.rs.
        return ending_of(
            Errc::import_missing,
            "the modules of the job do not fit each other: " + one_line(text, detail_bytes_max) +
                ": build them from the same declarations");
    }
    if (auto ending = growth_refused(text, place, limits)) {
        return *std::move(ending);
    }
    return ending_of(failure.trap ? Errc::trap_other : Errc::internal,
                     "the engine ended the guest" + place + ": " +
                         one_line(text, detail_bytes_max));
}

} // namespace ic::executor::wasm
