#include "config/document.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace ic::config {
namespace {

using Json = nlohmann::json;
using Kind = DocumentNode::Kind;

/// Letters of a text; counts the lines that were passed.
class CountedLetters {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountedLetters(const char* at, std::size_t* line) : at_(at), line_(line) {}

    reference operator*() const { return *at_; }

    CountedLetters& operator++() {
        *line_ += *at_ == '\n' ? 1 : 0;
        ++at_;
        return *this;
    }

    CountedLetters operator++(int) {
        const CountedLetters before = *this;
        ++*this;
        return before;
    }

    friend bool operator==(const CountedLetters& left, const CountedLetters& right) {
        return left.at_ == right.at_;
    }

private:
    const char* at_;
    std::size_t* line_;
};

/// Builds the tree of what the library reads; false from a call ends the reading.
class Builder final : public nlohmann::json_sax<Json> {
public:
    Builder(std::string_view name, const std::size_t& line) : name_(name), line_(line) {}

    Result<DocumentNode> finish() {
        if (problem_) {
            return *problem_;
        }
        if (whole_.kind != Kind::table) {
            return Error{Errc::malformed, name_ + ": has to be an object, { ... }"};
        }
        return std::move(whole_);
    }

    bool null() override { return add(Kind::other, {}); }

    bool boolean(bool value) override { return add(Kind::truth, value ? "true" : "false"); }

    bool number_integer(number_integer_t value) override {
        return add(Kind::number, std::to_string(value));
    }

    bool number_unsigned(number_unsigned_t value) override {
        return add(Kind::number, std::to_string(value));
    }

    bool number_float(number_float_t, const string_t&) override { return add(Kind::other, {}); }

    bool string(string_t& value) override { return add(Kind::text, std::move(value)); }

    bool binary(binary_t&) override { return add(Kind::other, {}); }

    bool start_object(std::size_t) override { return open(Kind::table); }

    bool end_object() override { return close(); }

    bool start_array(std::size_t) override { return open(Kind::list); }

    bool end_array() override { return close(); }

    bool key(string_t& value) override {
        const std::vector<DocumentNode>& parts = open_.back()->parts;
        if (std::ranges::find(parts, value, &DocumentNode::name) != parts.end()) {
            return fail(Errc::malformed, "'" + value + "' comes twice");
        }
        key_ = std::move(value);
        key_line_ = line_;
        return true;
    }

    bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
        // "[json.exception.parse_error.101] parse error at line 2, column 3: WHAT"
        const std::string_view text = error.what();
        const std::size_t what = text.find(": ");
        return fail(Errc::malformed,
                    std::string(what == std::string_view::npos ? text : text.substr(what + 2)));
    }

private:
    bool fail(Errc code, const std::string& what) {
        problem_ = Error{code, name_ + ":" + std::to_string(line_) + ": " + what};
        return false;
    }

    /// Where the next value goes; null if there is no room.
    DocumentNode* place() {
        if (open_.empty()) {
            return &whole_;
        }
        DocumentNode& parent = *open_.back();
        if (parent.parts.size() == limits::json_parts_max) {
            fail(Errc::too_large,
                 "more than " + std::to_string(limits::json_parts_max) + " entries");
            return nullptr;
        }
        DocumentNode& node = parent.parts.emplace_back();
        node.line = line_;
        if (parent.kind == Kind::table) {
            node.name = std::exchange(key_, {});
            node.line = key_line_;
        }
        return &node;
    }

    bool add(Kind kind, std::string text) {
        DocumentNode* const node = place();
        if (node != nullptr) {
            node->kind = kind;
            node->text = std::move(text);
        }
        return node != nullptr;
    }

    bool open(Kind kind) {
        if (open_.size() == limits::json_depth_max) {
            return fail(Errc::too_large, "too many lists and objects within one another");
        }
        DocumentNode* const node = place();
        if (node != nullptr) {
            node->kind = kind;
            open_.push_back(node); // Stays where it is: its parent gets nothing while it is open.
        }
        return node != nullptr;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    std::string name_;
    const std::size_t& line_;
    std::string key_;
    std::size_t key_line_ = 0;
    DocumentNode whole_;
    std::vector<DocumentNode*> open_;
    std::optional<Error> problem_;
};

} // namespace

Result<DocumentNode>
parse_json_document(std::string_view text, std::string_view name, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return Error{Errc::too_large,
                     std::string(name) + " has more than " + std::to_string(bytes_max) + " bytes"};
    }
    std::size_t line = 1;
    Builder builder(name, line);
    static_cast<void>(Json::sax_parse(CountedLetters(text.data(), &line),
                                      CountedLetters(text.data() + text.size(), &line),
                                      &builder)); // What is wrong, the builder was told.
    return builder.finish();
}

} // namespace ic::config
