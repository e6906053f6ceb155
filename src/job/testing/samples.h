#pragma once
/// Values to test with: keys, a job, a receipt, a message of every kind. Always the same ones, so
/// that golden files can hold their bytes.

#include "identity/key.h"
#include "job/invocation.h"
#include "job/message.h"
#include "job/receipt.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ic::job::testing {

/// The key of a seed of 32 bytes `seed`.
PrivateKey sample_key(std::uint8_t seed);

/// 16 bytes `fill`.
Instance sample_instance(std::uint8_t fill);

/// A CID of nothing in particular, another one for another number.
Cid sample_cid(std::uint8_t number);

/// A job with every field in use but `providers`, of `sample_key(1)`, for the coordinator
/// `sample_key(2)`.
Invocation sample_invocation();
/// A pure job with imports, and else little.
Invocation sample_linked_invocation();

/// Of one IPFS node.
std::vector<std::string> sample_providers();

/// A receipt with every field in use but `providers`, of `sample_key(3)`, for
/// `sample_invocation()`.
Receipt sample_receipt();

/// One of each kind, in the order of the variant, every field present that the kind had at first.
std::vector<Message> sample_messages();

struct NamedMessage {
    std::string name; ///< Of its golden bytes.
    Message message;
};

/// Those kinds that got more fields within version 1, with them.
std::vector<NamedMessage> sample_messages_with_later_fields();

/// Bytes of a text of hexadecimal digits. Requires: an even number of digits and nothing else.
Bytes from_hex(std::string_view digits);

} // namespace ic::job::testing
