#include "executor/process/cgroup_files.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ic::executor::process {
namespace {

class KernelCgroupFiles final : public CgroupFiles {
public:
    std::optional<std::string> read(const std::string& path) override {
        std::ifstream file(path, std::ios::binary);
        if (!file) {
            return std::nullopt;
        }
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    int write(const std::string& path, std::string_view text) override {
        const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!file) {
            return errno;
        }
        return ::write(file.get(), text.data(), text.size()) < 0 ? errno : 0;
    }

    int make(const std::string& path) override {
        return ::mkdir(path.c_str(), 0755) == 0 ? 0 : errno;
    }

    int remove(const std::string& path) override { return ::rmdir(path.c_str()) == 0 ? 0 : errno; }

    std::vector<std::string> groups_in(const std::string& path) override {
        std::vector<std::string> names;
        std::error_code error;
        for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
             entry.increment(error)) {
            if (entry->is_directory(error)) {
                names.push_back(entry->path().filename().string());
            }
        }
        return names;
    }

    bool may_write(const std::string& path) override {
        return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
    }

    bool is_delegated(const std::string& path) override {
        if (::geteuid() != 0 || ::access("/run/systemd/system", F_OK) != 0) {
            return true; // Root alone may write to what is not its own to divide.
        }
        for (const char* attribute : {"user.delegate", "trusted.delegate"}) {
            std::array<char, 8> value{};
            if (::getxattr(path.c_str(), attribute, value.data(), value.size()) == 1 &&
                value[0] == '1') {
                return true;
            }
        }
        return false;
    }
};

} // namespace

std::unique_ptr<CgroupFiles> kernel_cgroup_files() { return std::make_unique<KernelCgroupFiles>(); }

} // namespace ic::executor::process
