/// Worker: what it says of itself to everybody.

#include "lease/worker_impl.h"

#include <algorithm>

namespace ic::lease {

using namespace std::chrono_literals;

namespace {

/// The first pause between two adverts to all; each is twice the one before, up to the usual one.
constexpr std::chrono::milliseconds first_pause = 1'000ms;
constexpr std::uint64_t doublings_max = 20; ///< Beyond any pause that there is.

} // namespace

job::Advert Worker::Impl::advert() const {
    const std::uint32_t slots = draining ? 0 : std::min(options.slots, slots_usual);
    const auto busy = static_cast<std::uint32_t>(leases.size());
    job::Advert made{.worker = self,
                     .slots = slots,
                     .slots_free = busy >= slots ? 0 : slots - busy,
                     .software = options.software,
                     .labels = options.labels,
                     .features = options.features,
                     .store_bytes = store_bytes,
                     .again_within = {}};
    if (options.advert_every > 0ms) {
        made.again_within = advert_pause() * 5 / 4;
    }
    return made;
}

/// The usual pause, before it is spread.
Worker::Impl::Ms Worker::Impl::advert_pause() const {
    const std::uint64_t paced = options.rendezvous.workers * 1'000 / options.adverts_a_second_max;
    constexpr std::uint64_t longest = 3'600'000;
    return std::max(options.advert_every, Ms{static_cast<std::int64_t>(std::min(paced, longest))});
}

/// When it is time, and soon after it got full, idle, or takes jobs no more.
void Worker::Impl::advertise(Instant now) {
    if (!started || options.advert_every == 0ms) {
        return;
    }
    const job::Advert said = advert();
    const Load load{
        .slots = said.slots, .is_idle = leases.empty(), .is_full = said.slots_free == 0};
    const Ms pause = advert_pause();
    if (adverts > 0 && load != advertised) {
        advert_at = std::min(advert_at, advertised_at + pause / 5);
    }
    if (now < advert_at) {
        return;
    }
    actions.push_back(Announcement{said});
    advertised = load;
    advertised_at = now;
    // From three to five quarters of it, other ones for each worker: all that start together do not
    // speak together.
    const std::uint64_t part = static_cast<std::uint64_t>(pause.count()) / 2 + 1;
    std::uint64_t name = 0;
    for (const std::uint8_t byte : self.instance.bytes) {
        name = name << 8U | byte;
    }
    const Ms spread{static_cast<std::int64_t>(rendezvous_score(adverts, name) % part)};
    const Ms early = first_pause * (1 << std::min(adverts, doublings_max));
    ++adverts;
    advert_at = now + std::min(early, pause * 3 / 4 + spread);
}

} // namespace ic::lease
