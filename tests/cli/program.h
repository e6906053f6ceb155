#pragma once
/// The program under test, with a home of its own.

#include "support/process.h"

#include <string>
#include <utility>
#include <vector>

namespace ic::testing_support {

/// `ipfs-compute` as built, in an empty home, with no Kubo to find.
class Program {
public:
    /// Runs `ipfs-compute WORDS...`.
    Finished operator()(std::vector<std::string> words, HowToRun how = {}) const {
        words.insert(words.begin(), IC_PROGRAM);
        how.environment.push_back("IPFS_COMPUTE_PATH=" + home());
        how.environment.push_back("IPFS_PATH=" + folder_.path() + "/no-kubo");
        return run_process(words, how);
    }

    std::string home() const { return folder_.path() + "/home"; }

    /// A place for files of the test.
    const std::string& folder() const { return folder_.path(); }

private:
    TemporaryFolder folder_;
};

} // namespace ic::testing_support
