#include "wiring/pairing.h"

#include "base/text.h"
#include "base/time.h"
#include "net/web_socket.h"
#include "session/session.h"
#include "wiring/workshop.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

namespace ic::wiring {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view path = "/ipfs-compute/pair/1";
constexpr std::string_view subprotocol = "ipfs-compute-pair.1";
/// Ours: until the other end has proven its key.
constexpr auto handshake_time_max = 10s;
/// Ours: for the code itself, a step a round trip.
constexpr auto attempt_time_max = 30s;
/// Ours: what is under way when all is said may take so long.
constexpr auto goodbye_time_max = 3s;

net::WebSocketOptions socket_options() {
    net::WebSocketOptions options;
    options.subprotocol = subprotocol;
    options.message_bytes_max = session::limits::carrier_message_bytes_max;
    return options;
}

session::Self session_self(const PairSelf& self) {
    return {.instance = random_instance(),
            .key = self.key,
            .name = self.introduction.name,
            .software = self.software};
}

session::PairingOptions
attempt_of(session::PairRole role, const session::PairCode& code, const PairSelf& self) {
    session::PairingOptions options;
    options.role = role;
    options.code = code;
    const session::Entropy entropy = random_entropy();
    std::copy_n(entropy.bytes.begin(), options.seed.size(), options.seed.begin());
    options.self = self.introduction;
    options.time_max = attempt_time_max;
    return options;
}

session::PairCode random_code() {
    const session::Entropy entropy = random_entropy();
    return session::PairCode::of(
        {entropy.bytes[0], entropy.bytes[1], entropy.bytes[2], entropy.bytes[3]});
}

/// A connection with its session, and the attempt over it once there is one.
struct Line {
    std::unique_ptr<net::WebSocket> socket{};
    std::optional<session::Session> session{};
    std::optional<session::Pairing> pairing{};
    net::TimerId timer{};
    bool open = true;

    void send(ByteView payload) {
        if (Result<std::vector<Bytes>> sealed = session->seal(payload)) {
            for (Bytes& record : std::move(sealed).take()) {
                socket->send(std::move(record));
            }
        }
    }
};

using Held = std::shared_ptr<Line>;

class Inviter {
public:
    Inviter(net::EventLoop& loop, const PairSelf& self, const InviteOptions& options)
        : loop_(loop)
        , self_(self)
        , options_(options)
        , invitation_(options.code.value_or(random_code()), options.invitation, now_since_boot()) {}

    Inviter(const Inviter&) = delete;
    Inviter& operator=(const Inviter&) = delete;

    ~Inviter() {
        loop_.cancel(timer_);
        for (const Held& guest : guests_) {
            loop_.cancel(guest->timer);
        }
    }

    Result<Paired> run() {
        TRY(listen());
        TRY(options_.on_code(invitation_.code(), listener_->port()));
        timer_ = loop_.after(options_.invitation.valid, [this] {
            end(Error{Errc::expired,
                      "nobody came with the code in time; run `ipfs-compute pair` again"});
        });
        loop_.run();
        return *std::move(result_);
    }

private:
    Result<void> listen() {
        net::WebListenerOptions listening;
        listening.path = path;
        listening.socket = socket_options();
        listening.connections_max = limits::pair_guests_max;
        listening.connections_per_address_max = limits::pair_guests_per_address_max;
        const auto open = [&](const std::string& address) {
            net::WebListenerCallbacks callbacks;
            callbacks.on_accept = [this](std::unique_ptr<net::WebSocket> socket) {
                accept(std::move(socket));
            };
            return net::WebSocketListener::open(loop_, address, listening, std::move(callbacks));
        };
        if (!options_.listen.empty()) {
            listener_ = TRY(open(options_.listen));
            return {};
        }
        Result<std::unique_ptr<net::WebSocketListener>> usual =
            open("[::]:" + std::to_string(pair_port));
        if (usual) {
            listener_ = std::move(usual).take();
        } else {
            listener_ = TRY(open("[::]:0"));
        }
        return {};
    }

    void accept(std::unique_ptr<net::WebSocket> socket) {
        auto guest = std::make_shared<Line>();
        const std::weak_ptr<Line> weak = guest;
        net::WebSocketCallbacks callbacks;
        callbacks.on_open = [this, weak] {
            if (const Held held = weak.lock()) {
                held->session.emplace(
                    session::Session::answer(session_self(self_), random_entropy()));
                held->timer = loop_.after(handshake_time_max, [this, weak] {
                    if (const Held late = weak.lock()) {
                        drop(late, "it took too long");
                    }
                });
            }
        };
        callbacks.on_message = [this, weak](ByteView message) {
            if (const Held held = weak.lock(); held && held->open) {
                take(held, message);
            }
        };
        callbacks.on_closed = [this, weak](const std::string& why) {
            if (const Held held = weak.lock()) {
                closed(held, why);
            }
        };
        guest->socket = std::move(socket);
        guests_.insert(guest);
        guest->socket->start(std::move(callbacks));
    }

