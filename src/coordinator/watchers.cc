#include "coordinator/watchers.h"

#include <iterator>

namespace ic::coordinator {

void Watchers::add(const Cid& job, const job::Instance& client, Interest interest) {
    std::map<job::Instance, Interest>& all = jobs_[job];
    if (all.size() < limits::watchers_per_job_max) {
        all.insert_or_assign(client, interest);
    }
}

void Watchers::forget(const Cid& job, const job::Instance& client) {
    const auto entry = jobs_.find(job);
    if (entry != jobs_.end()) {
        entry->second.erase(client);
        if (entry->second.empty()) {
            jobs_.erase(entry);
        }
    }
}

void Watchers::forget_client(const job::Instance& client) {
    for (auto entry = jobs_.begin(); entry != jobs_.end();) {
        entry->second.erase(client);
        entry = entry->second.empty() ? jobs_.erase(entry) : std::next(entry);
    }
}

std::vector<job::Instance> Watchers::of(const Cid& job) const {
    std::vector<job::Instance> clients;
    if (const auto entry = jobs_.find(job); entry != jobs_.end()) {
        for (const auto& [client, interest] : entry->second) {
            clients.push_back(client);
        }
    }
    return clients;
}

void Watchers::tell(const Cid& job, const job::Message& message, Interest least) const {
    const auto entry = jobs_.find(job);
    if (entry == jobs_.end()) {
        return;
    }
    for (const auto& [client, interest] : entry->second) {
        if (interest >= least) {
            outlet_.send(client, message);
        }
    }
}

void Watchers::tell_accepted(const job::Accepted& accepted) {
    tell(accepted.job, accepted, Interest::acceptance);
    const auto entry = jobs_.find(accepted.job);
    if (entry == jobs_.end()) {
        return;
    }
    std::erase_if(entry->second,
                  [](const auto& watcher) { return watcher.second == Interest::acceptance; });
    if (entry->second.empty()) {
        jobs_.erase(entry);
    }
}

} // namespace ic::coordinator
