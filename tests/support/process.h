#pragma once
/// Runs a program as a real process and collects what it says. For tests of the whole program.

#include "base/unique_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace ic::testing_support {

/// A folder that goes with its content when the value goes.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = "/tmp/ic-test-XXXXXX";
        path_ = ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    ~TemporaryFolder();

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

struct Finished {
    int status = -1; ///< Exit status; 128 + signal if one ended it; -1 if it could not be started.
    std::string out;
    std::string err;
};

struct HowToRun {
    std::string input{};                    ///< Standard input, whole.
    std::vector<std::string> environment{}; ///< NAME=VALUE, before those of this process.
    std::chrono::seconds time_max{120};     ///< Then it is killed: status 128 + SIGKILL.
};

/// Runs `arguments` (the first is the program's path) to its end.
Finished run_process(const std::vector<std::string>& arguments, const HowToRun& how = {});

} // namespace ic::testing_support
