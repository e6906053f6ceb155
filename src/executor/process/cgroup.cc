#include "executor/process/cgroup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>
#include <utility>

namespace ic::executor::process {
namespace {

constexpr std::string_view broker_prefix = "ipfs-compute-broker-";
constexpr std::string_view executors_prefix = "ipfs-compute-executors-";

std::string joined(const std::string& folder, std::string_view name) {
    return folder + "/" + std::string(name);
}

bool has_word(const std::string& text, std::string_view wanted) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (word == wanted) {
            return true;
        }
    }
    return false;
}

/// A path of mountinfo has blanks, tabs, line ends and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        unsigned letter = 0;
        if (text.size() >= 4 && text.front() == '\\' &&
            std::from_chars(text.data() + 1, text.data() + 4, letter, 8).ptr == text.data() + 4) {
            plain.push_back(static_cast<char>(letter));
            text.remove_prefix(4);
        } else {
            plain.push_back(text.front());
            text.remove_prefix(1);
        }
    }
    return plain;
}

/// "0::/a/b" gives "/a/b": the line of version 2 has no controllers.
std::string path_of_group(std::string_view groups) {
    std::istringstream lines{std::string(groups)};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("0::/")) {
            return line.substr(3);
        }
    }
    return {};
}

/// Its own bound or the nearest above, else the machine's memory; hierarchy and machine bound it
/// anyway.
std::uint64_t memory_of(CgroupFiles& files, std::string folder, std::uint64_t machine) {
    std::uint64_t least = machine;
    for (; folder.size() > 1; folder.resize(folder.rfind('/'))) {
        const std::optional<std::string> text = files.read(joined(folder, "memory.max"));
        std::uint64_t bytes = 0; // "max" is no number.
        if (text &&
            std::from_chars(text->data(), text->data() + text->size(), bytes).ec == std::errc()) {
            least = std::min(least, bytes);
        }
    }
    return least;
}

Error refused(const std::string& what, int error) {
    return Error{Errc::refused, "cgroup: " + what + ": " + std::strerror(error)};
}

} // namespace

std::string folder_of_group(std::string_view groups, std::string_view mounts) {
    const std::string path = path_of_group(groups);
    if (path.empty() || path.starts_with("/..")) { // Outside what this namespace shows.
        return {};
    }
    std::istringstream lines{std::string(mounts)};
    for (std::string line; std::getline(lines, line);) {
        // ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG...] - TYPE SOURCE OPTIONS
        std::istringstream words(line);
        std::string skipped;
        std::string root;
        std::string place;
        words >> skipped >> skipped >> skipped >> root >> place;
        if (line.find(" - cgroup2 ") == std::string::npos) {
            continue;
        }
        root = unescaped(root);
        root = root == "/" ? "" : root;
        place = unescaped(place);
        place = place == "/" ? "" : place;
        if (root.empty() || path == root || path.starts_with(root + "/")) {
            const std::string below = path.substr(root.size());
            return below == "/" ? place : place + below;
        }
    }
    return {};
}

GroupLook look_at_group(CgroupFiles& files, pid_t self) {
    GroupLook look;
    const std::optional<std::string> groups = files.read("/proc/self/cgroup");
    const std::optional<std::string> mounts = files.read("/proc/self/mountinfo");
    if (groups && mounts) {
        look.folder = folder_of_group(*groups, *mounts);
    }
    const std::optional<std::string> controllers =
        files.read(joined(look.folder, "cgroup.controllers"));
    if (look.folder.empty() || !controllers) {
        look.error = ENODEV;
        return look;
    }
    if (!has_word(*controllers, "memory") || !has_word(*controllers, "pids")) {
        look.error = EOPNOTSUPP;
        return look;
    }
    // What is delegated are the group and these two files: its own limits are whoever's it is.
    if (!files.may_write(look.folder) || !files.may_write(joined(look.folder, "cgroup.procs")) ||
        !files.may_write(joined(look.folder, "cgroup.subtree_control")) ||
        !files.is_delegated(look.folder)) {
        look.error = EACCES;
        return look;
    }
    std::istringstream processes(files.read(joined(look.folder, "cgroup.procs")).value_or(""));
    for (std::string process; processes >> process;) {
        if (process != std::to_string(self)) {
            look.error = EBUSY;
        }
    }
    return look;
}

