#pragma once
/// The key of this home, read or made.

#include "base/result.h"
#include "config/home.h"
#include "identity/key.h"

namespace ic::wiring {

/// Reads `identity.key`; makes it (mode 0600, from the kernel's randomness) if it is missing.
/// Several processes may do so at once: all get the same key. Errors: refused if others than its
/// owner may read it; malformed; as reading and writing files.
Result<PrivateKey> open_identity(const config::Home& home);

} // namespace ic::wiring
