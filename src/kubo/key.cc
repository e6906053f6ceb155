#include "kubo/key.h"

#include "kubo/answer.h"
#include "multiformats/multibase.h"

#include <utility>

namespace ic::kubo {

Result<Bytes> sign_as_peer(Rpc& rpc, ByteView data, Stop stop) {
    if (data.size() > limits::signed_bytes_max) {
        return Error{Errc::too_large,
                     "more than " + std::to_string(limits::signed_bytes_max) +
                         " bytes are not signed"};
    }
    const RpcCall call{.command = "key/sign",
                       .query = {{"key", "self"}},
                       .repeat = Repeat::harmless,
                       .part = "data",
                       .data = data,
                       .stop = std::move(stop)};
    const nlohmann::json object = TRY(call_object(rpc, call));
    const std::string where = rpc.where(call.command);
    Result<Bytes> signature = multibase::decode(TRY(string_field(object, "Signature", where)));
    return signature ? std::move(signature) : no_kubo(where, "a signature in another base");
}

} // namespace ic::kubo
