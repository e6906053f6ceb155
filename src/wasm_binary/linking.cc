#include "wasm_binary/linking.h"

#include "base/text.h"
#include "wasm_binary/host_abi.h"
#include "wasm_binary/words.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace ic::wasm_binary {
namespace {

constexpr std::size_t faults_shown_max = 5;

/// Visits what is needed before what needs it.
class Order {
public:
    explicit Order(std::span<const Needs> linked)
        : linked_(linked)
        , states_(linked.size(), State::unseen) {}

    Result<void> visit_all(std::string_view importer, std::span<const std::string_view> needs) {
        for (const std::string_view name : needs) {
            const auto found = std::ranges::find(linked_, name, &Needs::name);
            if (found == linked_.end()) {
                return Error{Errc::import_missing,
                             std::string(importer) + " imports from " + quoted(name) +
                                 ", which is not there: name the module that exports it with "
                                 "--import " +
                                 shown(name) + "=CID"};
            }
            TRY(visit(static_cast<std::size_t>(found - linked_.begin())));
        }
        return {};
    }

    std::vector<std::size_t> take() { return std::move(order_); }

private:
    enum class State : std::uint8_t { unseen, open, done };

    Result<void> visit(std::size_t index) {
        const Needs& needs = linked_[index];
        if (states_[index] == State::done) {
            return {};
        }
        if (states_[index] == State::open) {
            return Error{Errc::module_invalid,
                         "the import " + quoted(needs.name) +
                             " needs itself, if not directly: a module can import from modules "
                             "alone that do not import from it"};
        }
        states_[index] = State::open;
        TRY(visit_all("the import " + quoted(needs.name), needs.modules));
        states_[index] = State::done;
        order_.push_back(index);
        return {};
    }

    std::span<const Needs> linked_;
    std::vector<State> states_;
    std::vector<std::size_t> order_;
};

/// Whether a memory or table of these bounds may stand where `wanted` is imported.
bool is_within(const Bounds& wanted, const Bounds& given) {
    return given.minimum >= wanted.minimum && given.is_64 == wanted.is_64 &&
           given.is_shared == wanted.is_shared &&
           (!wanted.maximum || (given.maximum && *given.maximum <= *wanted.maximum));
}

bool fits(const Module& importer, const Import& import, const Module& giver, const Export& given) {
    if (import.kind != given.kind) {
        return false;
    }
    switch (import.kind) {
    case ItemKind::function:
        return importer.type_of(import.index) == giver.type_of(given.index);
    case ItemKind::table:
        return importer.tables[import.index].element == giver.tables[given.index].element &&
               is_within(importer.tables[import.index].bounds, giver.tables[given.index].bounds);
    case ItemKind::memory:
        return is_within(importer.memories[import.index], giver.memories[given.index]);
    case ItemKind::global:
        return importer.globals[import.index] == giver.globals[given.index];
    case ItemKind::tag:
        return true; // Exceptions are off: the engine says so.
    }
    return false;
}

/// The exports of one module by name: there may be very many, and as many imports of them.
class Exports {
public:
    explicit Exports(const LinkedModule& linked) : linked_(linked) {
        for (const Export& made : linked.module->exports) {
            by_name_.emplace(made.name, &made);
        }
    }

    std::string_view name() const { return linked_.name; }

    /// What is wrong with an import from here.
    std::optional<std::string> fault(const Module& importer, const Import& import) const {
        const std::string what = shown(import.module) + "." + shown(import.name) + " (" +
                                 std::string(name_of(import.kind)) + " " +
                                 shown(importer.type_text(import.kind, import.index)) + ")";
        const auto found = by_name_.find(import.name);
        if (found == by_name_.end()) {
            return what + " is not exported there: " + remedy_for(import);
        }
        const Export& given = *found->second;
        if (fits(importer, import, *linked_.module, given)) {
            return std::nullopt;
        }
        return what + " is there a " + std::string(name_of(given.kind)) + " " +
               shown(linked_.module->type_text(given.kind, given.index)) +
               ": declare it like that, or build both from the same declarations";
    }

private:
    std::string remedy_for(const Import& import) const {
        std::vector<std::string_view> names;
        for (const NamedFunction& function : exported_functions(*linked_.module)) {
            names.push_back(function.name);
        }
        const std::string near =
            closest_word(import.name, std::vector<std::string>(names.begin(), names.end()));
        return near.empty() ? "it exports " + listed(names) : "did you mean " + near + "?";
    }

    const LinkedModule& linked_;
    std::unordered_map<std::string_view, const Export*> by_name_;
};

/// Whether what `importer` imports from modules that are here is there, and of the right type.
Result<void> check_exports(std::string_view importer_name,
                           const Module& importer,
                           std::span<const Exports> given) {
    std::string text;
    std::size_t faults = 0;
    for (const Import& import : importer.imports) {
        const auto from = std::ranges::find(given, import.module, &Exports::name);
        if (from == given.end() || faults > faults_shown_max) {
            continue;
        }
        if (const std::optional<std::string> fault = from->fault(importer, import)) {
            ++faults;
            text += faults > faults_shown_max ? "; and more" : (faults == 1 ? "" : "; ") + *fault;
        }
    }
    if (faults > 0) {
        return Error{Errc::import_missing,
                     std::string(importer_name) + " imports what is not there: " + text};
    }
    return {};
}

/// Whether all of `linked` are needed; all are here.
Result<void> check_order(const Module& main, std::span<const LinkedModule> linked) {
    std::vector<Needs> needs;
    for (const LinkedModule& module : linked) {
        needs.push_back({module.name, needs_of(*module.module)});
    }
    const std::vector<std::size_t> order = TRY(link_order(needs_of(main), needs));
    for (std::size_t i = 0; i < linked.size(); ++i) {
        if (std::ranges::find(order, i) == order.end()) {
            return Error{Errc::usage,
                         "nothing is imported from " + quoted(linked[i].name) + ": take --import " +
                             shown(linked[i].name) + "=CID out, or correct its name"};
        }
    }
    return {};
}

} // namespace

std::vector<std::string_view> needs_of(const Module& module) {
    std::vector<std::string_view> names;
    for (const Import& import : module.imports) {
        if (!is_host_module(import.module) && (names.empty() || names.back() != import.module)) {
            names.push_back(import.module);
        }
    }
    std::ranges::sort(names);
    const auto twice = std::ranges::unique(names);
    names.erase(twice.begin(), twice.end());
    return names;
}

Result<std::vector<std::size_t>> link_order(std::span<const std::string_view> main,
                                            std::span<const Needs> linked) {
    Order order(linked);
    TRY(order.visit_all("the module", main));
    return order.take();
}

Result<void> check_linked_job(const Module& main,
                              std::span<const LinkedModule> linked,
                              std::string_view handler,
                              std::span<const std::string> arguments) {
    std::vector<std::string_view> names;
    std::vector<Exports> exports;
    for (const LinkedModule& module : linked) {
        names.push_back(module.name);
        if (module.module != nullptr) {
            exports.emplace_back(module);
        }
    }
    TRY(check_host(main, names));
    TRY(check_exports("the module", main, exports));
    for (const LinkedModule& module : linked) {
        if (module.module != nullptr) {
            const std::string name = "the import " + quoted(module.name);
            Result<void> runs = check_host(*module.module, names);
            if (!runs) {
                return std::move(runs).take_error().during(name);
            }
            TRY(check_exports(name, *module.module, exports));
        }
    }
    if (exports.size() == linked.size()) {
        TRY(check_order(main, linked));
    }
    return check_handler(main, handler, arguments);
}

} // namespace ic::wasm_binary
