#include "base/text.h"
#include "cli/commands.h"
#include "cli/content_paths.h"
#include "cli/dag.h"
#include "multiformats/multibase.h"
#include "multiformats/multicodec.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

/// What CIDs are turned into.
struct Conversion {
    std::string format = "%s";
    std::optional<int> version{};
    std::optional<Codec> codec{};
    std::optional<Base> base{};
};

std::string number_text(auto code) { return std::to_string(static_cast<std::uint64_t>(code)); }

/// One CID by one format. Errors: usage for the format itself, malformed for this CID.
class Formatter {
public:
    Formatter(const Cid& cid, Base base) : cid_(cid), base_(base) {}

    Result<std::string> operator()(std::string_view format) const {
        std::string out;
        while (!format.empty()) {
            const char first = format.front();
            format.remove_prefix(1);
            if (first != '%') {
                out.push_back(first);
                continue;
            }
            if (format.empty()) {
                return Error{Errc::usage, "premature end of format string"};
            }
            out += TRY(verb(format.front()));
            format.remove_prefix(1);
        }
        return out;
    }

private:
    /// Source: go-cidutil v0.1.2, the text FormatRef.
    Result<std::string> verb(char letter) const {
        switch (letter) {
        case '%':
            return std::string("%");
        case 'b':
            return std::string(name_of(base_));
        case 'B':
            return std::string(1, static_cast<char>(base_));
        case 'v':
            return "cidv" + std::to_string(cid_.version());
        case 'V':
            return std::to_string(cid_.version());
        case 'c':
            return name_of(cid_.codec());
        case 'C':
            return number_text(cid_.codec());
        case 'h':
            return std::string(name_of(cid_.hash()));
        case 'H':
            return number_text(cid_.hash());
        case 'L':
            return std::to_string(cid_.digest().size());
        case 'm':
            return multibase::encode(base_, cid_.multihash());
        case 'M':
            return multibase::encode_bare(base_, cid_.multihash());
        case 'd':
            return multibase::encode(base_, cid_.digest());
        case 'D':
            return multibase::encode_bare(base_, cid_.digest());
        case 's':
            return text();
        case 'S':
            return multibase::encode_bare(base_, cid_.bytes());
        case 'P':
            return (*this)("%v-%c-%h-%L");
        default:
            return Error{Errc::usage,
                         std::string("unrecognized specifier in format string: %") + letter};
        }
    }

    std::string text() const {
        return cid_.version() == 0 ? cid_.to_string() : multibase::encode(base_, cid_.bytes());
    }

    const Cid& cid_;
    Base base_;
};

/// The base of a version 1 CID's text. Requires: `text` was parsed as one.
Base base_of(std::string_view text) { return static_cast<Base>(text.front()); }

Result<std::string> formatted(const std::string& text, const Conversion& conversion) {
    Cid cid = TRY(Cid::parse(text));
    const bool had_version_0 = cid.version() == 0;
    if (conversion.codec && *conversion.codec != cid.codec()) {
        cid = Cid::v1(*conversion.codec, cid.hash(), cid.digest());
    }
    if (conversion.version == 1) {
        cid = cid.as_v1();
    } else if (conversion.version == 0) {
        if (cid.codec() != Codec::dag_pb) {
            return Error{Errc::malformed, "can't convert non-dag-pb nodes to cidv0"};
        }
        if (cid.hash() != HashCode::sha2_256) {
            return Error{Errc::malformed, "can't convert to cidv0: its hash is not sha2-256"};
        }
        cid = Cid::v0(cid.digest());
    }
    // Kubo asks the text for its base; that of version 0 is said nowhere.
    const Base base = conversion.base      ? *conversion.base
                      : cid.version() == 0 ? Base::base58btc
                      : had_version_0      ? Base::base58btc
                                           : base_of(text);
    return Formatter(cid, base)(conversion.format);
}

