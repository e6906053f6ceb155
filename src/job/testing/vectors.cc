#include "job/testing/vectors.h"

#include "job/testing/samples.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace ic::job::testing {
namespace {

constexpr std::size_t line_bytes = 40;

std::string path_of(const std::string& name) { return "tests/vectors/" + name + ".hex"; }

void write_vector(const std::string& name, ByteView bytes, const std::string& source) {
    const std::filesystem::path path = std::string(IC_ROOT_DIR "/") + path_of(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path);
    file << "# SOURCE: " << source << "\n";
    for (std::size_t at = 0; at < bytes.size(); at += line_bytes) {
        file << to_hex(bytes.subspan(at, std::min(line_bytes, bytes.size() - at))) << "\n";
    }
}

} // namespace

std::string read_text(const std::string& path) {
    std::ifstream file(std::string(IC_ROOT_DIR "/") + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Bytes read_vector(const std::string& name) {
    std::istringstream text(read_text(path_of(name)));
    std::string digits;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with('#')) {
            digits += line;
        }
    }
    return from_hex(digits);
}

bool shows_bytes(const std::string& page, ByteView bytes) {
    std::string digits = page;
    std::erase_if(digits, [](char letter) { return letter == ' ' || letter == '\n'; });
    return digits.find(to_hex(bytes)) != std::string::npos;
}

bool matches_vector(const std::string& name, ByteView bytes, const std::string& source) {
    if (std::getenv("IC_UPDATE_GOLDEN") != nullptr) {
        write_vector(name, bytes, source);
    }
    return std::ranges::equal(read_vector(name), bytes);
}

} // namespace ic::job::testing
