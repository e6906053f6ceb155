#pragma once
/// A strict reader of Prometheus' text format, written from its description and from nothing of
/// ours.

#include "base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace ic::metrics::testing {

struct ExposedFamily {
    std::string type;
    std::string help;
    /// By what follows the family's name on the line: `{ending="success"}`, `_sum{...}`, nothing.
    std::map<std::string, double> samples;
};

/// By name. Refuses what a server may refuse or warn of: a sample without TYPE and HELP before it,
/// families in pieces, a series twice, names and labels that are none, counters that are negative
/// or do not end in _total, histograms whose buckets fall or do not add up, a last line without
/// end. Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format" 0.0.4, and
/// prometheus.io/docs/practices/naming. Errors: malformed, with the line.
Result<std::map<std::string, ExposedFamily>> parse_exposition(std::string_view text);

/// The value of `name` with `labels`; NaN, which equals nothing, if there is none.
double value_in(const std::map<std::string, ExposedFamily>& families,
                const std::string& name,
                const std::string& labels = "");

} // namespace ic::metrics::testing
