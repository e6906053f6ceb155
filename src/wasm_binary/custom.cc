#include "wasm_binary/custom.h"

#include "wasm_binary/reader.h"

namespace ic::wasm_binary {
namespace {

constexpr std::size_t fields_of_producers_max = 16;
constexpr std::size_t named_functions_max = 1'000'000;

Result<void> read_producers(const CustomSection& section, std::vector<Producer>& producers) {
    Reader reader(section.content, section.offset);
    const std::uint32_t fields = TRY(reader.count(fields_of_producers_max, "fields"));
    for (std::uint32_t i = 0; i < fields; ++i) {
        const std::string_view field = TRY(reader.name());
        const std::uint32_t values = TRY(reader.count(limits::producers_max, "producers"));
        for (std::uint32_t j = 0; j < values; ++j) {
            const std::string_view name = TRY(reader.name());
            const std::string_view version = TRY(reader.name());
            if (producers.size() < limits::producers_max) {
                producers.push_back({field, name, version});
            }
        }
    }
    return {};
}

Result<NameSection> read_names(const CustomSection& section) {
    Reader reader(section.content, section.offset);
    NameSection names;
    while (!reader.at_end()) {
        const std::uint8_t id = TRY(reader.byte());
        Reader part = TRY(reader.part(TRY(reader.u32())));
        if (id == 0) {
            names.module = TRY(part.name());
        } else if (id == 1) {
            names.functions = TRY(part.count(named_functions_max, "names"));
        }
    }
    return names;
}

} // namespace

std::vector<Producer> producers_of(const std::vector<CustomSection>& custom) {
    std::vector<Producer> producers;
    for (const CustomSection& section : custom) {
        if (section.name == "producers") {
            static_cast<void>(read_producers(section, producers)); // What was whole is there.
        }
    }
    return producers;
}

std::optional<NameSection> names_of(const std::vector<CustomSection>& custom) {
    for (const CustomSection& section : custom) {
        if (section.name == "name") {
            if (const Result<NameSection> names = read_names(section)) {
                return *names;
            }
        }
    }
    return std::nullopt;
}

std::size_t dwarf_bytes(const std::vector<CustomSection>& custom) {
    std::size_t bytes = 0;
    for (const CustomSection& section : custom) {
        if (section.name.starts_with(".debug_")) {
            bytes += section.content.size();
        }
    }
    return bytes;
}

} // namespace ic::wasm_binary
