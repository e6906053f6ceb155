#pragma once
/// FakeCgroups: a hierarchy of control groups in memory, with the kernel's rules.

#include "executor/process/cgroup_files.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <sstream>

namespace ic::executor::process::testing {

/// Source of the rules: Linux, Documentation/admin-guide/cgroup-v2.rst, "Organizing Processes and
/// Threads", "Controlling Controllers".
class FakeCgroups final : public CgroupFiles {
public:
    struct Group {
        std::set<std::string> controllers;
        std::set<std::string> given; ///< cgroup.subtree_control.
        std::set<std::string> processes;
        std::map<std::string, std::string> values; ///< Of its controllers' files.
    };

    /// A group above /cg that nobody may divide; in it the one of process `self`, delegated.
    explicit FakeCgroups(const std::string& self) {
        files["/proc/self/cgroup"] = "4:memory:/v1\n0::/mine\n";
        files["/proc/self/mountinfo"] = "41 31 0:38 / /cg rw,nosuid - cgroup2 cgroup2 rw\n";
        groups["/cg"].controllers = groups["/cg"].given = {"cpu", "memory", "pids"};
        groups["/cg/mine"] = made_in("/cg");
        groups["/cg/mine"].processes = {self};
    }

    std::optional<std::string> read(const std::string& path) override {
        if (const auto file = files.find(path); file != files.end()) {
            return file->second;
        }
        const auto [folder, name] = split(path);
        const auto group = groups.find(folder);
        if (group == groups.end()) {
            return std::nullopt;
        }
        if (name == "cgroup.controllers") {
            return text_of(group->second.controllers);
        }
        if (name == "cgroup.procs") {
            return text_of(group->second.processes);
        }
        const auto value = group->second.values.find(name);
        return value == group->second.values.end() ? std::nullopt : std::optional(value->second);
    }

    int write(const std::string& path, std::string_view text) override {
        if (path == fails) {
            return EIO;
        }
        const auto [folder, name] = split(path);
        const auto found = groups.find(folder);
        if (found == groups.end()) {
            return ENOENT;
        }
        Group& group = found->second;
        if (name == "cgroup.procs") {
            return move(group, std::string(text));
        }
        if (name == "cgroup.subtree_control") {
            return control(folder, group, std::string(text));
        }
        const auto value = group.values.find(name);
        if (value == group.values.end()) {
            return ENOENT;
        }
        value->second = text;
        return 0;
    }

    int make(const std::string& path) override {
        const auto parent = groups.find(split(path).first);
        if (parent == groups.end()) {
            return ENOENT;
        }
        return groups.emplace(path, made_in(parent->first)).second ? 0 : EEXIST;
    }

    int remove(const std::string& path) override {
        const auto group = groups.find(path);
        if (group == groups.end()) {
            return ENOENT;
        }
        if (!group->second.processes.empty() || !groups_in(path).empty()) {
            return EBUSY;
        }
        groups.erase(group);
        return 0;
    }

    std::vector<std::string> groups_in(const std::string& path) override {
        std::vector<std::string> names;
        for (const auto& [folder, group] : groups) {
            if (split(folder).first == path) {
                names.push_back(split(folder).second);
            }
        }
        return names;
    }

    bool may_write(const std::string& path) override { return !read_only.contains(path); }

    bool is_delegated(const std::string&) override { return delegated; }

    std::map<std::string, std::string> files;
    std::map<std::string, Group> groups;
    std::set<std::string> read_only;
    bool delegated = true;
    std::string fails; ///< What cannot be written.

private:
    static std::pair<std::string, std::string> split(const std::string& path) {
        const std::size_t slash = path.rfind('/');
        return {path.substr(0, slash), path.substr(slash + 1)};
    }

    static std::string text_of(const std::set<std::string>& words) {
        std::string text;
        for (const std::string& word : words) {
            text += word + "\n";
        }
        return text;
    }

    Group made_in(const std::string& parent) {
        Group group;
        give(group, groups[parent].given);
        return group;
    }

    static void give(Group& group, const std::set<std::string>& controllers) {
        group.controllers = controllers;
        group.values.clear();
        if (controllers.contains("memory")) {
            group.values = {{"memory.max", "max"}, {"memory.swap.max", "max"}};
        }
        if (controllers.contains("pids")) {
            group.values["pids.max"] = "max";
        }
    }

    int move(Group& into, const std::string& process) {
        if (!into.given.empty()) {
            return EBUSY;
        }
        for (auto& [folder, group] : groups) {
            if (group.processes.erase(process) != 0) {
                into.processes.insert(process);
                return 0;
            }
        }
        return ESRCH;
    }

    int control(const std::string& folder, Group& group, const std::string& text) {
        std::set<std::string> given = group.given;
        std::istringstream words(text);
        for (std::string word; words >> word;) {
            const std::string name = word.substr(1);
            if (word.front() == '-') {
                given.erase(name);
            } else if (!group.controllers.contains(name)) {
                return ENOENT;
            } else {
                given.insert(name);
            }
        }
        if (!given.empty() && !group.processes.empty()) {
            return EBUSY;
        }
        group.given = given;
        for (const std::string& child : groups_in(folder)) {
            give(groups[folder + "/" + child], given);
        }
        return 0;
    }
};

} // namespace ic::executor::process::testing
