// Guests that ask for paths, content and hosts that are not theirs to have. The value that comes
// back is what they were told.

#include "executor/wasm/host_errors.h"
#include "hostile/guests.h"
#include "unixfs/directory_builder.h"

#include <cstdio>

namespace ic::hostile {
namespace {

using executor::wasm::HostError;

constexpr std::string_view text_at = "(i32.const 1024)";

/// Text as it stands in a module.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        std::array<char, 4> hex{};
        std::snprintf(hex.data(), hex.size(), "\\%02x", static_cast<unsigned char>(letter));
        out += hex.data();
    }
    return out;
}

/// Calls `function` with this text.
Bytes call_with(const std::string& function, std::string_view text) {
    return guest("(result i64) (call $" + function + std::string(text_at) + "(i32.const " +
                     std::to_string(text.size()) + "))",
                 "(data " + std::string(text_at) + "\"" + escaped(text) + "\")");
}

class Sink final : public BlockSink {
public:
    explicit Sink(Host& host) : host_(host) {}

    Result<void> put(const Cid& cid, ByteView data) override {
        host_.blocks[cid] = text_of(data);
        return {};
    }

private:
    Host& host_;
};

/// A directory with the file `a`, and that file.
struct Tree {
    std::string directory;
    std::string file;
};

Tree tree_in(Host& host) {
    Sink sink(host);
    unixfs::DirectoryBuilder builder({}, sink);
    const Cid file = host.put("abc");
    builder.add("a", {.cid = file, .tsize = 3, .file_size = 3}).ok();
    return {.directory = builder.finish().take().cid.to_string(), .file = file.to_string()};
}

/// `text` makes of a tree what the function gets.
Guest told(std::string name,
           HostError error,
           std::string function,
           std::function<std::string(const Tree&, Host&)> text) {
    return {.name = std::move(name),
            .module = [function = std::move(function), text = std::move(text)](
                          Host& host) { return call_with(function, text(tree_in(host), host)); },
            .value = executor::wasm::negative(error)};
}

Guest told(std::string name, HostError error, std::string function, std::string text) {
    return told(
        std::move(name), error, std::move(function), [text](const Tree&, Host&) { return text; });
}

/// A job that may reach hosts asks for this.
Guest asks(std::string name, HostError error, std::string request) {
    Guest made = told(std::move(name), error, "curl", std::move(request));
    made.change = [](job::JobSpec& spec) {
        spec.effects = job::Effects::impure;
        spec.allow_hosts = {"listed.example", "127.0.0.1", "localhost", "[::1]", "169.254.169.254"};
    };
    return made;
}

std::vector<Guest> paths() {
    const Cid nowhere = cid_of(Codec::raw, bytes_of("nobody has this"));
    Guest missing = told("ABlockThatNobodyHas", HostError::not_found, "get", nowhere.to_string());
    missing.ends = "cid-unavailable";
    missing.value.reset();
    return {
        told("GetOfADirectory",
             HostError::not_a_file,
             "get",
             [](const Tree& tree, Host&) { return tree.directory; }),
        told("LsOfAFile",
             HostError::not_a_directory,
             "ls",
             [](const Tree& tree, Host&) { return tree.file; }),
        told("LsBelowAFile",
             HostError::not_a_directory,
             "ls",
             [](const Tree& tree, Host&) { return tree.directory + "/a"; }),
        told("APathUpwards",
             HostError::invalid,
             "get",
             [](const Tree& tree, Host&) { return tree.directory + "/../../etc/passwd"; }),
        told("ANameThatIsNotThere",
             HostError::not_found,
             "get",
             [](const Tree& tree, Host&) { return tree.directory + "/b"; }),
        told("APathBelowAFile",
             HostError::not_a_directory,
             "get",
             [](const Tree& tree, Host&) { return tree.directory + "/a/b"; }),
        told("AFileOfTheMachine", HostError::invalid, "get", "/etc/passwd"),
        told("AUrlForAPath", HostError::invalid, "get", "file:///etc/passwd"),
        told("GarbageForACid", HostError::invalid, "get", "bafybeigarbage"),
        told("NothingForACid", HostError::invalid, "get", ""),
        told("BytesThatAreNoTextForACid", HostError::invalid, "get", "\xff\xfe\x80"),
        told("APathOfZeroBytes", HostError::invalid, "get", std::string(100, '\0')),
        told("APathThatIsTooLong",
             HostError::too_large,
             "get",
             [](const Tree& tree, Host&) {
                 return tree.directory + "/" + std::string(60'000, 'a');
             }),
        told("ADirectoryThatIsNone",
             HostError::malformed,
             "ls",
             [](const Tree&, Host& host) {
                 const std::string garbage = "\xff\xff no protobuf at all";
                 const Cid cid = cid_of(Codec::dag_pb, bytes_of(garbage));
                 host.blocks[cid] = garbage;
                 return cid.to_string();
             }),
        missing,
    };
}

std::vector<Guest> requests() {
    Guest pure = told("ARequestOfAPureJob", HostError::refused, "curl", "http://listed.example/");
    return {
        pure,
        asks("AHostThatTheJobDoesNotList", HostError::refused, "http://other.example/"),
        asks("APortThatTheJobDoesNotList", HostError::refused, "http://127.0.0.1:22/"),
        asks("ThisMachine", HostError::refused, "http://127.0.0.1/"),
        asks("ThisMachineByName", HostError::refused, "http://localhost/"),
        asks("ThisMachineInIPv6", HostError::refused, "http://[::1]/"),
        asks("TheMetadataOfACloud", HostError::refused, "http://169.254.169.254/latest/meta-data/"),
        asks("ThisMachineAsANumber", HostError::refused, "http://2130706433/"),
        asks("ThisMachineInOctal", HostError::refused, "http://0177.0.0.1/"),
        asks("ThisMachineBehindAUser", HostError::refused, "http://listed.example@127.0.0.1:80/"),
        asks("AFileAsAUrl", HostError::refused, "file:///etc/passwd"),
        asks("AnotherProtocol", HostError::refused, "gopher://listed.example/"),
        asks("AUrlThatIsNone", HostError::invalid, "http://"),
        asks("AnEmptyRequest", HostError::invalid, ""),
        asks("ARequestThatIsNoJson", HostError::invalid, "{\"url\":"),
        asks("ARequestWithANameTwice",
             HostError::invalid,
             R"({"url":"http://listed.example/","url":"http://127.0.0.1/"})"),
        asks("AHeaderWithALineEnd",
             HostError::invalid,
             R"({"url":"http://listed.example/","headers":{"x":"a\r\nHost: other"}})"),
        asks("AMethodWithALineEnd",
             HostError::invalid,
             R"({"url":"http://listed.example/","method":"GET / HTTP/1.1\r\nx"})"),
    };
}

} // namespace

std::vector<Guest> guests_of_content() {
    std::vector<Guest> all = paths();
    const std::vector<Guest> more = requests();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace ic::hostile
