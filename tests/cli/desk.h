#pragma once
/// Desk: one home, guests in it, workers in the background. What the tests of jobs sit at.

#include "cli/program.h"
#include "support/running.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ic::cli_test {

using testing_support::Finished;
using testing_support::HowToRun;
using testing_support::Program;
using testing_support::Running;

/// A process that has ended, and how long that took from its start.
struct Timed {
    Finished finished;
    std::chrono::milliseconds took{};
};

/// Threads: one.
class Desk {
public:
    Desk();

    const Program& program() const { return program_; }

    /// Runs `ipfs-compute WORDS...` in this home to its end.
    Finished operator()(const std::vector<std::string>& words, const HowToRun& how = {}) const {
        return program_(words, how);
    }

    Timed timed(const std::vector<std::string>& words) const;

    /// The same in the background.
    std::unique_ptr<Running> start(std::vector<std::string> words, HowToRun how = {}) const;

    /// A worker that is ready.
    std::unique_ptr<Running> start_worker(const std::vector<std::string>& flags = {}) const;

    /// `command --wasm-file KIT --handler HANDLER MORE...`: a handler of guests/kit.wat.
    std::vector<std::string> kit(const std::string& command,
                                 const std::string& handler,
                                 const std::vector<std::string>& more = {}) const;

    /// A file of this desk. Its path.
    std::string file(const std::string& name, std::string_view content) const;

    /// A module from WebAssembly text, as a file. Its path.
    std::string wasm(const std::string& name, std::string_view text) const;

    const std::string& kit_file() const { return kit_file_; }

private:
    Program program_;
    std::string kit_file_;
};

/// The one JSON document that `text` is; null and a failed test if it is none.
nlohmann::json json_of(const std::string& text);

/// The line of `text` that begins so, without its beginning; empty if there is none.
std::string line_after(const std::string& text, std::string_view beginning);

/// That it ended with `status` and exactly one line `ipfs-compute: CODE: ...` of its own, the last
/// one. The line's text after the code.
std::string expect_error(const Finished& finished, int status, const std::string& code);

} // namespace ic::cli_test
