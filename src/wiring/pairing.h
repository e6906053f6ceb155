#pragma once
/// Two homes made known to each other by a code: docs/formats/pairing.md. The one that shows the
/// code listens, the one that is told it dials.

#include "base/result.h"
#include "identity/key.h"
#include "log/entry.h"
#include "net/event_loop.h"
#include "session/pairing.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::wiring {

/// Where an inviter listens if it can, and a joiner dials if it is told no other. Ours.
inline constexpr std::uint16_t pair_port = 8587;

namespace limits {
/// Ours: connections at once; one of them may try the code.
inline constexpr std::size_t pair_guests_max = 16;
/// Ours: of them from one machine, so that it leaves room for others.
inline constexpr std::size_t pair_guests_per_address_max = 4;
} // namespace limits

/// Who was met.
struct Paired {
    PublicKey key;
    session::Introduction other;
};

/// This end.
struct PairSelf {
    const PrivateKey* key = nullptr; ///< Lifetime: longer than the call.
    std::string software;
    session::Introduction introduction;
    /// Keeps whom was met. An inviter calls it before it tells the other that all is well; after an
    /// error it does not.
    std::function<Result<void>(const Paired&)> keep;
};

struct InviteOptions {
    /// ADDRESS:PORT; empty: all addresses, at `pair_port` or, where that is taken, any.
    std::string listen{};
    std::optional<session::PairCode> code{}; ///< Nothing: random ones.
    session::InvitationOptions invitation{};
    /// Shows a code, and the port: the first, and each that takes the place of one.
    std::function<Result<void>(const session::PairCode& code, std::uint16_t port)> on_code;
    log::Sink note{}; ///< Attempts that failed.
};

/// Shows codes and waits for who has been told one. Blocks.
/// Errors: expired, refused (every code was tried, and wrongly); of listening and of `keep`.
Result<Paired>
invite_to_pair(net::EventLoop& loop, const PairSelf& self, const InviteOptions& options);

/// Dials the first of these URLs that answers. Blocks.
/// Errors: unavailable (none answers), refused (another code, or somebody in between); of `keep`.
Result<Paired> join_by_code(net::EventLoop& loop,
                            const PairSelf& self,
                            const session::PairCode& code,
                            std::vector<std::string> urls);

/// The URL that people mean by `HOST`, `HOST:PORT`, an IPv6 address with or without brackets, or a
/// URL.
std::string pair_url(std::string_view address);

} // namespace ic::wiring
