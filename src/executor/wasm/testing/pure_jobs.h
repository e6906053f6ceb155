#pragma once
/// Thirty pure jobs that a processor could give different results of, for tests of determinism.

#include <cstddef>
#include <string>
#include <vector>

namespace ic::executor::wasm {

/// Of each: bytes on standard output.
inline constexpr std::size_t pure_job_output_bytes = 8192;

struct PureJob {
    std::string name;
    std::string wat; ///< Exports `run`, without parameters.
};

/// Arithmetic of all kinds on values of all kinds, one operation a job; random numbers; clocks.
std::vector<PureJob> pure_jobs();

} // namespace ic::executor::wasm
