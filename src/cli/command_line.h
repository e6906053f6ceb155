#pragma once
/// Command and Option: what a command offers on its line. CLI11 does the work, behind them: it is
/// all inline, and each source that sees it takes the compiler many seconds. The sources of
/// commands see this header; command_line.cc and frame.cc alone see CLI11.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace ic::cli {

/// A flag or a word of a command. All return this, so that calls can be chained.
/// Lifetime: as its command.
class Option {
public:
    explicit Option(CLI::Option& library) : library_(library) {}

    Option* type_name(const std::string& name); ///< What stands for the value in the help.
    Option* group(const std::string& title);    ///< In the help; "": it is not shown there.
    Option* required();
    Option* expected(int values);
    Option* expected(int values_min, int values_max);
    Option* allow_extra_args(bool allowed);
    Option* take_all(); ///< Given again, it adds to what was given.
    Option* between(std::int64_t min, std::int64_t max);
    Option* one_of(const std::vector<std::string>& words);
    Option* capture_default_str(); ///< The help shows what the value is now.

    /// "--name"; its first, if it has one.
    std::string name() const;
    /// Those of `one_of`; empty if anything goes.
    const std::vector<std::string>& words() const { return words_; }
    /// As the help has them: "-q,--quiet"; a word's own name, "KEY".
    std::string names() const;
    bool is_flagged() const; ///< Not a word by its place.
    bool is_required() const;
    std::string help() const;
    /// What stands for its value in the help; empty of one without a value.
    std::string value_name() const;
    std::string group_title() const; ///< Empty: hidden.
    /// How often it was given; after parsing.
    std::size_t count() const;

private:
    CLI::Option& library_;
    std::vector<std::string> words_;
};

/// The program, or a command of it. Lifetime: as the program; so must be what options set.
class Command {
public:
    /// The program itself.
    Command(const std::string& description, const std::string& name);
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command();

    Command* add_subcommand(const std::string& name, const std::string& description);

    /// An option with a value, `-n,--name`, or a word without a flag, `NAME`. Value: std::string, a
    /// number, a std::optional or a std::vector of these, as command_line.cc lists them.
    template <class Value>
    Option* add_option(const std::string& names, Value& value, const std::string& help = "");

    /// An option without one; `--name=false` sets it back.
    Option* add_flag(const std::string& names, bool& value, const std::string& help = "");

    void version_flag(const std::string& names, const std::string& text, const std::string& help);
    void footer(const std::string& text);
    void group(const std::string& title); ///< "": hidden.
    void require_subcommand(int count);
    void callback(std::function<void()> action); ///< Called after parsing if it was chosen.

    const std::string& name() const { return name_; }
    std::string description() const;
    std::string footer_text() const;
    bool is_hidden() const;
    /// Of all, hidden ones too; in the order in which they were added.
    std::vector<Command*> subcommands() const;
    /// In the order in which they were added.
    std::vector<const Option*> options() const;
    /// "--name" and "-n" of each option that has a flag.
    std::vector<std::string> flags() const;

    CLI::App& library() { return *library_; }
    const CLI::App& library() const { return *library_; }

private:
    Command(CLI::App& library, const std::string& name);
    Option* keep(CLI::Option& library);

    std::string name_;
    std::unique_ptr<CLI::App> owned_; ///< The program's; a command's belongs to it.
    CLI::App* library_;
    std::vector<std::unique_ptr<Command>> subcommands_;
    std::vector<std::unique_ptr<Option>> options_;
};

} // namespace ic::cli
