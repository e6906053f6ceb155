#include "wasm_binary/module.h"

#include "wasm_binary/code.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ic::wasm_binary {
namespace {

/// The order in which sections stand; custom ones anywhere.
/// Source: core specification 3.0, section 5.5.2.
constexpr std::array<std::uint8_t, 13> order{1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};

/// Reads one module's sections, one after the other.
class Parser {
public:
    Result<Module> read(ByteView bytes);

private:
    Result<void> custom(Reader content);
    Result<void> section(std::uint8_t id, Reader& content);
    Result<void> types(Reader& content);
    Result<void> imports(Reader& content);
    Result<void> functions(Reader& content);
    Result<void> tables(Reader& content);
    Result<void> memories(Reader& content);
    Result<void> tags(Reader& content);
    Result<void> globals(Reader& content);
    Result<void> exports(Reader& content);
    Result<void> elements(Reader& content);
    Result<void> element(Reader& content);
    Result<void> code(Reader& content);
    Result<void> data(Reader& content);
    Result<Import> import(Reader& content);
    Result<void> add_function(Reader& content);
    Result<void> add_tag(Reader& content);
    Result<void> add_table(const TableType& type, const Reader& at);
    Result<void> add_memory(const Bounds& bounds, const Reader& at);
    Result<void> add_global(const GlobalType& type, const Reader& at);
    std::size_t count_of(ItemKind kind) const;

    Module module_;
    std::size_t imported_functions_ = 0;
    std::size_t bodies_ = 0;
    std::size_t tags_ = 0;
    std::optional<std::uint32_t> data_count_;
};

std::size_t Parser::count_of(ItemKind kind) const {
    switch (kind) {
    case ItemKind::function:
        return module_.functions.size();
    case ItemKind::table:
        return module_.tables.size();
    case ItemKind::memory:
        return module_.memories.size();
    case ItemKind::global:
        return module_.globals.size();
    case ItemKind::tag:
        return tags_;
    }
    return 0;
}

Result<void> Parser::custom(Reader content) {
    const std::string_view name = TRY(content.name());
    module_.custom.push_back({name, content.offset(), content.rest()});
    return {};
}

Result<void> Parser::types(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "types"));
    for (std::uint32_t i = 0; i < count; ++i) {
        if (module_.types.size() >= limits::items_max) {
            return content.wrong("too many types");
        }
        TRY(read_types(content, module_.features, module_.types, limits::items_max));
    }
    return {};
}

Result<void> Parser::add_function(Reader& content) {
    const std::uint32_t type = TRY(content.u32());
    if (type >= module_.types.size() || !module_.types[type]) {
        return content.wrong("a function of a type that is not there");
    }
    if (module_.functions.size() >= limits::items_max) {
        return content.wrong("too many functions");
    }
    module_.functions.push_back(type);
    return {};
}

Result<void> Parser::add_tag(Reader& content) {
    module_.features.note(Feature::exceptions, content.offset());
    if (TRY(content.byte()) != 0) {
        return content.wrong("a tag of an unknown kind");
    }
    TRY(content.u32());
    ++tags_;
    return {};
}

Result<void> Parser::add_table(const TableType& type, const Reader& at) {
    if (module_.tables.size() >= limits::tables_max) {
        return at.wrong("more than " + std::to_string(limits::tables_max) + " tables");
    }
    module_.tables.push_back(type);
    if (module_.tables.size() > 1) {
        module_.features.note(Feature::reference_types, at.offset());
    }
    return {};
}

Result<void> Parser::add_memory(const Bounds& bounds, const Reader& at) {
    if (module_.memories.size() >= limits::memories_max) {
        return at.wrong("more than " + std::to_string(limits::memories_max) + " memories");
    }
    module_.memories.push_back(bounds);
    if (module_.memories.size() > 1) {
        module_.features.note(Feature::multi_memory, at.offset());
    }
    return {};
}

