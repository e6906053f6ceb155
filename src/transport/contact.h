#pragma once
/// Contact: where a process of another machine can be reached.

#include "identity/key.h"
#include "job/ids.h"

#include <string>
#include <vector>

namespace ic::transport {

/// As a packet (docs/formats/packet.md) or a user says it; a hint until a session proves it.
struct Contact {
    job::Instance instance;
    PublicKey key;
    std::vector<std::string> at; ///< URLs and `/p2p/...`, the best first.

    friend bool operator==(const Contact&, const Contact&) = default;
};

} // namespace ic::transport
