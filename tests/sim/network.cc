/// The network between the simulated processes: loss, doubling, delay, versions, partitions.

#include "sim/receipt.h"
#include "sim/world.h"

#include <algorithm>
#include <utility>

namespace ic::sim {
namespace {

constexpr double unheard_of_share = 0.05; ///< Of messages of a node of the next version.

} // namespace

// --- messages ------------------------------------------------------------------------------------

void World::send(Process& from, const job::Instance& to, const job::Message& message) {
    if (Process* target = find(to)) {
        transmit(from, *target, message);
    }
}

void World::announce(Process& from, const job::Message& message) {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        if (processes_[i]->alive) {
            transmit(from, *processes_[i], message);
        }
    }
}

void World::transmit(Process& from, Process& to, const job::Message& message) {
    if (&from == &to) {
        // Within one process nothing is lost, and nothing written.
        trace("send", from.index, to.index, message.index());
        after(1, [this, &to, said = message] {
            to_broker(to, [this, &to, said] { act_on(to, to.self.instance, said); });
        });
        return;
    }
    if (is_cut(from, to)) {
        ++report_.cut_messages;
        return;
    }
    // What its like would understand means nothing here.
    if (from.dialect == Dialect::next && to.dialect != Dialect::next &&
        random_.chance(unheard_of_share)) {
        pass_on(from, to, unheard_of(random_));
    }
    trace("send", from.index, to.index, message.index());
    pass_on(from, to, spoken(message, from.dialect, random_));
}

/// Perhaps not at all, perhaps twice, some time later.
void World::pass_on(Process& from, Process& to, Bytes bytes) {
    const bool fair = healed_;
    const bool may_be_slow = !fair && (!profile_.slow_one_way || from.machine % 2 == 0);
    std::int64_t copies = !fair && random_.chance(profile_.loss) ? 0 : 1;
    copies += !fair && random_.chance(profile_.doubling) ? 1 : 0;
    for (; copies > 0; --copies) {
        Us delay = random_.between(20, profile_.delay_us_max);
        if (may_be_slow && random_.chance(profile_.slow_share)) {
            delay = random_.between(delay, profile_.slow_us_max);
        }
        after(delay, [this, &from, &to, bytes] {
            to_broker(to, [this, &from, &to, bytes] { deliver(to, from, ByteView{bytes}); });
        });
    }
}

void World::deliver(Process& to, const Process& from, ByteView bytes) {
    report_.foreign_messages += from.dialect == to.dialect ? 0 : 1;
    const Result<job::Message> message = heard(bytes, to.dialect);
    if (message) {
        act_on(to, from.self.instance, *message);
        return;
    }
    ++report_.refused_messages;
    trace("refuse", to.index, from.index);
    if (from.dialect <= to.dialect || message.error().code != Errc::unsupported) {
        truth_.violation("a message of an older or the same version is not understood: " +
                         message.error().message);
    }
}

void World::act_on(Process& to, const job::Instance& from, const job::Message& message) {
    trace("deliver", to.index, message.index(), from.bytes[0]);
    if (const auto* receipt = std::get_if<job::ReceiptMessage>(&message)) {
        const job::LeaseRef& lease = receipt->lease;
        lease::ReceiptFacts facts{.valid = true, .error = {}, .message = {}};
        const auto job = client_of_.find(lease.job);
        facts.valid = job != client_of_.end() && is_of(receipt->receipt, job->second, lease.epoch);
        if (may_pass(receipt->receipt)) {
            facts.error = Errc::cid_unavailable;
        }
        to.coordinator->receipt(from, *receipt, facts, clock(to));
    } else {
        if (const auto* advert = std::get_if<job::Advert>(&message)) {
            to.heard.hear(*advert, lease::Trust::trusted, clock(to));
        }
        to.coordinator->message(from, message, clock(to));
        to.worker->message(from, message, clock(to));
    }
    pump(to);
}

/// `one` learns that the other is there, or that it is not to be reached.
void World::meet(Process& one, Process& other, bool seen) {
    to_broker(one, [this, &one, it = other.self.instance, seen] {
        if (seen) {
            one.coordinator->peer_seen(it, clock(one));
            one.worker->peer_seen(it, clock(one));
        } else {
            one.coordinator->peer_silent(it, clock(one));
            one.worker->peer_silent(it, clock(one));
        }
        pump(one);
    });
}

// --- partitions ----------------------------------------------------------------------------------

bool World::is_cut(const Process& from, const Process& to) const {
    return std::ranges::any_of(cuts_, [&from, &to](const auto& entry) {
        const Cut& cut = entry.second;
        const auto group = [&cut](const Process& process) {
            const auto own = cut.group_of_process.find(process.index);
            if (own != cut.group_of_process.end()) {
                return own->second;
            }
            return process.machine < cut.group_of_machine.size()
                       ? cut.group_of_machine[process.machine]
                       : 0U;
        };
        return cut.closed.contains({group(from), group(to)});
    });
}

/// Processes, those of one machine too, on two sides; perhaps closed from one of them only.
Cut World::two_sides(Random& random) const {
    Cut cut{.group_of_machine = {}, .group_of_process = {}, .closed = {{1, 0}}};
    if (random.chance(0.7)) {
        cut.closed.insert({0, 1});
    }
    for (const auto& process : processes_) {
        if (process->alive) {
            cut.group_of_process[process->index] = random.chance(0.5) ? 1 : 0;
        }
    }
    return cut;
}

/// Machines in groups.
Cut World::groups(Random& random) const {
    Cut cut;
    enum class Shape : std::uint8_t { three, one_way, line, alone };
    const auto shape = static_cast<Shape>(random.between(0, 3));
    const auto last = static_cast<std::int64_t>(machines_.size()) - 1;
    const auto alone = static_cast<std::size_t>(random.between(0, last));
    const std::int64_t groups = shape == Shape::one_way ? 2 : 3;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        const auto drawn = static_cast<unsigned>(random.between(0, groups - 1));
        cut.group_of_machine.push_back(shape != Shape::alone ? drawn : i == alone ? 1 : 0);
    }
    switch (shape) {
    case Shape::three:
        cut.closed = {{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}};
        break;
    case Shape::one_way:
        cut.closed = {{0, 1}};
        break;
    case Shape::line: // The middle sees both ends, which do not see each other.
        cut.closed = {{0, 2}, {2, 0}};
        break;
    case Shape::alone: // It hears nobody, or nobody hears it, or both.
        cut.closed = {random.chance(0.5) ? std::pair{0U, 1U} : std::pair{1U, 0U}};
        if (random.chance(0.5)) {
            cut.closed = {{0, 1}, {1, 0}};
        }
        break;
    }
    return cut;
}

/// For a while. Those that notice take each other for gone, not for dead, and meet again later.
void World::part(Cut cut, Us length, bool noticed) {
    const std::uint64_t number = ++cut_number_;
    cuts_[number] = std::move(cut);
    after(length, [this, number] { cuts_.erase(number); });
    if (!noticed) {
        return;
    }
    for (const auto& one : processes_) {
        for (const auto& other : processes_) {
            const bool apart = is_cut(*one, *other) || is_cut(*other, *one);
            if (!one->alive || !other->alive || !apart || one == other) {
                continue;
            }
            Process& it = *one;
            Process& peer = *other;
            after(random_.between(1'000, 500'000), [this, &it, &peer] { meet(it, peer, false); });
            after(length + random_.between(500'001, 600'000), [this, &it, &peer] {
                if (peer.alive) {
                    meet(it, peer, true);
                }
            });
        }
    }
}

} // namespace ic::sim