Result<void> Parser::add_global(const GlobalType& type, const Reader& at) {
    if (module_.globals.size() >= limits::items_max) {
        return at.wrong("too many globals");
    }
    module_.globals.push_back(type);
    return {};
}

Result<Import> Parser::import(Reader& content) {
    Import made;
    made.module = TRY(content.name());
    made.name = TRY(content.name());
    std::uint8_t kind = TRY(content.byte());
    constexpr std::uint8_t exact_function = 0x20; // Proposal custom-descriptors: external types.
    if (kind == exact_function) {
        module_.features.note(Feature::custom_descriptors, content.offset());
        kind = static_cast<std::uint8_t>(ItemKind::function);
    }
    if (kind > 4) {
        return content.wrong("an import of an unknown kind");
    }
    made.kind = static_cast<ItemKind>(kind);
    made.index = static_cast<std::uint32_t>(count_of(made.kind));
    switch (made.kind) {
    case ItemKind::function:
        TRY(add_function(content));
        break;
    case ItemKind::table:
        TRY(add_table(TRY(read_table_type(content, module_.features)), content));
        break;
    case ItemKind::memory:
        TRY(add_memory(TRY(read_bounds(content, module_.features)), content));
        break;
    case ItemKind::global: {
        const GlobalType type = TRY(read_global_type(content, module_.features));
        if (type.is_mutable) {
            module_.features.note(Feature::mutable_globals, content.offset());
        }
        TRY(add_global(type, content));
        break;
    }
    case ItemKind::tag:
        TRY(add_tag(content));
        break;
    }
    return made;
}

Result<void> Parser::imports(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "imports"));
    for (std::uint32_t i = 0; i < count; ++i) {
        module_.imports.push_back(TRY(import(content)));
    }
    imported_functions_ = module_.functions.size();
    return {};
}

Result<void> Parser::functions(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "functions"));
    for (std::uint32_t i = 0; i < count; ++i) {
        TRY(add_function(content));
    }
    return {};
}

Result<void> Parser::tables(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::tables_max, "tables"));
    for (std::uint32_t i = 0; i < count; ++i) {
        const bool has_value = !content.at_end() && content.peek() == 0x40;
        if (has_value) { // What the elements are at first.
            module_.features.note(Feature::function_references, content.offset());
            TRY(content.byte());
            if (TRY(content.byte()) != 0) {
                return content.wrong("a table of an unknown kind");
            }
        }
        TRY(add_table(TRY(read_table_type(content, module_.features)), content));
        if (has_value) {
            TRY(skip_expression(content, module_.features, Expression::constant));
        }
    }
    return {};
}

Result<void> Parser::memories(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::memories_max, "memories"));
    for (std::uint32_t i = 0; i < count; ++i) {
        TRY(add_memory(TRY(read_bounds(content, module_.features)), content));
    }
    return {};
}

Result<void> Parser::tags(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "tags"));
    for (std::uint32_t i = 0; i < count; ++i) {
        TRY(add_tag(content));
    }
    return {};
}

Result<void> Parser::globals(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "globals"));
    for (std::uint32_t i = 0; i < count; ++i) {
        TRY(add_global(TRY(read_global_type(content, module_.features)), content));
        TRY(skip_expression(content, module_.features, Expression::constant));
    }
    return {};
}

Result<void> Parser::exports(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::items_max, "exports"));
    for (std::uint32_t i = 0; i < count; ++i) {
        Export made;
        made.name = TRY(content.name());
        const std::uint8_t kind = TRY(content.byte());
        made.index = TRY(content.u32());
        if (kind > 4) {
            return content.wrong("an export of an unknown kind");
        }
        made.kind = static_cast<ItemKind>(kind);
        if (made.index >= count_of(made.kind)) {
            return content.wrong("an export of what is not there");
        }
        if (made.kind == ItemKind::global && module_.globals[made.index].is_mutable) {
            module_.features.note(Feature::mutable_globals, content.offset());
        }
        module_.exports.push_back(made);
    }
    std::vector<std::string_view> names;
    for (const Export& made : module_.exports) {
        names.push_back(made.name);
    }
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end()) {
        return content.wrong("two exports of one name");
    }
    return {};
}

