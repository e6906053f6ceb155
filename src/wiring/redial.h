#pragma once
/// Redial: when to dial whom again, of a list of Kubo peers. Pure: clock and randomness are the
/// caller's.

#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::wiring {

/// Ours. One that is connected is looked after as often; dialling it again costs Kubo nothing.
struct RedialTiming {
    std::chrono::milliseconds connected{60'000};
    std::chrono::milliseconds first{2'000};     ///< After a failure; then twice as long each time,
    std::chrono::milliseconds longest{300'000}; ///< up to this; each less up to a quarter of it.
};

/// Threads: one at a time.
class Redial {
public:
    explicit Redial(const RedialTiming& timing) : timing_(timing) {}

    /// Whom to dial from now on: addresses of each peer. Those that are new are due at once; those
    /// whose addresses are the same go on as they were.
    void replace(std::vector<std::vector<std::string>> peers, Instant now);

    /// All are due now, and what failed before does not count: it may have been our own failure.
    void start_over(Instant now);

    struct Due {
        std::uint64_t peer = 0; ///< For `dialled`.
        std::vector<std::string> addresses;
    };

    /// The one that has been due for longest; it is not again until `dialled` was told of it.
    std::optional<Due> take(Instant now);

    /// How that went. `random`: any number. One that was replaced meanwhile is passed over.
    enum class Outcome : std::uint8_t { connected, failed };
    void dialled(std::uint64_t peer, Outcome outcome, Instant now, std::uint64_t random);

    /// When the next is due; never() if none is, or all are being dialled.
    Instant next() const;

private:
    struct Peer {
        std::uint64_t number = 0; ///< Of no other, ever.
        std::vector<std::string> addresses;
        Instant at;
        std::chrono::milliseconds pause{0};
        bool dialling = false;
    };

    RedialTiming timing_;
    std::uint64_t next_number_ = 0;
    std::vector<Peer> peers_;
};

} // namespace ic::wiring
