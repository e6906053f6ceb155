#pragma once
/// Traces, as the settings and the environment ask for them.

#include "base/result.h"
#include "config/home.h"
#include "config/settings.h"
#include "metrics/registry.h"
#include "traces/exporter.h"

#include <memory>
#include <optional>
#include <string>

namespace ic::wiring {

/// Where spans are posted; empty: nowhere. The setting `traces.endpoint`, with `/v1/traces` behind
/// it; where that is `off`, what OpenTelemetry's own variables say:
/// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, else OTEL_EXPORTER_OTLP_ENDPOINT with `/v1/traces`;
/// OTEL_SDK_DISABLED=true is none. Source: OpenTelemetry, "OTLP Exporter Configuration", "Endpoint
/// URLs for OTLP/HTTP".
std::string traces_url(const config::Settings& settings, config::Environment environment);

/// Null if they are off. `role` is what this process is ("worker"). Lifetime: `counts` (may be
/// null) outlives it. Errors: malformed (no http or https URL), with where it comes from.
Result<std::unique_ptr<traces::Exporter>> open_traces(const config::Settings& settings,
                                                      config::Environment environment,
                                                      const std::string& role,
                                                      metrics::Registry* counts);

/// What TRACEPARENT says, as shells and pipelines hand it on; nothing if it says nothing that makes
/// sense, as its specification asks for.
std::optional<traces::TraceContext> given_context(config::Environment environment);

} // namespace ic::wiring