    void take(const Held& guest, ByteView message) {
        Result<session::Step> taken = guest->session->take(message);
        if (!taken) {
            fail(guest, taken.error());
            return;
        }
        session::Step step = std::move(taken).take();
        if (step.reply) {
            guest->socket->send(std::move(*step.reply));
        }
        if (step.payload) {
            attempt(guest, *step.payload);
        }
    }

    void attempt(const Held& guest, ByteView payload) {
        if (!guest->pairing) {
            if (const Result<void> begun = begin(guest); !begun) {
                drop(guest, begun.error().message);
                return;
            }
        }
        Result<session::PairStep> taken = guest->pairing->take(payload, now_since_boot());
        if (!taken) {
            fail(guest, taken.error());
            return;
        }
        if (taken->other) {
            const Paired paired{.key = guest->session->peer().key, .other = *taken->other};
            if (Result<void> kept = self_.keep(paired); !kept) {
                end(std::move(kept).take_error());
                return;
            }
            result_ = paired;
        }
        guest->send(*taken->reply);
        if (result_) {
            drop(guest, "paired"); // The loop ends when this has gone out.
            loop_.cancel(timer_);
            timer_ = loop_.after(goodbye_time_max, [this] { loop_.stop(); });
        }
    }

    Result<void> begin(const Held& guest) {
        if (result_) {
            return Error{Errc::unavailable, "this machine has been paired already"};
        }
        if (guest->session->peer().key == self_.key->public_key()) {
            return Error{Errc::refused, "both ends have one key: they are of one home"};
        }
        TRY(invitation_.begin(now_since_boot()));
        session::PairingOptions options =
            attempt_of(session::PairRole::inviter, invitation_.code(), self_);
        options.binding = guest->session->binding();
        guest->pairing.emplace(std::move(options), now_since_boot());
        loop_.cancel(guest->timer);
        guest->timer = loop_.after(attempt_time_max, [this, weak = std::weak_ptr<Line>(guest)] {
            if (const Held late = weak.lock()) {
                fail(late, {Errc::expired, "the other machine took too long over the code"});
            }
        });
        return {};
    }

    /// An attempt that began costs the code what was shown of it.
    void fail(const Held& guest, const Error& error) {
        if (!guest->open) {
            return;
        }
        drop(guest, error.message);
        if (!guest->pairing || result_) {
            return;
        }
        options_.note(
            log::Level::warning,
            "an attempt from " + guest->socket->remote() + " failed: " + error.message,
            {{"address", guest->socket->remote()}, {"error", std::string(name(error.code))}});
        switch (invitation_.failed(*guest->pairing)) {
        case session::Invitation::Next::same_code:
            break;
        case session::Invitation::Next::new_code:
            invitation_.renew(random_code());
            if (Result<void> shown = options_.on_code(invitation_.code(), listener_->port());
                !shown) {
                end(std::move(shown).take_error());
            }
            break;
        case session::Invitation::Next::over:
            end(Error{Errc::refused,
                      "every code was tried with a wrong one; if it was not you who mistyped it, "
                      "somebody else tries to pair: look at who can reach this machine"});
            break;
        }
    }

    void drop(const Held& guest, std::string_view why) {
        guest->open = false;
        loop_.cancel(guest->timer);
        guest->socket->close(why);
    }

    void closed(const Held& guest, const std::string& why) {
        fail(guest, {Errc::unavailable, why.empty() ? "the connection ended" : printable(why)});
        guests_.erase(guest);
        if (result_ && *result_) {
            loop_.stop();
        }
    }

    void end(Error error) {
        if (!result_) {
            result_ = std::move(error);
        }
        loop_.stop();
    }

    net::EventLoop& loop_;
    const PairSelf& self_;
    const InviteOptions& options_;
    session::Invitation invitation_;
    std::unique_ptr<net::WebSocketListener> listener_;
    std::set<Held> guests_;
    net::TimerId timer_{};
    std::optional<Result<Paired>> result_;
};

class Joiner {
public:
    Joiner(net::EventLoop& loop,
           const PairSelf& self,
           const session::PairCode& code,
           std::vector<std::string> urls)
        : loop_(loop)
        , self_(self)
        , code_(code)
        , urls_(std::move(urls)) {}

    Joiner(const Joiner&) = delete;
    Joiner& operator=(const Joiner&) = delete;

