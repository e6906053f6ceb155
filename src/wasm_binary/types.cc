#include "wasm_binary/types.h"

#include <array>
#include <string_view>
#include <utility>

namespace ic::wasm_binary {
namespace {

constexpr std::uint8_t ref_null_code = 0x63;
constexpr std::uint8_t ref_code = 0x64;

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 20> names{{
    {0x7f, "i32"},         {0x7e, "i64"},        {0x7d, "f32"},         {0x7c, "f64"},
    {0x7b, "v128"},        {0x70, "funcref"},    {0x6f, "externref"},   {0x6e, "anyref"},
    {0x6d, "eqref"},       {0x6c, "i31ref"},     {0x6b, "structref"},   {0x6a, "arrayref"},
    {0x69, "exnref"},      {0x68, "contref"},    {0x71, "nullref"},     {0x72, "nullexternref"},
    {0x73, "nullfuncref"}, {0x74, "nullexnref"}, {0x75, "nullcontref"}, {0x78, "i8"},
}};

void note_reference(std::uint8_t code, std::size_t at, Features& features) {
    switch (code) {
    case 0x70:
        return;
    case 0x6f:
    case 0x72:
        features.note(Feature::host_references, at);
        return;
    case 0x69:
    case 0x74:
        features.note(Feature::exceptions, at);
        return;
    case 0x68:
    case 0x75:
        features.note(Feature::stack_switching, at);
        return;
    default:
        features.note(Feature::gc, at);
    }
}

Result<std::vector<ValueType>>
read_value_types(Reader& reader, Features& features, std::string_view of) {
    const std::uint32_t count = TRY(reader.count(limits::values_max, of));
    std::vector<ValueType> types;
    for (std::uint32_t i = 0; i < count; ++i) {
        types.push_back(TRY(read_value_type(reader, features)));
    }
    return types;
}

Result<void> read_field(Reader& reader, Features& features) {
    if (!reader.at_end() && (reader.peek() == 0x78 || reader.peek() == 0x77)) {
        TRY(reader.byte());
    } else {
        TRY(read_value_type(reader, features));
    }
    if (TRY(reader.byte()) > 1) {
        return reader.wrong("a field is neither constant nor mutable");
    }
    return {};
}

/// What stands behind the marks of subtypes.
Result<std::optional<FunctionType>> read_composite(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    switch (TRY(reader.byte())) {
    case 0x60: {
        FunctionType type;
        type.parameters = TRY(read_value_types(reader, features, "parameters of a function"));
        type.results = TRY(read_value_types(reader, features, "results of a function"));
        if (type.results.size() > 1) {
            features.note(Feature::multi_value, at);
        }
        return std::optional<FunctionType>(std::move(type));
    }
    case 0x5f: {
        features.note(Feature::gc, at);
        const std::uint32_t count = TRY(reader.count(limits::fields_max, "fields"));
        for (std::uint32_t i = 0; i < count; ++i) {
            TRY(read_field(reader, features));
        }
        return std::optional<FunctionType>();
    }
    case 0x5e:
        features.note(Feature::gc, at);
        TRY(read_field(reader, features));
        return std::optional<FunctionType>();
    case 0x5d:
        features.note(Feature::stack_switching, at);
        TRY(reader.s33());
        return std::optional<FunctionType>();
    default:
        return reader.wrong("an unknown kind of type");
    }
}

Result<std::optional<FunctionType>> read_subtype(Reader& reader, Features& features) {
    if (!reader.at_end() && (reader.peek() == 0x50 || reader.peek() == 0x4f)) {
        features.note(Feature::gc, reader.offset());
        TRY(reader.byte());
        const std::uint32_t count = TRY(reader.count(1, "supertypes"));
        for (std::uint32_t i = 0; i < count; ++i) {
            TRY(reader.u32());
        }
    }
    return read_composite(reader, features);
}

std::string list_of(const std::vector<ValueType>& types) {
    std::string text = "(";
    for (const ValueType& type : types) {
        text.append(text.size() > 1 ? ", " : "").append(to_string(type));
    }
    return text + ")";
}

std::string range_of(const Bounds& bounds) {
    std::string text = std::to_string(bounds.minimum);
    if (!bounds.maximum) {
        return text + " or more";
    }
    return *bounds.maximum == bounds.minimum ? text
                                             : text + " to " + std::to_string(*bounds.maximum);
}

} // namespace

Result<ValueType> read_value_type(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    const std::uint8_t code = TRY(reader.byte());
    if (code == ref_code || code == ref_null_code) {
        const std::int64_t heap = TRY(reader.s33());
        const auto short_code = static_cast<std::uint8_t>(heap & 0x7f);
        if (code == ref_null_code && heap < 0) { // A longer form of what has a code of its own.
            note_reference(short_code, at, features);
            return ValueType{.code = short_code};
        }
        features.note(Feature::function_references, at);
        return ValueType{.code = code, .heap = heap};
    }
    for (const auto& [known, name] : names) {
        if (known != code || code == 0x78) {
            continue;
        }
        if (code == v128.code) {
            features.note(Feature::simd, at);
        } else if (code < v128.code) {
            note_reference(code, at, features);
        }
        return ValueType{.code = code};
    }
    return reader.wrong("an unknown type of a value");
}

Result<Bounds> read_bounds(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    const std::uint8_t flags = TRY(reader.byte());
    if (flags > 0x0f) {
        return reader.wrong("unknown flags of a memory or table");
    }
    Bounds bounds;
    bounds.is_shared = (flags & 2U) != 0;
    bounds.is_64 = (flags & 4U) != 0;
    if (bounds.is_shared) {
        features.note(Feature::threads, at);
    }
    if (bounds.is_64) {
        features.note(Feature::memory64, at);
    }
    bounds.minimum = bounds.is_64 ? TRY(reader.u64()) : TRY(reader.u32());
    if ((flags & 1U) != 0) {
        bounds.maximum = bounds.is_64 ? TRY(reader.u64()) : TRY(reader.u32());
    }
    if ((flags & 8U) != 0) {
        features.note(Feature::custom_page_sizes, at);
        TRY(reader.u32());
    }
    return bounds;
}

Result<TableType> read_table_type(Reader& reader, Features& features) {
    const ValueType element = TRY(read_value_type(reader, features));
    if (element.code >= v128.code) {
        return reader.wrong("a table of what is no reference");
    }
    return TableType{.element = element, .bounds = TRY(read_bounds(reader, features))};
}

Result<GlobalType> read_global_type(Reader& reader, Features& features) {
    const ValueType value = TRY(read_value_type(reader, features));
    const std::uint8_t flags = TRY(reader.byte());
    if (flags > 3) {
        return reader.wrong("unknown flags of a global");
    }
    if ((flags & 2U) != 0) {
        features.note(Feature::threads, reader.offset());
    }
    return GlobalType{.value = value, .is_mutable = (flags & 1U) != 0};
}

Result<void> read_types(Reader& reader,
                        Features& features,
                        std::vector<std::optional<FunctionType>>& types,
                        std::size_t types_max) {
    std::uint32_t count = 1;
    if (!reader.at_end() && reader.peek() == 0x4e) {
        features.note(Feature::gc, reader.offset());
        TRY(reader.byte());
        count = TRY(reader.count(types_max - types.size(), "types"));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        types.push_back(TRY(read_subtype(reader, features)));
    }
    return {};
}

std::string to_string(const ValueType& type) {
    if (type.code == ref_code || type.code == ref_null_code) {
        const std::string heap =
            type.heap >= 0 ? std::to_string(type.heap)
                           : to_string(ValueType{static_cast<std::uint8_t>(type.heap & 0x7f)});
        return (type.code == ref_code ? "(ref " : "(ref null ") + heap + ")";
    }
    for (const auto& [code, name] : names) {
        if (code == type.code) {
            return std::string(name);
        }
    }
    return "another type";
}

std::string to_string(const FunctionType& type) {
    return list_of(type.parameters) + " -> " + list_of(type.results);
}

std::string to_string(const TableType& type) {
    return to_string(type.element) + ", " + range_of(type.bounds) + " elements" +
           (type.bounds.is_64 ? ", 64-bit" : "");
}

std::string memory_to_string(const Bounds& bounds) {
    return range_of(bounds) + " pages" + (bounds.is_shared ? ", shared" : "") +
           (bounds.is_64 ? ", 64-bit" : "");
}

std::string to_string(const GlobalType& type) {
    return (type.is_mutable ? "mutable " : "") + to_string(type.value);
}

} // namespace ic::wasm_binary
