#pragma once
/// What Kubo's answers say: errors and JSON. Inside this folder alone.

#include "base/bytes.h"
#include "base/result.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::kubo {

/// `{"Message": ..., "Type": "error"}`: what Kubo says went wrong, printable; nothing if `text` is
/// something else.
std::optional<std::string> kubo_message(std::string_view text);

/// An answer that is not 200. `address` and `command` go into the message.
struct Refusal {
    std::string_view address;
    std::string_view command;
    std::uint16_t status = 0;
    std::string_view body;
};

/// Errors: as those of Rpc.
Error error_of(const Refusal& refusal);

/// Whether an answer of this kind may be another one soon: a proxy's, or a Kubo that is starting.
/// Kubo's own 500s are its last word on a call.
bool may_pass(const Refusal& refusal);

/// A JSON object. Errors: malformed; unavailable if it is Kubo's form of an error.
Result<nlohmann::json> parse_object(ByteView text, std::string_view where);

/// A field that must be a string. Errors: malformed.
Result<std::string>
string_field(const nlohmann::json& object, const char* name, std::string_view where);

/// A field that may be missing or null: an array of strings. Errors: malformed.
Result<std::vector<std::string>>
strings_field(const nlohmann::json& object, const char* name, std::string_view where);

/// A field that must be the text of a CID. Errors: malformed.
Result<Cid> cid_field(const nlohmann::json& object, const char* name, std::string_view where);

/// A field that may be missing: a number. Errors: malformed.
Result<std::uint64_t>
number_field(const nlohmann::json& object, const char* name, std::string_view where);

/// The answer to a call, which is one object. Errors: as Rpc.
Result<nlohmann::json> call_object(Rpc& rpc, const RpcCall& call);

/// The next object of an answer that is a stream of them, one a line; nothing at its end.
/// Errors: as RpcAnswer, malformed.
Result<std::optional<nlohmann::json>> next_object(RpcAnswer& answer);

/// "where: not what Kubo answers (what)"
Error no_kubo(std::string_view where, std::string_view what);

} // namespace ic::kubo