/// Bit 0 of the flags: passive or declarative; bit 1: a table or kind is named; bit 2: expressions.
Result<void> Parser::element(Reader& content) {
    const std::size_t at = content.offset();
    const std::uint32_t flags = TRY(content.u32());
    if (flags > 7) {
        return content.wrong("elements of an unknown kind");
    }
    Features& features = module_.features;
    const bool is_active = (flags & 1U) == 0;
    if (!is_active) {
        features.note(Feature::bulk_memory, at);
    }
    if (is_active && (flags & 2U) != 0) {
        features.note(Feature::reference_types, at);
        TRY(content.u32());
    }
    if (is_active) {
        TRY(skip_expression(content, features, Expression::constant));
    }
    const bool has_expressions = (flags & 4U) != 0;
    if ((flags & 3U) != 0) {
        if (has_expressions) {
            TRY(read_value_type(content, features));
        } else if (TRY(content.byte()) != 0) {
            return content.wrong("elements of an unknown kind");
        }
    }
    const std::uint32_t count = TRY(content.count(10 * limits::items_max, "elements"));
    for (std::uint32_t i = 0; i < count; ++i) {
        if (has_expressions) {
            TRY(skip_expression(content, features, Expression::constant));
        } else {
            TRY(content.u32());
        }
    }
    return {};
}

Result<void> Parser::elements(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::segments_max, "segments of elements"));
    for (std::uint32_t i = 0; i < count; ++i) {
        TRY(element(content));
    }
    return {};
}

Result<void> Parser::code(Reader& content) {
    module_.code_bytes = content.left();
    const std::uint32_t count = TRY(content.count(limits::items_max, "functions"));
    for (; bodies_ < count; ++bodies_) {
        const std::uint32_t bytes = TRY(content.u32());
        if (bytes > limits::body_bytes_max) {
            return content.wrong("a function is too large");
        }
        TRY(read_body(TRY(content.part(bytes)), module_.features));
    }
    return {};
}

Result<void> Parser::data(Reader& content) {
    const std::uint32_t count = TRY(content.count(limits::segments_max, "segments of data"));
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = content.offset();
        const std::uint32_t flags = TRY(content.u32());
        if (flags > 2) {
            return content.wrong("data of an unknown kind");
        }
        if (flags == 1) {
            module_.features.note(Feature::bulk_memory, at);
        } else {
            if (flags == 2 && TRY(content.u32()) != 0) {
                module_.features.note(Feature::multi_memory, at);
            }
            TRY(skip_expression(content, module_.features, Expression::constant));
        }
        const std::uint32_t bytes = TRY(content.u32());
        TRY(content.take(bytes));
        module_.data_bytes += bytes;
    }
    module_.data_segments = count;
    return {};
}

Result<void> Parser::section(std::uint8_t id, Reader& content) {
    switch (id) {
    case 1:
        return types(content);
    case 2:
        return imports(content);
    case 3:
        return functions(content);
    case 4:
        return tables(content);
    case 5:
        return memories(content);
    case 6:
        return globals(content);
    case 7:
        return exports(content);
    case 8:
        module_.start = TRY(content.u32());
        return *module_.start < module_.functions.size()
                   ? Result<void>()
                   : content.wrong("a start function that is not there");
    case 9:
        return elements(content);
    case 10:
        return code(content);
    case 11:
        return data(content);
    case 12:
        module_.features.note(Feature::bulk_memory, content.offset());
        data_count_ = TRY(content.u32());
        return {};
    default:
        return tags(content);
    }
}