    ~Joiner() {
        if (line_) {
            loop_.cancel(line_->timer);
        }
    }

    Result<Paired> run() {
        dial_next("no address was given");
        loop_.run();
        return *std::move(result_);
    }

private:
    void dial_next(const std::string& why) {
        if (line_) {
            loop_.cancel(line_->timer);
        }
        if (next_ == urls_.size()) {
            end(Error{Errc::unavailable,
                      "the machine that shows the code cannot be reached: " + why});
            return;
        }
        const std::string url = urls_[next_++];
        line_ = std::make_shared<Line>();
        net::WebSocketCallbacks callbacks;
        callbacks.on_open = [this] {
            line_->session.emplace(session::Session::dial(session_self(self_), random_entropy()));
            line_->socket->send(*line_->session->first());
            line_->timer = loop_.after(handshake_time_max + attempt_time_max, [this] {
                end(Error{Errc::unavailable, "the other machine took too long"});
            });
        };
        callbacks.on_message = [this](ByteView message) {
            if (!result_) {
                take(message);
            }
        };
        callbacks.on_closed = [this, url](const std::string& reason) {
            closed(url + ": " + printable(reason));
        };
        Result<std::unique_ptr<net::WebSocket>> dialled =
            net::WebSocket::dial(loop_, url + std::string(path), socket_options(), callbacks);
        if (!dialled) {
            loop_.post(
                [this, failure = url + ": " + dialled.error().message] { dial_next(failure); });
            return;
        }
        line_->socket = std::move(dialled).take();
    }

    void take(ByteView message) {
        Result<session::Step> taken = line_->session->take(message);
        if (!taken) {
            end(std::move(taken).take_error());
            return;
        }
        session::Step step = std::move(taken).take();
        if (step.reply) {
            line_->socket->send(std::move(*step.reply));
        }
        if (step.established_now) {
            begin();
        }
        if (step.payload && line_->pairing) {
            go_on(*step.payload);
        }
    }

    void begin() {
        if (line_->session->peer().key == self_.key->public_key()) {
            end(Error{Errc::refused, "both ends have one key: they are of one home"});
            return;
        }
        session::PairingOptions options = attempt_of(session::PairRole::joiner, code_, self_);
        options.binding = line_->session->binding();
        line_->pairing.emplace(std::move(options), now_since_boot());
        line_->send(*line_->pairing->first());
    }

    void go_on(ByteView payload) {
        Result<session::PairStep> taken = line_->pairing->take(payload, now_since_boot());
        if (!taken) {
            end(std::move(taken).take_error());
            return;
        }
        if (taken->reply) {
            line_->send(*taken->reply);
        }
        if (taken->other) {
            const Paired paired{.key = line_->session->peer().key, .other = *taken->other};
            if (Result<void> kept = self_.keep(paired); !kept) {
                end(std::move(kept).take_error());
                return;
            }
            result_ = paired;
            line_->socket->close("paired");
            loop_.cancel(line_->timer);
            line_->timer = loop_.after(goodbye_time_max, [this] { loop_.stop(); });
        }
    }

    void closed(const std::string& why) {
        if (result_) {
            loop_.stop();
        } else if (line_->pairing) {
            end(Error{Errc::refused, "the other machine ended it: " + why});
        } else {
            dial_next(why);
        }
    }

    void end(Error error) {
        if (!result_) {
            result_ = std::move(error);
        }
        loop_.stop();
    }

    net::EventLoop& loop_;
    const PairSelf& self_;
    const session::PairCode code_;
    const std::vector<std::string> urls_;
    std::size_t next_ = 0;
    Held line_;
    std::optional<Result<Paired>> result_;
};

} // namespace

Result<Paired>
invite_to_pair(net::EventLoop& loop, const PairSelf& self, const InviteOptions& options) {
    return Inviter(loop, self, options).run();
}

Result<Paired> join_by_code(net::EventLoop& loop,
                            const PairSelf& self,
                            const session::PairCode& code,
                            std::vector<std::string> urls) {
    return Joiner(loop, self, code, std::move(urls)).run();
}

std::string pair_url(std::string_view address) {
    if (address.starts_with("http://") || address.starts_with("https://")) {
        return std::string(address.substr(0, address.find_last_not_of('/') + 1));
    }
    const std::string usual = ":" + std::to_string(pair_port);
    const auto colons = std::ranges::count(address, ':');
    if (address.starts_with('[')) {
        return "http://" + std::string(address) + (address.ends_with(']') ? usual : "");
    }
    if (colons > 1) {
        return "http://[" + std::string(address) + "]" + usual;
    }
    return "http://" + std::string(address) + (colons == 0 ? usual : "");
}

} // namespace ic::wiring