/// A line a CID. What is wrong with one is noted and the others go on, as in Kubo.
Result<int>
print_all(Context& context, const std::vector<std::string>& words, const Conversion& conversion) {
    std::optional<Error> last;
    for (const std::string& word : TRY(given_paths(words))) {
        Result<std::string> text = formatted(word, conversion);
        if (!text && text.error().code == Errc::usage) {
            return std::move(text).take_error();
        }
        if (context.json) {
            nlohmann::json json{{"cid", word}, {"formatted", nullptr}, {"error", nullptr}};
            (text ? json["formatted"] : json["error"]) = text ? *text : text.error().message;
            TRY(context.streams.print(
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
        } else if (text) {
            TRY(context.streams.print(*text + "\n"));
        }
        if (!text) {
            TRY(context.streams.flush()); // So that both streams on one terminal are in order.
            context.streams.note(printable(word) + ": " + printable(text.error().message) + "\n");
            last = Error{text.error().code, "errors while displaying some entries"};
        }
    }
    if (last) {
        return std::move(*last);
    }
    return 0;
}

struct FormatOptions {
    std::vector<std::string> words;
    std::string format = "%s";
    std::string version;
    std::string codec;
    std::string base;
};

Result<Conversion> conversion_of(const FormatOptions& options) {
    Conversion conversion{.format = options.format};
    if (options.format.find('%') == std::string::npos) {
        return Error{Errc::usage, "invalid format string: \"" + options.format + "\""};
    }
    if (!options.codec.empty()) {
        conversion.codec = TRY(codec_of_flag("--mc", options.codec));
    }
    if (options.version == "0") {
        if (conversion.codec && *conversion.codec != Codec::dag_pb) {
            return Error{Errc::usage, "cannot convert to CIDv0 with any codec other than dag-pb"};
        }
        if (!options.base.empty() && options.base != "base58btc") {
            return Error{Errc::usage,
                         "cannot convert to CIDv0 with any multibase other than the implicit "
                         "base58btc"};
        }
        conversion.version = 0;
    } else if (options.version == "1" || (options.version.empty() && !options.base.empty())) {
        conversion.version = 1;
    } else if (!options.version.empty()) {
        return Error{Errc::usage, "invalid cid version: \"" + options.version + "\""};
    }
    if (!options.base.empty()) {
        conversion.base = base_named(options.base);
        if (!conversion.base) {
            return Error{Errc::usage,
                         "-b: unknown or unsupported multibase '" + options.base + "'"};
        }
    }
    return conversion;
}

void add_format(Command& cid, Context& context) {
    Command* command = cid.add_subcommand("format", "Print CIDs in another form");
    auto options = std::make_shared<FormatOptions>(); // Kept by the action.
    command->add_option("CID", options->words, "CIDs; none: lines of standard input");
    command->add_option("-f", options->format, "What to print of each (%s)")->type_name("FORMAT");
    command->add_option("-v", options->version, "Convert to version 0 or 1")->type_name("VERSION");
    command->add_option("--mc", options->codec, "Convert to another codec")->type_name("CODEC");
    command->add_option("-b", options->base, "Print in another multibase")->type_name("BASE");
    context.add_json(*command);
    command->footer(
        "FORMAT: %% a percent sign, %b %B name and letter of the base, %v %V version (cidv1, 1),\n"
        "%c %C name and number of the codec, %h %H of the hash function, %L bytes of the digest,\n"
        "%m %M multihash with and without the letter of the base, %d %D digest, %s %S CID,\n"
        "%P %v-%c-%h-%L.\n\n"
        "Examples:\n"
        "  ipfs-compute cid format -b base36 CID\n"
        "  ipfs-compute cid format -f '%P %d' -b base16 CID\n"
        "  ipfs-compute cid format -v 0 CID");
    context.on_run(*command, [&context, options]() -> Result<int> {
        return print_all(context, options->words, TRY(conversion_of(*options)));
    });
}

void add_base32(Command& cid, Context& context) {
    Command* command = cid.add_subcommand("base32", "Print CIDs as version 1 in base32");
    auto words = std::make_shared<std::vector<std::string>>();
    command->add_option("CID", *words, "CIDs; none: lines of standard input");
    context.add_json(*command);
    command->footer("Examples:\n  ipfs-compute cid base32 CID");
    context.on_run(*command, [&context, words] {
        return print_all(context, *words, {.version = 1, .base = Base::base32});
    });
}

} // namespace

void add_cid(Command& app, Context& context) {
    Command* command = app.add_subcommand("cid", "Look at CIDs and convert them");
    add_format(*command, context);
    add_base32(*command, context);
    add_cid_inspect(*command, context);
}

} // namespace ic::cli
