#include "transport/http/links.h"

#include "base/text.h"
#include "base/time.h"
#include "job/message.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <utility>

namespace ic::transport {
namespace {

/// Of two links between one pair that were dialled at the same moment, the same one must go at both
/// ends; one that was made later than this is no such coincidence, but a new beginning.
constexpr std::chrono::seconds coincidence_max{5};

bool is_url(std::string_view address) {
    return address.starts_with("http://") || address.starts_with("https://");
}

std::string url_of_session(std::string url) {
    while (url.ends_with('/')) {
        url.pop_back();
    }
    return url.append(session_path);
}

} // namespace

/// One connection.
struct Links::Link {
    std::unique_ptr<net::WebSocket> socket;
    std::optional<session::Session> session{};
    std::optional<job::Instance> dialled{}; ///< We connected, to this process,
    std::uint64_t round = 0;                ///< in this round of dialling it.
    std::optional<Peer> peer{};             ///< Since it is established and the one of its peer.
    Instant since = now_since_boot();
    Instant established_at{};
    bool is_heard = false;        ///< Something came over it: the other end has let us in.
    std::deque<Bytes> unproven{}; ///< What we sent before that, if we dialled.
    std::size_t unproven_bytes = 0;
    Instant last_used = now_since_boot();
    net::TimerId handshake_timer{};
    bool open = true;
};

/// A process that can be dialled.
struct Links::Target {
    Contact contact;
    std::uint64_t learned = 0;
    std::deque<Bytes> queue{}; ///< Payloads that wait for a link.
    std::size_t queue_bytes = 0;
    std::size_t next_address = 0;
    std::size_t attempts = 0; ///< Under way.
    bool dialling = false;
    std::uint64_t round = 0; ///< Of dialling: what is left of an earlier one does not count.
    net::TimerId next_timer{};
    std::chrono::milliseconds pause{0};
    Instant not_before{};
    std::string last_failure{};
};

Links::Links(net::EventLoop& loop, LinksOptions options)
    : loop_(loop)
    , options_(std::move(options)) {}

Result<std::unique_ptr<Links>> Links::open(net::EventLoop& loop, LinksOptions options) {
    std::unique_ptr<Links> links(new Links(loop, std::move(options)));
    if (!links->options_.listen.empty()) {
        net::WebListenerOptions listening;
        listening.path = session_path;
        listening.socket.subprotocol = session_subprotocol;
        listening.socket.message_bytes_max = session::limits::carrier_message_bytes_max;
        net::WebListenerCallbacks callbacks;
        callbacks.on_accept = [self = links.get()](std::unique_ptr<net::WebSocket> socket) {
            self->accept(std::move(socket));
        };
        links->listener_ = TRY(net::WebSocketListener::open(
            loop, links->options_.listen, listening, std::move(callbacks)));
    }
    return links;
}

Links::~Links() {
    *alive_ = false;
    loop_.cancel(sweep_timer_);
    for (const Held& link : links_) {
        loop_.cancel(link->handshake_timer);
    }
    for (const auto& [instance, target] : targets_) {
        loop_.cancel(target->next_timer);
    }
}

void Links::start(Events events) {
    events_ = std::move(events);
    sweep_timer_ = loop_.after(options_.idle_max / 4, [this] { sweep(); });
}

std::uint16_t Links::port() const { return listener_ ? listener_->port() : std::uint16_t{0}; }

// --- contacts ------------------------------------------------------------------------------------

void Links::learn(Contact contact) {
    if (contact.instance == options_.self.instance) {
        return;
    }
    const job::Instance instance = contact.instance;
    const auto [at, is_new] = targets_.try_emplace(instance);
    if (is_new) {
        at->second = std::make_unique<Target>(Target{.contact = contact});
    }
    Target& target = *at->second;
    target.learned = ++learned_;
    if (!is_new && target.contact != contact) {
        target.contact = std::move(contact);
        target.not_before = {}; // It may be somewhere else now.
    }
    if (is_new) {
        forget_contacts();
    }
}

void Links::forget_contacts() {
    while (targets_.size() > options_.contacts_max) {
        const auto oldest = std::ranges::min_element(targets_, {}, [](const auto& entry) {
            return std::pair{entry.second->dialling, entry.second->learned};
        });
        loop_.cancel(oldest->second->next_timer);
        targets_.erase(oldest);
    }
}

std::vector<std::string> Links::addresses_of(const job::Instance& instance) const {
    const auto at = targets_.find(instance);
    return at == targets_.end() ? std::vector<std::string>{} : at->second->contact.at;
}

bool Links::is_out_of_reach(const job::Instance& instance) const {
    if (has(instance)) {
        return false;
    }
    const auto at = targets_.find(instance);
    return at == targets_.end() || at->second->contact.at.empty() ||
           now_since_boot() < at->second->not_before;
}

// --- sending -------------------------------------------------------------------------------------

void Links::send(const job::Instance& to, const job::Message& message) {
    Bytes payload = job::encode(message);
    if (const auto peer = peers_.find(to); peer != peers_.end()) {
        send_first(*peer->second, std::move(payload));
        return;
    }
    const auto at = targets_.find(to);
    if (at == targets_.end()) {
        return;
    }
    Target& target = *at->second;
    if (now_since_boot() < target.not_before ||
        target.queue_bytes + payload.size() > limits::contact_queue_bytes_max) {
        return;
    }
    target.queue_bytes += payload.size();
    target.queue.push_back(std::move(payload));
    dial(target);
}

void Links::announce(const job::Message& message) {
    if (peers_.empty()) {
        return;
    }
    const Bytes payload = job::encode(message);
    for (const auto& [instance, link] : peers_) {
        send_over(*link, payload);
    }
}

void Links::send_over(Link& link, ByteView payload) {
    Result<std::vector<Bytes>> sealed = link.session->seal(payload);
    if (!sealed) {
        options_.note(log::Level::warning,
                      "message to " + link.peer->name + " not sent: " + sealed.error().message,
                      {{"peer", link.peer->instance.to_string()},
                       {"error", std::string(name(sealed.error().code))}});
        return;
    }
    link.last_used = now_since_boot();
    std::vector<Bytes> records = std::move(sealed).take();
    for (Bytes& record : records) {
        link.socket->send(std::move(record));
    }
}

/// As `send_over`, and kept until the other end is known to have let us in.
void Links::send_first(Link& link, Bytes payload) {
    send_over(link, payload);
    if (is_unproven(link) &&
        link.unproven_bytes + payload.size() <= limits::contact_queue_bytes_max) {
        link.unproven_bytes += payload.size();
        link.unproven.push_back(std::move(payload));
    }
}

std::vector<Peer> Links::peers() const {
    std::vector<Peer> all;
    all.reserve(peers_.size());
    for (const auto& [instance, link] : peers_) {
        all.push_back(*link->peer);
    }
    return all;
}

// --- dialling ------------------------------------------------------------------------------------

void Links::dial(Target& target) {
    if (target.dialling) {
        return;
    }
    target.dialling = true;
    ++target.round;
    target.attempts = 0;
    target.next_address = 0;
    target.last_failure = "it gives no address that can be dialled from here";
    dial_next(target.contact.instance);
}

/// Tries the next address beside those under way, and sees to the one after it.
void Links::dial_next(const job::Instance& instance) {
    const auto at = targets_.find(instance);
    if (at == targets_.end() || !at->second->dialling) {
        return;
    }
    Target& target = *at->second;
    loop_.cancel(target.next_timer);
    if (target.next_address == target.contact.at.size()) {
        if (target.attempts == 0) {
            // Counted as one that was under way: its failure is that of the whole.
            ++target.attempts;
            attempt_failed({instance, target.round}, target.last_failure);
        }
        return;
    }
    const std::string address = target.contact.at[target.next_address++];
    target.next_timer =
        loop_.after(options_.next_address_after, [this, instance] { dial_next(instance); });
    ++target.attempts;
    const Attempt attempt{instance, target.round};
    if (is_url(address)) {
        dial_url(attempt, address);
    } else if (options_.resolve) {
        options_.resolve(address,
                         [this, attempt, is_alive = alive_](const Result<std::string>& url) {
                             if (*is_alive) {
                                 dial_url(attempt, url);
                             }
                         });
    } else {
        attempt_failed({instance, target.round}, target.last_failure);
    }
}

void Links::dial_url(const Attempt& attempt, const Result<std::string>& url) {
    if (target_of(attempt) == nullptr) {
        return;
    }
    if (!url) {
        attempt_failed(attempt, url.error().message);
        return;
    }
    auto link = std::make_shared<Link>();
    link->dialled = attempt.instance;
    link->round = attempt.round;
    net::WebSocketOptions socket;
    socket.subprotocol = session_subprotocol;
    socket.message_bytes_max = session::limits::carrier_message_bytes_max;
    Result<std::unique_ptr<net::WebSocket>> dialled =
        net::WebSocket::dial(loop_, url_of_session(*url), socket, callbacks_of(link));
    if (!dialled) {
        attempt_failed(attempt, dialled.error().message);
        return;
    }
    link->socket = std::move(dialled).take();
    links_.insert(link);
}

Links::Target* Links::target_of(const Attempt& attempt) {
    const auto at = targets_.find(attempt.instance);
    const bool goes_on =
        at != targets_.end() && at->second->dialling && at->second->round == attempt.round;
    return goes_on ? at->second.get() : nullptr;
}

void Links::attempt_failed(const Attempt& attempt, const std::string& why) {
    Target* const found = target_of(attempt);
    if (found == nullptr) {
        return;
    }
    Target& target = *found;
    const job::Instance instance = attempt.instance;
    target.last_failure = why;
    assert(target.attempts > 0);
    --target.attempts;
    if (target.next_address < target.contact.at.size()) {
        // From the loop, so that a row of addresses that fail at once is no recursion.
        loop_.cancel(target.next_timer);
        target.next_timer = loop_.after({}, [this, instance] { dial_next(instance); });
        return;
    }
    if (target.attempts > 0) {
        return;
    }
    loop_.cancel(target.next_timer);
    target.dialling = false;
    rest(target, why);
    target.queue_bytes = 0;
    give_back(instance, std::exchange(target.queue, {}), Delivery::none);
}

/// It could not be reached: nobody dials it for a while.
void Links::rest(Target& target, const std::string& why) {
    const std::string instance = target.contact.instance.to_string();
    target.pause = target.pause.count() == 0 ? options_.redial_first
                                             : std::min(target.pause * 2, options_.redial_longest);
    target.not_before = now_since_boot() + target.pause;
    options_.note(log::Level::warning,
                  "node " + instance.substr(0, 8) + " cannot be reached: " + why,
                  {{"peer", instance}});
}

/// What waited goes another way, from the loop: whoever is given it may send.
void Links::give_back(const job::Instance& to, std::deque<Bytes> payloads, Delivery delivery) {
    if (!options_.undelivered || payloads.empty()) {
        return;
    }
    loop_.post([this, is_alive = alive_, to, payloads = std::move(payloads), delivery] {
        for (const Bytes& payload : payloads) {
            if (!*is_alive) {
                return;
            }
            if (Result<job::Message> message = job::decode(payload)) {
                options_.undelivered(to, std::move(message).take(), delivery);
            }
        }
    });
}

// --- connections ---------------------------------------------------------------------------------

void Links::accept(std::unique_ptr<net::WebSocket> socket) {
    if (!events_.on_message) {
        return; // Not started: it goes.
    }
    auto link = std::make_shared<Link>();
    net::WebSocketCallbacks callbacks = callbacks_of(link);
    link->socket = std::move(socket);
    links_.insert(link);
    link->socket->start(std::move(callbacks));
}

/// What the connection calls holds the link weakly: the link owns the connection.
net::WebSocketCallbacks Links::callbacks_of(const Held& link) {
    const std::weak_ptr<Link> weak = link;
    net::WebSocketCallbacks callbacks;
    callbacks.on_open = [this, weak, is_alive = alive_] {
        const Held held = weak.lock();
        if (!*is_alive || !held || !held->open) {
            return;
        }
        if (held->dialled) {
            const auto target = targets_.find(*held->dialled);
            session::Expected expected{.key = std::nullopt, .instance = held->dialled};
            if (target != targets_.end()) {
                expected.key = target->second->contact.key;
            }
            begin(held, session::Session::dial(options_.self, options_.entropy(), expected));
        } else {
            begin(held, session::Session::answer(options_.self, options_.entropy()));
        }
    };
    callbacks.on_message = [this, weak, is_alive = alive_](ByteView message) {
        if (const Held held = weak.lock(); *is_alive && held && held->open) {
            take(held, message);
        }
    };
    callbacks.on_closed = [this, weak, is_alive = alive_](const std::string& why) {
        if (const Held held = weak.lock(); *is_alive && held) {
            closed(held, why);
        }
    };
    return callbacks;
}

void Links::begin(const Held& link, session::Session session) {
    link->session.emplace(std::move(session));
    link->handshake_timer =
        loop_.after(options_.handshake_time_max, [this, weak = std::weak_ptr<Link>(link)] {
            if (const Held held = weak.lock()) {
                drop(held, "the other end did not prove itself in time");
            }
        });
    if (std::optional<Bytes> first = link->session->first()) {
        link->socket->send(std::move(*first));
    }
}

void Links::take(const Held& link, ByteView message) {
    Result<session::Step> taken = link->session->take(message);
    if (!taken) {
        options_.note(log::Level::warning,
                      link->socket->remote() + ": session refused: " + taken.error().message,
                      {{"address", link->socket->remote()},
                       {"error", std::string(name(taken.error().code))}});
        drop(link, taken.error().message);
        return;
    }
    session::Step step = std::move(taken).take();
    if (step.reply) {
        link->socket->send(std::move(*step.reply));
    }
    if (step.established_now) {
        established(link);
    }
    if (step.payload && link->open) {
        deliver(link, *step.payload);
    }
}

void Links::established(const Held& link) {
    loop_.cancel(link->handshake_timer);
    const session::Identity& identity = link->session->peer();
    if (!options_.is_trusted(identity.key)) {
        options_.note(log::Level::warning,
                      "a node at " + link->socket->remote() + " with the key " +
                          identity.key.to_did() +
                          " is not trusted here; `ipfs-compute trust add` lets it in",
                      {{"peer", identity.instance.to_string()},
                       {"key", identity.key.to_did()},
                       {"address", link->socket->remote()}});
        drop(link, "its key is not trusted here");
        return;
    }
    const auto other = peers_.find(identity.instance);
    if (other != peers_.end() && !replaces(*link, *other->second)) {
        drop(link, "there is a link to it already");
        return;
    }
    if (other == peers_.end() && peers_.size() >= options_.links_max) {
        options_.note(
            log::Level::warning,
            "a node at " + link->socket->remote() + " is not let in: there are " +
                std::to_string(peers_.size()) + " links",
            {{"peer", identity.instance.to_string()}, {"address", link->socket->remote()}});
        drop(link, "there are too many links");
        return;
    }
    if (other != peers_.end()) {
        const Held old = other->second; // Erased from the map as it is dropped.
        drop(old, "a newer link to it is there");
    }
    link->peer = Peer{.instance = identity.instance,
                      .kind = PeerKind::node,
                      .key = identity.key,
                      .same_user = false,
                      .name = printable(identity.name)};
    link->established_at = now_since_boot();
    peers_.insert_or_assign(identity.instance, link);
    reached(*link);
    const Peer peer = *link->peer;
    events_.on_peer(peer);
}

/// Ends the dialling of the peer of a link, and sends what has waited for it.
void Links::reached(Link& link) {
    const job::Instance instance = link.peer->instance;
    std::vector<Held> rivals;
    std::ranges::copy_if(links_, std::back_inserter(rivals), [&](const Held& other) {
        return other->dialled == instance && !other->peer && other->open && other.get() != &link;
    });
    if (const auto at = targets_.find(instance); at != targets_.end()) {
        Target& target = *at->second;
        loop_.cancel(target.next_timer);
        target.dialling = false;
        target.queue_bytes = 0;
        for (Bytes& payload : std::exchange(target.queue, {})) {
            send_first(link, std::move(payload));
        }
    }
    for (const Held& rival : rivals) {
        drop(rival, "another address of it answered first");
    }
}

/// Whether a link that was just established replaces the one that its peer had.
bool Links::replaces(const Link& link, const Link& other) const {
    const bool same_dialler = link.dialled.has_value() == other.dialled.has_value();
    if (same_dialler || now_since_boot() - other.since > coincidence_max) {
        return true; // Its dialler knows that the old one is gone.
    }
    const bool ours_is_lower = options_.self.instance < link.session->peer().instance;
    return link.dialled.has_value() == ours_is_lower;
}

void Links::deliver(const Held& link, ByteView payload) {
    link->last_used = now_since_boot();
    if (!std::exchange(link->is_heard, true)) {
        link->unproven.clear();
        if (const auto at = targets_.find(link->peer->instance); at != targets_.end()) {
            at->second->pause = std::chrono::milliseconds(0);
            at->second->not_before = {};
        }
    }
    Result<job::Message> message = job::decode(payload);
    if (!message) {
        options_.note(log::Level::warning,
                      "message of " + link->peer->name + " passed over: " + message.error().message,
                      {{"peer", link->peer->instance.to_string()},
                       {"error", std::string(name(message.error().code))}});
        return;
    }
    const Peer peer = *link->peer;
    events_.on_message(peer, std::move(message).take());
}

/// Whether we dialled it and it was established a moment ago, so that we cannot know yet whether
/// the other end lets us in: that shows only in what it sends.
bool Links::is_unproven(const Link& link) const {
    return link.dialled && link.peer && !link.is_heard &&
           now_since_boot() - link.established_at < options_.refused_within;
}

/// The connection is over.
void Links::closed(const Held& link, const std::string& why) {
    if (link->open && is_unproven(*link)) {
        const job::Instance instance = link->peer->instance;
        if (const auto at = targets_.find(instance); at != targets_.end()) {
            rest(*at->second, why); // First: whoever hears that it is gone may send.
        }
        give_back(instance, std::exchange(link->unproven, {}), Delivery::unknown);
    }
    drop(link, why);
    links_.erase(link);
}

void Links::drop(const Held& link, const std::string& why) {
    if (!link->open) {
        return;
    }
    link->open = false;
    loop_.cancel(link->handshake_timer);
    link->socket->close(why); // Says goodbye; the link goes when that is over (on_closed).
    if (link->dialled && !link->peer) {
        attempt_failed({*link->dialled, link->round}, why);
    }
    if (link->peer) {
        const Peer peer = *link->peer;
        const auto at = peers_.find(peer.instance);
        if (at != peers_.end() && at->second == link) {
            peers_.erase(at);
            events_.on_gone(peer, Fate::silent);
        }
    }
}

void Links::drop_untrusted() {
    std::vector<Held> untrusted;
    for (const auto& [instance, link] : peers_) {
        if (!options_.is_trusted(link->peer->key)) {
            untrusted.push_back(link);
        }
    }
    for (const Held& link : untrusted) {
        drop(link, "its key is trusted here no longer");
    }
}

void Links::sweep() {
    const Instant now = now_since_boot();
    std::vector<Held> idle;
    for (const auto& [instance, link] : peers_) {
        if (!is_unproven(*link)) {
            link->unproven.clear();
        }
        if (now - link->last_used > options_.idle_max) {
            idle.push_back(link);
        }
    }
    for (const Held& link : idle) {
        drop(link, "nothing was said for long");
    }
    sweep_timer_ = loop_.after(options_.idle_max / 4, [this] { sweep(); });
}

} // namespace ic::transport
