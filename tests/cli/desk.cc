#include "cli/desk.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace ic::cli_test {

Desk::Desk() {
    kit_file_ = program_.folder() + "/kit.wasm";
    const Finished made = testing_support::run_process(
        {"/usr/bin/env", "wat2wasm", IC_ROOT "/tests/cli/guests/kit.wat", "-o", kit_file_});
    if (made.status != 0) {
        std::cerr << "wat2wasm (Debian's wabt): " << made.err;
        std::abort();
    }
}

Timed Desk::timed(const std::vector<std::string>& words) const {
    const auto begin = std::chrono::steady_clock::now();
    Timed timed{.finished = program_(words)};
    timed.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    return timed;
}

std::unique_ptr<Running> Desk::start(std::vector<std::string> words, HowToRun how) const {
    words.insert(words.begin(), IC_PROGRAM);
    how.environment.push_back("IPFS_COMPUTE_PATH=" + program_.home());
    how.environment.push_back("IPFS_PATH=" + program_.folder() + "/no-kubo");
    return std::make_unique<Running>(words, how);
}

std::unique_ptr<Running> Desk::start_worker(const std::vector<std::string>& flags) const {
    std::vector<std::string> words{"worker"};
    words.insert(words.end(), flags.begin(), flags.end());
    std::unique_ptr<Running> worker = start(words);
    EXPECT_TRUE(worker->wait_for_err(" is ready, ")) << worker->err();
    return worker;
}

std::vector<std::string> Desk::kit(const std::string& command,
                                   const std::string& handler,
                                   const std::vector<std::string>& more) const {
    std::vector<std::string> words{command, "--wasm-file", kit_file_, "--handler", handler};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

std::string Desk::file(const std::string& name, std::string_view content) const {
    const std::string path = program_.folder() + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
}

std::string Desk::wasm(const std::string& name, std::string_view text) const {
    const std::string source = file(name + ".wat", text);
    const std::string path = program_.folder() + "/" + name + ".wasm";
    const Finished made = testing_support::run_process(
        {"/usr/bin/env", "wat2wasm", "--debug-names", "--enable-threads", source, "-o", path});
    EXPECT_EQ(made.status, 0) << made.err;
    return path;
}

nlohmann::json json_of(const std::string& text) {
    nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
    if (document.is_discarded()) {
        ADD_FAILURE() << "no JSON: " << text;
        return nullptr;
    }
    return document;
}

std::string line_after(const std::string& text, std::string_view beginning) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = std::string_view(text).substr(at, end - at);
        if (line.starts_with(beginning)) {
            return std::string(line.substr(beginning.size()));
        }
        at = end + 1;
    }
    return "";
}

std::string expect_error(const Finished& finished, int status, const std::string& code) {
    EXPECT_EQ(finished.status, status) << finished.err;
    const std::string beginning = "ipfs-compute: " + code + ": ";
    std::size_t ours = 0;
    std::size_t last = 0;
    for (std::size_t at = 0; at < finished.err.size();) {
        const std::size_t end = std::min(finished.err.find('\n', at), finished.err.size());
        ours += finished.err.compare(at, 14, "ipfs-compute: ") == 0 ? 1U : 0U;
        last = at;
        at = end + 1;
    }
    EXPECT_EQ(ours, 1U) << finished.err;
    EXPECT_EQ(finished.err.compare(last, beginning.size(), beginning), 0)
        << "not " << code << ": " << finished.err;
    EXPECT_TRUE(finished.err.ends_with("\n"));
    return line_after(finished.err, beginning);
}

} // namespace ic::cli_test
