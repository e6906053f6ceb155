#include "wiring/tracing.h"

#include "wiring/workshop.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace ic::wiring {
namespace {

constexpr std::string_view traces_path = "/v1/traces";

std::string with_path(std::string base) {
    while (base.ends_with('/')) {
        base.pop_back();
    }
    return base.ends_with(traces_path) ? base : base.append(traces_path);
}

std::uint64_t random_number() {
    std::uint64_t number = 0;
    // So few bytes come whole once the kernel's pool is filled at boot (getrandom(2)).
    static_cast<void>(::getrandom(&number, sizeof number, 0));
    return number;
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

} // namespace

std::string traces_url(const config::Settings& settings, config::Environment environment) {
    if (settings.traces_endpoint != "off") {
        return with_path(settings.traces_endpoint);
    }
    if (environment("OTEL_SDK_DISABLED") == "true") {
        return {};
    }
    if (std::string url = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !url.empty()) {
        return url;
    }
    const std::string base = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
    return base.empty() ? base : with_path(base);
}

Result<std::unique_ptr<traces::Exporter>> open_traces(const config::Settings& settings,
                                                      config::Environment environment,
                                                      const std::string& role,
                                                      metrics::Registry* counts) {
    traces::ExporterOptions options;
    options.url = traces_url(settings, environment);
    if (options.url.empty()) {
        return std::unique_ptr<traces::Exporter>();
    }
    if (!options.url.starts_with("http://") && !options.url.starts_with("https://")) {
        return Error{Errc::malformed,
                     "traces go to an http:// or https:// URL, not to '" + options.url +
                         "'; see the setting traces.endpoint and the variable "
                         "OTEL_EXPORTER_OTLP_ENDPOINT"};
    }
    // Names: OpenTelemetry, "Semantic conventions for resources".
    options.resource = {{"service.name", "ipfs-compute"},
                        {"service.version", software()},
                        {"service.instance.id", random_instance().to_string()},
                        {"host.name", host_name()},
                        {"process.pid", static_cast<std::uint64_t>(::getpid())},
                        {"ipfs_compute.role", role}};
    options.counts = counts;
    options.random = &random_number;
    return std::make_unique<traces::Exporter>(std::move(options));
}

std::optional<traces::TraceContext> given_context(config::Environment environment) {
    Result<traces::TraceContext> context = traces::parse_traceparent(environment("TRACEPARENT"));
    return context ? std::optional(std::move(context).take()) : std::nullopt;
}

} // namespace ic::wiring
