#include "cli/content_paths.h"
#include "cli/dag.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"
#include "multiformats/multihash.h"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

std::uint64_t number(auto code) { return static_cast<std::uint64_t>(code); }

/// "dag-cbor (0x71", without the bracket that ends it.
std::string with_number(std::string_view name, std::uint64_t code) {
    std::array<char, 17> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), code, 16).ptr;
    return std::string(name) + " (0x" + std::string(hex.data(), end);
}

std::string codec_text(Codec codec) {
    const std::string name = name_of(codec);
    return name.starts_with("Code(") ? "unknown" : name;
}

bool can_be_version_0(const Cid& cid) {
    return cid.codec() == Codec::dag_pb && cid.hash() == HashCode::sha2_256;
}

std::string version_1_text(const Cid& cid) {
    const Base base = cid.codec() == Codec::libp2p_key ? Base::base36 : Base::base32;
    return multibase::encode(base, cid.as_v1().bytes());
}

/// What `inspect` says in the line "CIDv0:".
std::string version_0_text(const Cid& cid) {
    if (can_be_version_0(cid)) {
        return Cid::v0(cid.digest()).to_string();
    }
    if (cid.codec() != Codec::dag_pb) {
        return "not possible, requires dag-pb (0x70), got " +
               with_number(codec_text(cid.codec()), number(cid.codec())) + ")";
    }
    return "not possible, requires sha2-256 (0x12), got " +
           with_number(name_of(cid.hash()), number(cid.hash())) + ")";
}

/// The lines of `ipfs cid inspect`.
std::string lines(const std::string& text, const Cid& cid, Base base) {
    const bool is_implicit = cid.version() == 0;
    const std::string end = is_implicit ? ", implicit)\n" : ")\n";
    const std::string base_note =
        is_implicit ? " (implicit)\n" : " (" + std::string(1, static_cast<char>(base)) + ")\n";
    return "CID:        " + text + "\nVersion:    " + std::to_string(cid.version()) +
           "\nMultibase:  " + std::string(name_of(base)) + base_note +
           "Multicodec: " + with_number(codec_text(cid.codec()), number(cid.codec())) + end +
           "Multihash:  " + with_number(name_of(cid.hash()), number(cid.hash())) + end +
           "  Length:   " + std::to_string(cid.digest().size()) + " bytes\n" +
           "  Digest:   " + to_hex(cid.digest()) + "\nCIDv0:      " + version_0_text(cid) +
           "\nCIDv1:      " + version_1_text(cid) + "\n";
}

std::string json_text(const std::string& text, const Cid& cid, Base base) {
    nlohmann::json json{
        {"cid", text},
        {"version", cid.version()},
        {"multibase",
         {{"prefix", std::string(1, static_cast<char>(base))}, {"name", name_of(base)}}},
        {"multicodec", {{"code", number(cid.codec())}, {"name", codec_text(cid.codec())}}},
        {"multihash",
         {{"code", number(cid.hash())},
          {"name", name_of(cid.hash())},
          {"length", cid.digest().size()},
          {"digest", to_hex(cid.digest())}}},
        {"cid_v0", nullptr},
        {"cid_v1", version_1_text(cid)}};
    if (can_be_version_0(cid)) {
        json["cid_v0"] = version_0_text(cid);
    }
    return json.dump() + "\n";
}

/// With the CID that a peer's name stands for, if the text is one.
Error no_cid(const std::string& text, const Error& error) {
    std::string message = "invalid CID: " + error.message;
    if (const Result<Bytes> bytes = multibase::decode_bare(Base::base58btc, text)) {
        ByteView rest{*bytes};
        const Result<MultihashView> hash = take_multihash(rest);
        if (hash && rest.empty()) {
            const Cid key = Cid::v1(Codec::libp2p_key, hash->hash, hash->digest);
            message += "; the value is a PeerID, inspect its CID: " + version_1_text(key);
        }
    }
    return {error.code, std::move(message)};
}

Result<int> inspect(Context& context, const std::string& word) {
    std::vector<std::string> words = word.empty() ? std::vector<std::string>{} : std::vector{word};
    words = TRY(given_paths(std::move(words)));
    if (words.size() != 1) {
        return Error{Errc::usage, "name one CID, here or on standard input"};
    }
    const std::string& text = words.front();
    const Result<Cid> cid = Cid::parse(text);
    if (!cid) {
        return no_cid(text, cid.error());
    }
    const Base base = cid->version() == 0 ? Base::base58btc : static_cast<Base>(text.front());
    TRY(context.streams.print(context.json ? json_text(text, *cid, base)
                                           : lines(text, *cid, base)));
    return 0;
}

} // namespace

void add_cid_inspect(Command& cid, Context& context) {
    Command* command = cid.add_subcommand("inspect", "Print the parts of a CID");
    auto word = std::make_shared<std::string>(); // Kept by the action.
    command->add_option("CID", *word, "A CID; none: standard input");
    context.add_json(*command);
    command->footer("Examples:\n  ipfs-compute cid inspect CID");
    context.on_run(*command, [&context, word] { return inspect(context, *word); });
}

} // namespace ic::cli
