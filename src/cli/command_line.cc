#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include <optional>
#include <utility>

namespace ic::cli {

Option* Option::type_name(const std::string& name) {
    library_.type_name(name);
    return this;
}

Option* Option::group(const std::string& title) {
    library_.group(title);
    return this;
}

Option* Option::required() {
    library_.required();
    return this;
}

Option* Option::expected(int values) {
    library_.expected(values);
    return this;
}

Option* Option::expected(int values_min, int values_max) {
    library_.expected(values_min, values_max);
    return this;
}

Option* Option::allow_extra_args(bool allowed) {
    library_.allow_extra_args(allowed);
    return this;
}

Option* Option::take_all() {
    library_.take_all();
    return this;
}

Option* Option::between(std::int64_t min, std::int64_t max) {
    library_.check(CLI::Range(min, max).description(""));
    return this;
}

Option* Option::one_of(const std::vector<std::string>& words) {
    words_ = words;
    library_.check(CLI::IsMember(words));
    return this;
}

Option* Option::capture_default_str() {
    library_.capture_default_str();
    return this;
}

std::string Option::name() const {
    return library_.get_lnames().empty() ? "" : "--" + library_.get_lnames().front();
}

std::string Option::names() const {
    std::string all;
    for (const std::string& name : library_.get_snames()) {
        all += (all.empty() ? "-" : ",-") + name;
    }
    for (const std::string& name : library_.get_lnames()) {
        all += (all.empty() ? "--" : ",--") + name;
    }
    return all.empty() ? library_.get_name() : all;
}

bool Option::is_flagged() const { return library_.nonpositional(); }

bool Option::is_required() const { return library_.get_required(); }

std::string Option::help() const { return library_.get_description(); }

std::string Option::value_name() const {
    return library_.get_items_expected_max() == 0 ? "" : library_.get_type_name();
}

std::string Option::group_title() const { return library_.get_group(); }

std::size_t Option::count() const { return library_.count(); }

Command::Command(const std::string& description, const std::string& name)
    : name_(name)
    , owned_(std::make_unique<CLI::App>(description, name))
    , library_(owned_.get()) {}

Command::Command(CLI::App& library, const std::string& name) : name_(name), library_(&library) {}

Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
    CLI::App& library = *library_->add_subcommand(name, description);
    subcommands_.push_back(std::unique_ptr<Command>(new Command(library, name)));
    return subcommands_.back().get();
}

template <class Value>
Option* Command::add_option(const std::string& names, Value& value, const std::string& help) {
    return keep(*library_->add_option(names, value, help));
}

using Texts = std::vector<std::string>;
template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, Texts&, const std::string&);
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, unsigned&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option*
Command::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Option*
Command::add_option(const std::string&, std::optional<std::uint64_t>&, const std::string&);
template Option*
Command::add_option(const std::string&, std::optional<std::int64_t>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<int>&, const std::string&);

Option* Command::add_flag(const std::string& names, bool& value, const std::string& help) {
    return keep(*library_->add_flag(names, value, help));
}

void Command::version_flag(const std::string& names,
                           const std::string& text,
                           const std::string& help) {
    library_->set_version_flag(names, text, help);
}

void Command::footer(const std::string& text) { library_->footer(text); }

void Command::group(const std::string& title) { library_->group(title); }

void Command::require_subcommand(int count) { library_->require_subcommand(count); }

void Command::callback(std::function<void()> action) { library_->callback(std::move(action)); }

std::string Command::description() const { return library_->get_description(); }

std::string Command::footer_text() const { return library_->get_footer(); }

bool Command::is_hidden() const { return library_->get_group().empty(); }

std::vector<Command*> Command::subcommands() const {
    std::vector<Command*> all;
    for (const std::unique_ptr<Command>& command : subcommands_) {
        all.push_back(command.get());
    }
    return all;
}

std::vector<const Option*> Command::options() const {
    std::vector<const Option*> all;
    for (const std::unique_ptr<Option>& option : options_) {
        all.push_back(option.get());
    }
    return all;
}

std::vector<std::string> Command::flags() const {
    std::vector<std::string> all;
    for (const CLI::Option* option : std::as_const(*library_).get_options()) {
        for (const std::string& name : option->get_lnames()) {
            all.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            all.push_back("-" + name);
        }
    }
    return all;
}

Option* Command::keep(CLI::Option& library) {
    options_.push_back(std::make_unique<Option>(library));
    return options_.back().get();
}

} // namespace ic::cli
