#include "metrics/registry.h"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace ic::metrics {
namespace {

std::size_t values_of(const Label& label) { return label.name.empty() ? 1 : label.values.size(); }

std::size_t index_of(const Label& label, std::string_view value) {
    if (label.name.empty()) {
        return 0;
    }
    const auto found = std::ranges::find(label.values, value);
    const auto at = found == label.values.end()
                        ? label.values.size() - 1
                        : static_cast<std::size_t>(found - label.values.begin());
    return at;
}

const Family& family_of(Metric metric) { return catalogue()[static_cast<std::size_t>(metric)]; }

/// The shortest text without an exponent that reads back as this number.
std::string text_of(double number) {
    std::array<char, 64> text{}; // 20 digits before the point, and some after it.
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    assert(error == std::errc{});
    return {text.data(), end};
}

std::string scaled(std::uint64_t value, double scale) {
    return scale == 1 ? std::to_string(value) : text_of(static_cast<double>(value) * scale);
}

/// `{ending="success",le="0.1"}`; empty without labels. Values are ours: none needs escaping.
class LabelText {
public:
    LabelText& add(std::string_view name, std::string_view value) {
        if (!name.empty()) {
            text_ += text_.empty() ? "{" : ",";
            text_.append(name).append("=\"").append(value).append("\"");
        }
        return *this;
    }

    std::string finish() const { return text_.empty() ? "" : text_ + "}"; }

private:
    std::string text_;
};

std::string_view value_of(const Label& label, std::size_t index) {
    return label.name.empty() ? std::string_view{} : label.values[index];
}

void append_durations(std::string& out,
                      const Family& family,
                      std::string_view value,
                      const Durations& durations) {
    const std::span<const double> bounds = second_bounds();
    std::uint64_t count = 0;
    for (std::size_t bucket = 0; bucket < Durations::buckets; ++bucket) {
        count += durations.count_in(bucket);
        const std::string bound = bucket < bounds.size() ? text_of(bounds[bucket]) : "+Inf";
        out.append(family.name)
            .append("_bucket")
            .append(LabelText().add(family.label.name, value).add("le", bound).finish())
            .append(" ")
            .append(std::to_string(count))
            .append("\n");
    }
    const std::string labels = LabelText().add(family.label.name, value).finish();
    const auto sum = static_cast<std::uint64_t>(durations.sum().count());
    out.append(family.name).append("_sum").append(labels);
    out.append(" ").append(scaled(sum, family.scale)).append("\n");
    // The same sum as the last bucket's, whatever is being counted meanwhile.
    out.append(family.name).append("_count").append(labels);
    out.append(" ").append(std::to_string(count)).append("\n");
}

} // namespace

void Durations::observe(std::chrono::nanoseconds duration) {
    const std::uint64_t nanoseconds =
        duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
    const double seconds = static_cast<double>(nanoseconds) * 1e-9;
    const std::span<const double> bounds = second_bounds();
    const auto bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    counts_.at(static_cast<std::size_t>(bucket)).add();
    sum_.add(nanoseconds);
}

Registry::Registry() {
    static_assert(Durations::buckets == 15);
    assert(second_bounds().size() + 1 == Durations::buckets);
    series_.reserve(catalogue().size());
    for (const Family& family : catalogue()) {
        const std::size_t size = values_of(family.label) * values_of(family.second_label);
        const bool is_histogram = family.kind == Kind::histogram;
        series_.push_back({.numbers = std::vector<Number>(is_histogram ? 0 : size),
                           .durations = std::vector<Durations>(is_histogram ? size : 0)});
    }
}

Number&
Registry::number(Metric metric, std::string_view label_value, std::string_view second_value) {
    const Family& family = family_of(metric);
    const std::size_t index = index_of(family.label, label_value) * values_of(family.second_label) +
                              index_of(family.second_label, second_value);
    return series_[static_cast<std::size_t>(metric)].numbers.at(index);
}

Durations& Registry::durations(Metric metric, std::string_view label_value) {
    const std::size_t index = index_of(family_of(metric).label, label_value);
    return series_[static_cast<std::size_t>(metric)].durations.at(index);
}

std::string Registry::text() {
    if (refresh_) {
        refresh_();
    }
    std::string out;
    for (const Family& family : catalogue()) {
        out.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n");
        out.append("# TYPE ").append(family.name).append(" ").append(name(family.kind));
        out.append("\n");
        const Series& series = series_[static_cast<std::size_t>(family.metric)];
        for (std::size_t index = 0; index < series.durations.size(); ++index) {
            append_durations(out, family, value_of(family.label, index), series.durations[index]);
        }
        const std::size_t seconds = values_of(family.second_label);
        for (std::size_t index = 0; index < series.numbers.size(); ++index) {
            out.append(family.name)
                .append(LabelText()
                            .add(family.label.name, value_of(family.label, index / seconds))
                            .add(family.second_label.name,
                                 value_of(family.second_label, index % seconds))
                            .finish())
                .append(" ")
                .append(scaled(series.numbers[index].value(), family.scale))
                .append("\n");
        }
    }
    return out;
}

void count(Registry* registry, Metric metric, std::string_view label_value) {
    if (registry != nullptr) {
        registry->number(metric, label_value).add();
    }
}

void observe(Registry* registry,
             Metric metric,
             std::string_view label_value,
             std::chrono::nanoseconds duration) {
    if (registry != nullptr) {
        registry->durations(metric, label_value).observe(duration);
    }
}

} // namespace ic::metrics
