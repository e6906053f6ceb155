#include "wiring/trust.h"

#include "config/trust.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace ic::wiring {

Result<TrustList> load_trust_list(const config::Home& home, const PublicKey& own) {
    TrustList list{.keys = {own}};
    for (config::Trusted& trusted : TRY(config::load_trust(home.trust_file()))) {
        Result<PublicKey> key = PublicKey::parse_did(trusted.did);
        if (!key) {
            return std::move(key).take_error().during(home.trust_file());
        }
        list.keys.push_back(*key);
        if (!trusted.at.empty()) {
            list.kubos.push_back(std::move(trusted.at));
        }
    }
    return list;
}

Result<std::vector<PublicKey>> load_trusted_keys(const config::Home& home, const PublicKey& own) {
    return TRY(load_trust_list(home, own)).keys;
}

bool TrustedKeys::contains(const PublicKey& key) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(keys_, key) != keys_.end();
}

void TrustedKeys::replace(std::vector<PublicKey> keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
}

TrustWatch::TrustWatch(net::EventLoop& loop,
                       config::Home home,
                       std::vector<PublicKey> known,
                       PublicKey own,
                       Changed changed,
                       log::Sink note)
    : loop_(loop)
    , home_(std::move(home))
    , known_{.keys = std::move(known)}
    , own_(own)
    , changed_(std::move(changed))
    , note_(std::move(note)) {
    look();
}

TrustWatch::~TrustWatch() { loop_.cancel(timer_); }

TrustWatch::Stamp TrustWatch::stamp() const {
    struct stat status{};
    if (::stat(home_.trust_file().c_str(), &status) != 0) {
        return {};
    }
    constexpr std::int64_t ns_per_second = 1'000'000'000;
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .bytes = status.st_size,
            .modified_ns = status.st_mtim.tv_sec * ns_per_second + status.st_mtim.tv_nsec};
}

void TrustWatch::look() {
    timer_ = loop_.after(trust_look_period, [this] { look(); });
    // Before the file is read: what is written meanwhile shows at the next look.
    const Stamp now = stamp();
    if (seen_ != now) {
        seen_ = now;
        load();
    }
}

void TrustWatch::load() {
    Result<TrustList> list = load_trust_list(home_, own_);
    if (!list) {
        note_(log::Level::warning,
              "the keys that were trusted before still are: " + list.error().message,
              {{"error", std::string(name(list.error().code))}});
        return;
    }
    if (*list == known_) {
        return;
    }
    const bool is_another_who = list->keys != known_.keys;
    known_ = std::move(list).take();
    if (is_another_who) {
        const std::size_t others = known_.keys.size() - 1;
        note_(log::Level::info,
              "jobs of this key and of " + std::to_string(others) +
                  (others == 1 ? " other are" : " others are") +
                  " taken now (trust.toml has changed)");
    }
    changed_(known_);
}

} // namespace ic::wiring
