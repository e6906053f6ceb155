#include "lease/worker_table.h"

#include "job/text.h"
#include "lease/rendezvous.h"

#include <algorithm>
#include <utility>

namespace ic::lease {
namespace {

constexpr std::uint64_t smoothed_unit = 256;
constexpr std::uint64_t smoothed_share = 4; ///< A quarter of the way, each time.

} // namespace

/// Forgets of those that count the ones heard longest ago, until there is room for one more.
template <class Counts>
void WorkerTable::make_room(std::size_t most, Counts counts) {
    std::size_t count = 0;
    Entry oldest = workers_.end();
    for (Entry at = workers_.begin(); at != workers_.end(); ++at) {
        if (counts(at->second)) {
            ++count;
            const bool is_older =
                oldest == workers_.end() || at->second.heard_at < oldest->second.heard_at;
            oldest = is_older ? at : oldest;
        }
    }
    if (count >= most && oldest != workers_.end()) {
        workers_.erase(oldest); // One comes at a time, so one has to go.
    }
}

void WorkerTable::hear(job::Advert advert, Trust trust, Instant now) {
    advert.software = job::fit_text(advert.software, job::limits::advert_software_bytes_max);
    const auto missed_after = [this](std::chrono::milliseconds again) {
        return std::clamp(again, options_.again_least, options_.again_most) *
               options_.adverts_missed_max;
    };
    const Instant until =
        now + (advert.again_within ? missed_after(*advert.again_within) : options_.silence_max);
    const job::Instance instance = advert.worker.instance;
    if (!workers_.contains(instance)) {
        const PublicKey key = advert.worker.key;
        if (trust == Trust::stranger) {
            make_room(options_.strangers_max,
                      [](const HeardWorker& one) { return one.trust == Trust::stranger; });
        }
        make_room(options_.workers_per_key_max,
                  [&key](const HeardWorker& one) { return one.advert.worker.key == key; });
        if (workers_.size() >= options_.workers_max) {
            make_room(options_.workers_max, [](const HeardWorker&) { return true; });
        }
    } else if (workers_.at(instance).advert.worker.key != advert.worker.key &&
               trust == Trust::stranger) {
        return; // Somebody bears the name of another's process.
    }
    workers_.insert_or_assign(
        instance,
        HeardWorker{.advert = std::move(advert), .trust = trust, .heard_at = now, .until = until});
}

void WorkerTable::forget_silent(Instant now) {
    std::erase_if(workers_, [now](const auto& entry) { return entry.second.until <= now; });
}

void WorkerTable::time(Instant now) {
    forget_silent(now);
    const auto takes_jobs = [](const auto& entry) {
        return entry.second.trust == Trust::trusted && entry.second.advert.slots > 0;
    };
    const std::uint64_t count =
        static_cast<std::uint64_t>(std::ranges::count_if(workers_, takes_jobs)) * smoothed_unit;
    const std::uint64_t step = (count > smoothed_ ? count - smoothed_ : smoothed_ - count);
    const std::uint64_t moved = (step + smoothed_share - 1) / smoothed_share;
    smoothed_ = count > smoothed_ ? smoothed_ + moved : smoothed_ - moved;
}

std::uint64_t WorkerTable::network_size() const {
    const std::uint64_t size = smoothed_ / smoothed_unit;
    return size < options_.network_workers_min ? 0 : size;
}

std::vector<job::Instance>
WorkerTable::take(const Cid& job, const Suits& suits, std::size_t count, Instant now) {
    const std::uint64_t job_bits = rendezvous_bits(job);
    std::vector<std::pair<std::uint64_t, HeardWorker*>> found;
    for (auto& [instance, worker] : workers_) {
        const bool is_idle = worker.trust == Trust::trusted && worker.advert.slots_free > 0 &&
                             !worker.is_taken && now < worker.until &&
                             now - worker.heard_at <= options_.idle_heard_max;
        if (is_idle && suits(worker.advert)) {
            found.emplace_back(
                rendezvous_score(job_bits, rendezvous_bits(worker.advert.worker.key)), &worker);
        }
    }
    const std::size_t wanted = std::min(count, found.size());
    const auto score_of = [](const auto& one) {
        return std::pair(one.first, one.second->advert.worker.instance);
    };
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::ranges::partial_sort(found, end, {}, score_of);
    std::vector<job::Instance> taken;
    for (auto at = found.begin(); at != end; ++at) {
        at->second->is_taken = true;
        taken.push_back(at->second->advert.worker.instance);
    }
    return taken;
}

std::vector<job::KnownWorkers>
WorkerTable::answers(const std::function<Reached(const job::Instance&)>& reached, Instant now) {
    forget_silent(now);
    std::vector<const HeardWorker*> sorted;
    sorted.reserve(workers_.size());
    for (const auto& [instance, worker] : workers_) {
        sorted.push_back(&worker);
    }
    std::ranges::sort(sorted, {}, [](const HeardWorker* one) { return one->advert.worker; });
    std::vector<job::KnownWorkers> answers(1);
    for (const HeardWorker* one : sorted) {
        if (answers.back().workers.size() == job::limits::known_workers_per_message_max) {
            answers.emplace_back();
        }
        Reached way = reached(one->advert.worker.instance);
        std::erase_if(way.addresses, [](const std::string& address) {
            return address.size() > job::limits::known_worker_address_bytes_max;
        });
        way.addresses.resize(
            std::min(way.addresses.size(), job::limits::known_worker_addresses_max));
        answers.back().workers.push_back(
            {.advert = one->advert,
             .heard_ago =
                 std::chrono::duration_cast<std::chrono::milliseconds>(now - one->heard_at),
             .route = way.route,
             .addresses = std::move(way.addresses),
             .trusted = one->trust == Trust::trusted});
    }
    std::size_t left = sorted.size();
    for (job::KnownWorkers& answer : answers) {
        left -= answer.workers.size();
        answer.left = static_cast<std::uint32_t>(left);
    }
    return answers;
}

} // namespace ic::lease
