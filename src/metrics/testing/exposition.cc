#include "metrics/testing/exposition.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <regex>
#include <sstream>

namespace ic::metrics::testing {
namespace {

using Families = std::map<std::string, ExposedFamily>;

class Reader {
public:
    Result<Families> read(std::string_view text) {
        if (!text.empty() && !text.ends_with('\n')) {
            return Error{Errc::malformed, "the last line has no end"};
        }
        std::istringstream lines{std::string(text)};
        for (std::string line; std::getline(lines, line);) {
            Result<void> taken = line.starts_with("# ") ? take_comment(line) : take_sample(line);
            if (!taken) {
                return std::move(taken).take_error().during(line);
            }
        }
        TRY(end_family());
        return std::move(families_);
    }

private:
    static Error wrong(const std::string& what) { return {Errc::malformed, what}; }

    Result<void> take_comment(const std::string& line) {
        static const std::regex help{R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*))"};
        static const std::regex type{
            R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))"};
        std::smatch match;
        if (std::regex_match(line, match, help)) {
            TRY(end_family());
            name_ = match[1];
            if (!families_
                     .emplace(name_, ExposedFamily{.type = {}, .help = match[2], .samples = {}})
                     .second) {
                return wrong("this family was there before");
            }
            return {};
        }
        if (!std::regex_match(line, match, type)) {
            return wrong("neither HELP nor TYPE");
        }
        if (match[1] != name_ || !families_[name_].type.empty()) {
            return wrong("TYPE without its HELP before it");
        }
        families_[name_].type = match[2];
        const bool is_total = name_.ends_with("_total");
        if (is_total != (match[2] == "counter")) {
            return wrong("counters end in _total, and nothing else does");
        }
        return {};
    }

    Result<void> take_sample(const std::string& line) {
        static const std::regex form{
            R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([^{}]*)\})? ([-+]?[0-9.eE+-]+|NaN|[+-]Inf))"};
        static const std::regex labels{
            R"re(([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,(?!$))?)+)re"};
        std::smatch match;
        if (!std::regex_match(line, match, form)) {
            return wrong("no sample");
        }
        if (match[2].matched && !std::regex_match(match[3].str(), labels)) {
            return wrong("these are no labels");
        }
        const std::string sample = match[1];
        if (name_.empty() || !sample.starts_with(name_) || families_[name_].type.empty()) {
            return wrong("a sample without its HELP and TYPE before it");
        }
        const std::string suffix = sample.substr(name_.size());
        ExposedFamily& family = families_[name_];
        const bool is_histogram = family.type == "histogram";
        const bool has_known_suffix =
            is_histogram ? suffix == "_bucket" || suffix == "_sum" || suffix == "_count"
                         : suffix.empty();
        if (!has_known_suffix) {
            return wrong("a sample without its HELP and TYPE before it");
        }
        char* end = nullptr;
        const std::string number = match[4];
        const double value = std::strtod(number.c_str(), &end);
        if (end != number.c_str() + number.size()) {
            return wrong("no number");
        }
        if (family.type != "gauge" && !(value >= 0)) {
            return wrong("what only grows is negative");
        }
        if (!family.samples.emplace(suffix + match[2].str(), value).second) {
            return wrong("this series was there before");
        }
        if (suffix == "_bucket") {
            return take_bucket(match[3], value);
        }
        if (suffix == "_count" && value != last_bucket_) {
            return wrong("the count is not that of the bucket +Inf");
        }
        return {};
    }

    Result<void> take_bucket(const std::string& labels, double value) {
        static const std::regex form{R"re((.*?),?le="([^"]+)")re"};
        std::smatch match;
        if (!std::regex_match(labels, match, form)) {
            return wrong("a bucket without le at its end");
        }
        const double bound = match[2] == "+Inf" ? std::numeric_limits<double>::infinity()
                                                : std::strtod(match[2].str().c_str(), nullptr);
        const bool is_first = match[1] != bucket_labels_ || std::isinf(last_bound_);
        if (is_first && last_bound_ > 0 && !std::isinf(last_bound_)) {
            return wrong("the buckets before have no +Inf");
        }
        if (!is_first && (bound <= last_bound_ || value < last_bucket_)) {
            return wrong("buckets fall");
        }
        bucket_labels_ = match[1];
        last_bound_ = bound;
        last_bucket_ = value;
        return {};
    }

    Result<void> end_family() {
        if (name_.empty()) {
            return {};
        }
        if (families_[name_].samples.empty()) {
            return wrong(name_ + " has no samples");
        }
        const bool has_open_buckets = last_bound_ > 0 && !std::isinf(last_bound_);
        last_bound_ = 0;
        bucket_labels_.clear();
        return has_open_buckets ? Result<void>(wrong("the buckets have no +Inf")) : Result<void>();
    }

    Families families_;
    std::string name_; ///< Of the family that is being read.
    std::string bucket_labels_;
    double last_bound_ = 0;
    double last_bucket_ = 0;
};

} // namespace

Result<Families> parse_exposition(std::string_view text) { return Reader().read(text); }

double value_in(const Families& families, const std::string& name, const std::string& labels) {
    const auto family = families.find(name);
    if (family == families.end()) {
        return std::nan("");
    }
    const auto sample = family->second.samples.find(labels);
    return sample == family->second.samples.end() ? std::nan("") : sample->second;
}

} // namespace ic::metrics::testing
