#pragma once
/// Pins: which content is kept whatever else is collected.

#include "base/result.h"
#include "base/time.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ic {

namespace limits {
/// Kubo's bound on a pin's name (kubo v0.43, core/commands/cmdutils), bytes.
inline constexpr std::size_t pin_name_bytes_max = 255;
} // namespace limits

enum class PinKind : std::uint8_t {
    recursive = 1, ///< The block and everything that it links to.
    direct = 2,    ///< The block alone.
};

/// "recursive" or "direct", as Kubo prints it.
std::string_view name(PinKind kind);

/// A CID has one pin at most, under the CID as it was given: `Qm...` and `bafy...` of one block are
/// two, as in Kubo.
struct Pin {
    Cid cid;
    PinKind kind = PinKind::recursive;
    std::string name{};                      ///< Empty: none. Any text.
    std::optional<UnixSeconds> expires_at{}; ///< A collection after this drops the pin.

    bool is_expired(UnixSeconds now) const { return expires_at && *expires_at <= now; }

    friend bool operator==(const Pin&, const Pin&) = default;
};

/// The pins of one store, kept beside its blocks. Every change is a transaction: it is durable when
/// the call returns, and so is every block that was put before the call.
/// Threads: any. Processes: as many as like.
class Pins {
public:
    virtual ~Pins() = default;

    /// Pins, or changes name, kind and expiry of the pin that is there. Whether all that it names
    /// is here is the caller's to see (`unixfs` or dag walk under a WriteSession, and its
    /// `confirm`), not looked at. Errors: refused for a direct pin of what is pinned recursively,
    /// as Kubo; too_large (name); storage_full, unavailable.
    virtual Result<void> add(const Pin& pin) = 0;

    /// Errors: not_found if there is no such pin.
    virtual Result<void> remove(const Cid& cid) = 0;

    /// `to` in the place of the pin of `from`, in one transaction. Errors: not_found (`from`); as
    /// `add`.
    virtual Result<void> replace(const Cid& from, const Pin& to) = 0;

    virtual Result<std::optional<Pin>> find(const Cid& cid) = 0;

    /// Shows every pin, expired ones too, in the order of their CIDs' bytes. What other processes
    /// change meanwhile may or may not be seen; `visitor` may call the other functions. Its error
    /// ends the visit.
    using Visitor = std::function<Result<void>(const Pin&)>;
    virtual Result<void> visit(const Visitor& visitor) = 0;
};

} // namespace ic
