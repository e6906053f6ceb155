#include "unixfs/content_path.h"

#include "unixfs/directory_builder.h"

#include <algorithm>
#include <utility>

namespace ic::unixfs {
namespace {

constexpr std::string_view path_prefix = "/ipfs/";
constexpr std::string_view url_prefix = "ipfs://";

Result<void> check_size(std::string_view text) {
    if (text.size() > limits::path_bytes_max) {
        return Error{Errc::too_large, "the path has more than 4096 bytes"};
    }
    return {};
}

} // namespace

Result<std::vector<std::string>> split_names(std::string_view path) {
    TRY(check_size(path));
    std::vector<std::string> names;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const std::string_view name = path.substr(0, slash);
        if (!name.empty()) {
            TRY(check_name(name));
            names.emplace_back(name);
        }
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return names;
}

Result<ContentPath> ContentPath::parse(std::string_view text) {
    TRY(check_size(text));
    if (text.starts_with("/ipns/") || text.starts_with("ipns://")) {
        return Error{Errc::unsupported, "IPNS names have to be resolved to a CID first"};
    }
    if (text.starts_with(path_prefix)) {
        text.remove_prefix(path_prefix.size());
    } else if (text.starts_with(url_prefix)) {
        text.remove_prefix(url_prefix.size());
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    const Cid root = TRY(Cid::parse(text.substr(0, slash)));
    return ContentPath{.root = root, .names = TRY(split_names(text.substr(slash)))};
}

std::string ContentPath::to_string() const {
    std::string text = std::string(path_prefix) + root.to_string();
    for (const std::string& name : names) {
        text += '/' + name;
    }
    return text;
}

} // namespace ic::unixfs
