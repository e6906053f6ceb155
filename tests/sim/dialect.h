#pragma once
/// Dialect: what nodes of several minor versions of the messages write and read, through the codec
/// that ships.

#include "base/bytes.h"
#include "job/message.h"
#include "sim/random.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ic::sim {

enum class Dialect : std::uint8_t {
    first,   ///< The first release: the fields and numbers of docs/formats/messages.md of then.
    current, ///< What this tree is.
    next,    ///< One to come: with fields, kinds and numbers of errors that this tree lacks.
};

/// A kind of the first release and all its fields. Never to be changed: such nodes are out there.
struct FirstKind {
    std::string_view name;
    std::vector<std::string_view> fields;
};

/// In the order of their numbers, from 1.
const std::vector<FirstKind>& first_kinds();

/// The message as a node of this version writes it.
Bytes spoken(const job::Message& message, Dialect dialect, Random& random);

/// A message of a kind that only the next version has.
Bytes unheard_of(Random& random);

/// What a node of this version makes of the bytes. Errors: as `job::decode`; unsupported also for
/// what only newer nodes know.
Result<job::Message> heard(ByteView bytes, Dialect dialect);

} // namespace ic::sim
