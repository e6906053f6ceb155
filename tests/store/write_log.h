#pragma once
/// WriteLog: every change that this process makes to the files of one folder, in order. The test
/// program has functions of the C library's names (write_log.cc) that note what they are asked for
/// and then do it, so that the store under test is the one that ships.

#include "base/bytes.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace ic::testing_store {

/// One change, or one promise of the kernel.
struct Event {
    enum class Kind : std::uint8_t {
        write,        ///< `bytes` at `offset`.
        write_synced, ///< The same, on the disk when it returned (O_DSYNC).
        punch,        ///< `size` zeros at `offset`.
        cut,          ///< The file has `size` bytes.
        sync,         ///< What was done to the file before is on the disk.
        sync_folder,  ///< The names in this folder are on the disk.
        remove,       ///< The name is gone.
        rename,       ///< The file has the name `other`.
        note,         ///< Of the test: `size` is its number.
    };
    Kind kind = Kind::write;
    std::string file{}; ///< Below the folder.
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    Bytes bytes{};
    std::string other{};
};

/// Begins and ends the log of what this process does below `folder`.
void start_log(const std::string& folder);
std::vector<Event> stop_log();
/// Puts a number of the test's into the log.
void note(std::uint64_t number);

using Files = std::map<std::string, Bytes>;

/// All files below a folder that have content the store cares for.
Files read_files(const std::string& folder);
void write_files(const Files& files, const std::string& folder);

/// What a disk holds after a power cut behind the first `count` events: everything that was synced,
/// and of the rest each 4 KiB piece of each write, each cut, removal and new name, or not, by lot.
Files after_power_cut(const Files& before,
                      const std::vector<Event>& events,
                      std::size_t count,
                      std::mt19937_64& lots);

} // namespace ic::testing_store
