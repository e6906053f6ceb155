#include "simulation/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

namespace ic::simulation {
namespace {

constexpr double panel_width = 420;
constexpr double panel_height = 260;
constexpr double left = 60;
constexpr double right = 20;
constexpr double top = 40;
constexpr double bottom = 45;
constexpr std::array<const char*, 5> colours{"#0b6", "#06c", "#c60", "#c06", "#555"};

struct Panel {
    const char* title;
    double (*value)(const Point&);
};

const std::array<Panel, 4> panels{{
    {"Executions a job", [](const Point& at) { return per_job(at.outcome.runs, at.outcome); }},
    {"Median time to start, ms", [](const Point& at) { return at.outcome.started.median_ms; }},
    {"Direct messages a job",
     [](const Point& at) { return per_job(at.outcome.direct + at.outcome.adverts, at.outcome); }},
    {"Broadcast copies a job and node",
     [](const Point& at) { return per_job(at.outcome.copies, at.outcome) / at.options.nodes; }},
}};

std::string text_of(double value, const char* format = "%.6g") {
    std::array<char, 32> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), format, value);
    return {buffer.data(), static_cast<std::size_t>(size)};
}

struct Place {
    double x = 0;
    double y = 0;
};

std::string label(Place at, const char* anchor, const std::string& text) {
    return "<text x=\"" + text_of(at.x, "%.1f") + "\" y=\"" + text_of(at.y, "%.1f") +
           "\" text-anchor=\"" + anchor + "\">" + text + "</text>\n";
}

std::string line(Place from, Place to) {
    return "<path d=\"M" + text_of(from.x, "%.1f") + " " + text_of(from.y, "%.1f") + "L" +
           text_of(to.x, "%.1f") + " " + text_of(to.y, "%.1f") + "\" stroke=\"#ddd\"/>\n";
}

/// 1, 2 or 5 times a power of ten, not below this.
double rounded_up(double value) {
    const double power = std::pow(10, std::floor(std::log10(std::max(value, 1e-9))));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (value <= step * power * 1.000001) {
            return step * power;
        }
    }
    return 10 * power;
}

/// From nodes and values to the picture.
class Scale {
public:
    Scale(const std::vector<Point>& points, const Panel& panel) {
        double most = 0;
        std::uint32_t most_nodes = 1;
        for (const Point& each : points) {
            most = std::max(most, panel.value(each));
            most_nodes = std::max(most_nodes, each.options.nodes);
        }
        top_value_ = rounded_up(most);
        decades_ = std::max(1.0, std::ceil(std::log10(most_nodes) - 1e-9));
    }

    Place at(double nodes, double value) const {
        return {left + (panel_width - left - right) * std::log10(nodes) / decades_,
                panel_height - bottom - (panel_height - top - bottom) * value / top_value_};
    }

    double top_value() const { return top_value_; }
    int decades() const { return static_cast<int>(decades_); }

private:
    double top_value_ = 1;
    double decades_ = 1;
};

/// All values of an option, in order, each once.
std::vector<double> all_of(const std::vector<Point>& points, double Options::* option) {
    std::vector<double> values;
    for (const Point& each : points) {
        values.push_back(each.options.*option);
    }
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

const char* colour_of(const std::vector<double>& losses, double loss) {
    const auto at = std::ranges::find(losses, loss) - losses.begin();
    return colours[static_cast<std::size_t>(at) % colours.size()];
}

std::string panel_text(const std::vector<Point>& points, const Panel& panel) {
    const Scale scale(points, panel);
    std::string text = label({panel_width / 2, 22}, "middle", panel.title);
    for (int i = 0; i <= 4; ++i) {
        const double value = scale.top_value() * i / 4;
        const Place at = scale.at(1, value);
        text += line(at, {panel_width - right, at.y});
        text += label({at.x - 6, at.y + 4}, "end", text_of(value));
    }
    for (int i = 0; i <= scale.decades(); ++i) {
        const Place at = scale.at(std::pow(10, i), 0);
        text += label({at.x, at.y + 16}, "middle", text_of(std::pow(10, i), "%.0f"));
    }
    text += label({panel_width / 2, panel_height - 10}, "middle", "nodes");
    std::map<std::pair<double, double>, std::string> lines; // By loss and churn.
    for (const Point& each : points) {
        const Place at = scale.at(each.options.nodes, panel.value(each));
        std::string& path = lines[{each.options.loss, each.options.churn}];
        path += (path.empty() ? "M" : "L") + text_of(at.x, "%.1f") + " " + text_of(at.y, "%.1f");
    }
    const std::vector<double> losses = all_of(points, &Options::loss);
    for (const auto& [kind, path] : lines) {
        const auto [loss, churn] = kind;
        text += "<path d=\"" + path +
                "\" fill=\"none\" stroke-width=\"2\" stroke-linecap=\"round\" "
                "stroke=\"" +
                colour_of(losses, loss) + "\"" + (churn > 0 ? " stroke-dasharray=\"6 5\"" : "") +
                "/>\n";
    }
    return text;
}

std::string legend(const std::vector<Point>& points) {
    std::string text;
    double x = left;
    const std::vector<double> losses = all_of(points, &Options::loss);
    for (const double loss : losses) {
        text += "<rect x=\"" + text_of(x) + "\" y=\"" + text_of(2 * panel_height + 8) +
                "\" width=\"16\" height=\"4\" fill=\"" + colour_of(losses, loss) + "\"/>\n" +
                label({x + 22, 2 * panel_height + 14}, "start", text_of(100 * loss) + " % loss");
        x += 110;
    }
    std::string churns;
    for (const double churn : all_of(points, &Options::churn)) {
        if (churn > 0) {
            churns += (churns.empty() ? "dashed: " : ", ") + text_of(100 * churn) + " %";
        }
    }
    if (!churns.empty()) {
        text +=
            label({x, 2 * panel_height + 14}, "start", churns + " of the workers go in a minute");
    }
    return text;
}

} // namespace

double per_job(std::uint64_t total, const Outcome& outcome) {
    return outcome.jobs == 0 ? 0 : static_cast<double>(total) / static_cast<double>(outcome.jobs);
}

std::string chart(const std::vector<Point>& points) {
    const std::string width = text_of(2 * panel_width);
    const std::string height = text_of(2 * panel_height + 30);
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width +
                       "\" height=\"" + height + "\" viewBox=\"0 0 " + width + " " + height +
                       "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                       "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    for (std::size_t i = 0; i < panels.size(); ++i) {
        text += "<g transform=\"translate(" + text_of(panel_width * static_cast<double>(i % 2)) +
                " " + text_of(panel_height * static_cast<double>(i / 2)) + ")\">\n" +
                panel_text(points, panels[i]) + "</g>\n";
    }
    return text + legend(points) + "</svg>\n";
}

} // namespace ic::simulation