Result<Module> Parser::read(ByteView bytes) {
    Reader reader(bytes);
    TRY(reader.take(8)); // Looked at already.
    std::ptrdiff_t last = -1;
    while (!reader.at_end()) {
        const std::uint8_t id = TRY(reader.byte());
        Reader content = TRY(reader.part(TRY(reader.u32())));
        module_.sections.push_back({id, content.offset(), content.left()});
        if (id == 0) {
            TRY(custom(content));
            continue;
        }
        const auto place = std::ranges::find(order, id);
        if (place == order.end() || place - order.begin() <= last) {
            return content.wrong("a section of an unknown kind, or out of order");
        }
        last = place - order.begin();
        TRY(section(id, content));
        if (!content.at_end()) {
            return content.wrong("a section goes on behind its end");
        }
    }
    if (bodies_ != module_.functions.size() - imported_functions_) {
        return reader.wrong("not every function has its code");
    }
    if (data_count_ && *data_count_ != module_.data_segments) {
        return reader.wrong("another number of data segments than was said");
    }
    return std::move(module_);
}

} // namespace

std::string_view name_of(ItemKind kind) {
    constexpr std::array<std::string_view, 5> names{"function", "table", "memory", "global", "tag"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Role role) {
    constexpr std::array<std::string_view, 3> names{"command", "reactor", "library"};
    return names[static_cast<std::size_t>(role)];
}

const FunctionType* Module::exported_function(std::string_view name) const {
    for (const Export& made : exports) {
        if (made.kind == ItemKind::function && made.name == name) {
            return &type_of(made.index);
        }
    }
    return nullptr;
}

Role Module::role() const {
    const FunctionType plain;
    const FunctionType* start_function = exported_function("_start");
    if (start_function != nullptr && *start_function == plain) {
        return Role::command;
    }
    const FunctionType* initialize = exported_function("_initialize");
    return initialize != nullptr && *initialize == plain ? Role::reactor : Role::library;
}

std::string Module::type_text(ItemKind kind, std::uint32_t index) const {
    switch (kind) {
    case ItemKind::function:
        return to_string(type_of(index));
    case ItemKind::table:
        return to_string(tables[index]);
    case ItemKind::memory:
        return memory_to_string(memories[index]);
    case ItemKind::global:
        return to_string(globals[index]);
    case ItemKind::tag:
        return "exception";
    }
    return {};
}

Content content_of(ByteView bytes) {
    constexpr std::array<std::uint8_t, 4> magic{0x00, 'a', 's', 'm'};
    if (bytes.size() < 8 || !std::ranges::equal(bytes.first(4), magic)) {
        const std::size_t text = text_of(bytes).find_first_not_of(" \t\r\n");
        const std::string_view rest =
            text == std::string_view::npos ? std::string_view() : text_of(bytes).substr(text);
        return rest.starts_with('(') || rest.starts_with(";;") ? Content::text : Content::other;
    }
    // Byte 6 is the layer: 0 of core modules, 1 of components (component-model, Binary.md).
    return bytes[6] == 1 ? Content::component : Content::module;
}

Result<Module> parse(ByteView bytes) {
    switch (content_of(bytes)) {
    case Content::text:
        return Error{Errc::module_invalid,
                     "this is WebAssembly text: convert it with wat2wasm and add the result"};
    case Content::other:
        return Error{Errc::module_invalid,
                     "this is no WebAssembly module: it does not begin with \\0asm; name a file "
                     "that a compiler made for wasm32-wasip1"};
    case Content::component:
        return Error{Errc::module_invalid,
                     "this is a WebAssembly component, which cannot be run: build a core module "
                     "for wasm32-wasip1 (Rust: --target wasm32-wasip1, not wasip2; no `wasm-tools "
                     "component new`)"};
    case Content::module:
        break;
    }
    if (bytes[4] != 1 || bytes[5] != 0 || bytes[7] != 0) {
        return Error{Errc::module_invalid,
                     "this is WebAssembly of another version than 1, which nobody can run yet"};
    }
    Result<Module> read = Parser().read(bytes);
    if (!read) {
        return Error{Errc::module_invalid,
                     "the module is damaged: " + read.error().message + "; build it again"};
    }
    return read;
}

} // namespace ic::wasm_binary