Result<std::unique_ptr<Cgroup>> Cgroup::open(CgroupFiles& files, const CgroupOptions& options) {
    GroupLook look = look_at_group(files, options.broker);
    if (look.error != 0) {
        return refused("this process's own cannot be divided", look.error);
    }
    std::unique_ptr<Cgroup> group(new Cgroup(files, std::move(look.folder), options.broker));
    group->clear_the_dead_away();
    TRY(group->make_groups());
    TRY(group->set_limits(options));
    return group;
}

Cgroup::Cgroup(CgroupFiles& files, std::string folder, pid_t broker)
    : files_(files)
    , folder_(std::move(folder))
    , broker_(joined(folder_, broker_prefix) + std::to_string(broker))
    , executors_(joined(folder_, executors_prefix) + std::to_string(broker))
    , broker_id_(std::to_string(broker)) {}

Cgroup::~Cgroup() {
    files_.remove(executors_);
    if (controls_) { // Until then no process may be in G.
        files_.write(joined(folder_, "cgroup.subtree_control"), "-memory -pids");
    }
    if (moved_) {
        files_.write(joined(folder_, "cgroup.procs"), broker_id_);
    }
    files_.remove(broker_);
}

int Cgroup::take_in(pid_t process) const {
    return files_.write(joined(executors_, "cgroup.procs"), std::to_string(process));
}

bool Cgroup::has_killed() const {
    std::istringstream events(files_.read(joined(executors_, "memory.events")).value_or(""));
    std::string name;
    std::uint64_t count = 0;
    while (events >> name >> count) {
        if (name == "oom_kill") {
            return kills_.exchange(count) < count;
        }
    }
    return false;
}

Result<void> Cgroup::make_groups() {
    if (const int error = files_.make(broker_)) {
        return refused("making " + broker_, error);
    }
    if (const int error = files_.write(joined(broker_, "cgroup.procs"), broker_id_)) {
        return refused("moving into " + broker_, error);
    }
    moved_ = true;
    if (const int error =
            files_.write(joined(folder_, "cgroup.subtree_control"), "+memory +pids")) {
        return refused("limiting groups in " + folder_, error);
    }
    controls_ = true;
    if (const int error = files_.make(executors_)) {
        return refused("making " + executors_, error);
    }
    return {};
}

Result<void> Cgroup::set_limits(const CgroupOptions& options) {
    const std::uint64_t memory = memory_of(files_, folder_, options.machine_memory_bytes) *
                                 limits::group_memory_percent / 100;
    const std::uint64_t tasks =
        std::uint64_t{options.slots} * (limits::group_tasks_per_slot + options.cores);
    // memory.oom.group stays 0: the kernel kills the one that uses most, not every other job too.
    const std::array<std::pair<const char*, std::uint64_t>, 3> values{
        {{"memory.max", memory}, {"memory.swap.max", 0}, {"pids.max", tasks}}};
    for (const auto& [name, value] : values) {
        const int error = files_.write(joined(executors_, name), std::to_string(value));
        const bool no_swap_here = error == ENOENT && name == std::string_view("memory.swap.max");
        if (error != 0 && !no_swap_here) {
            return refused("setting " + joined(executors_, name), error);
        }
    }
    return {};
}

void Cgroup::clear_the_dead_away() {
    // A broker is in its group for as long as it lives: what can be removed is a dead one's.
    std::vector<std::string> names = files_.groups_in(folder_);
    for (const std::string& name : names) {
        if (name.starts_with(broker_prefix)) {
            files_.remove(joined(folder_, name));
        }
    }
    names = files_.groups_in(folder_);
    for (const std::string& name : names) {
        const std::string broker = std::string(broker_prefix) +
                                   name.substr(std::min(executors_prefix.size(), name.size()));
        if (name.starts_with(executors_prefix) && std::ranges::count(names, broker) == 0) {
            files_.remove(joined(folder_, name));
        }
    }
}

} // namespace ic::executor::process
