#include "session/session.h"

#include "identity/noise.h"
#include "job/text.h"
#include "session/hello.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>

namespace ic::session {
namespace {

static_assert(limits::carrier_message_bytes_max == noise::limits::message_bytes_max);
static_assert(limits::piece_bytes_max + 1 + noise::tag_bytes == limits::carrier_message_bytes_max);

/// The last byte of a record's plain text.
constexpr std::uint8_t flag_last = 0;
constexpr std::uint8_t flag_more = 1;

noise::Seeds seeds_of(const Entropy& entropy) {
    noise::Seeds seeds;
    const ByteView bytes{entropy.bytes};
    static_assert(sizeof entropy.bytes == sizeof seeds.static_key + sizeof seeds.ephemeral_key);
    std::ranges::copy(bytes.first(seeds.static_key.size()), seeds.static_key.begin());
    std::ranges::copy(bytes.last(seeds.ephemeral_key.size()), seeds.ephemeral_key.begin());
    return seeds;
}

noise::Role other_end(noise::Role role) {
    return role == noise::Role::initiator ? noise::Role::responder : noise::Role::initiator;
}

} // namespace

Entropy::~Entropy() { wipe(bytes); }

struct Session::Impl {
    Impl(noise::Role own_role, const Self& own, const Entropy& entropy, const Expected& wanted)
        : role(own_role)
        , self(own)
        , expected(wanted)
        , handshake(std::in_place, own_role, seeds_of(entropy), bytes_of(protocol)) {
        assert(self.key != nullptr);
    }

    Result<Bytes> hello_message();
    Result<Identity> take_hello(ByteView payload);
    Result<Step> take_handshake(ByteView message);
    Result<Step> take_record(ByteView message);
    Result<std::vector<Bytes>> seal(ByteView payload);

    /// The session is over: what is secret goes at once.
    Error fail(Error error) {
        handshake.reset();
        ciphers.reset();
        coming = {};
        failure = error;
        return error;
    }

    noise::Role role;
    Self self;
    Expected expected;
    std::optional<noise::Handshake> handshake; ///< Until it is complete.
    std::optional<noise::Ciphers> ciphers;     ///< From then on.
    std::optional<Identity> peer;              ///< From then on, also when the session is over.
    noise::Hash binding{};                     ///< From then on.
    Bytes coming;                              ///< The first pieces of a payload, all full.
    std::optional<Error> failure;
};

/// The second or third message of the handshake, with this end's hello.
Result<Bytes> Session::Impl::hello_message() {
    Hello hello;
    hello.instance = self.instance;
    hello.key = self.key->public_key();
    hello.signature = self.key->sign(proof(role, handshake->static_key()));
    hello.name = job::fit_text(self.name, limits::hello_name_bytes_max);
    hello.software = job::fit_text(self.software, limits::hello_software_bytes_max);
    return handshake->write_message(encode(hello));
}

Result<Identity> Session::Impl::take_hello(ByteView payload) {
    Hello hello = TRY(decode_hello(payload));
    TRY(hello.key.verify(proof(other_end(role), *handshake->remote_static_key()), hello.signature));
    if (hello.instance == self.instance) {
        return Error{Errc::refused, "the other end is this very process"};
    }
    if (expected.key && *expected.key != hello.key) {
        return Error{Errc::refused,
                     "the node at the other end is " + hello.key.to_did() + ", not " +
                         expected.key->to_did()};
    }
    if (expected.instance && *expected.instance != hello.instance) {
        return Error{Errc::refused,
                     "the process at the other end is " + hello.instance.to_string() + ", not " +
                         expected.instance->to_string()};
    }
    return Identity{.instance = hello.instance,
                    .key = hello.key,
                    .name = std::move(hello.name),
                    .software = std::move(hello.software)};
}

Result<Step> Session::Impl::take_handshake(ByteView message) {
    if (handshake->writes_next()) {
        return Error{Errc::malformed, "the answerer spoke before the dialler did"};
    }
    const Bytes payload = TRY(handshake->read_message(message));
    Step step;
    if (role == noise::Role::responder && !handshake->complete()) {
        // Nobody vouches yet for what stands in the first message.
        if (!payload.empty()) {
            return Error{Errc::malformed, "the dialler's first message has a payload"};
        }
        step.reply = TRY(hello_message());
        return step;
    }
    Identity other = TRY(take_hello(payload));
    if (role == noise::Role::initiator) {
        step.reply = TRY(hello_message());
    }
    binding = handshake->hash();
    ciphers = std::move(*handshake).split();
    handshake.reset();
    peer = std::move(other);
    step.established_now = true;
    return step;
}

Result<Step> Session::Impl::take_record(ByteView message) {
    Bytes piece = TRY(ciphers->receive.decrypt({}, message));
    if (piece.empty()) {
        return Error{Errc::malformed, "a record of a session has no flag"};
    }
    const std::uint8_t flag = piece.back();
    piece.pop_back();
    if (flag != flag_last && flag != flag_more) {
        return Error{Errc::malformed, "a record of a session has an unknown flag"};
    }
    if (flag == flag_more ? piece.size() != limits::piece_bytes_max
                          : piece.empty() && !coming.empty()) {
        return Error{Errc::malformed, "a payload is not cut into the fewest records"};
    }
    if (piece.size() > limits::payload_bytes_max - coming.size()) {
        return Error{Errc::too_large, "the peer sends a payload beyond the limit"};
    }
    if (coming.empty()) {
        coming = std::move(piece);
    } else {
        coming.insert(coming.end(), piece.begin(), piece.end());
    }
    Step step;
    if (flag == flag_last) {
        step.payload = std::exchange(coming, {});
    }
    return step;
}

Result<std::vector<Bytes>> Session::Impl::seal(ByteView payload) {
    std::vector<Bytes> records;
    Bytes plain;
    do {
        const ByteView piece = payload.first(std::min(payload.size(), limits::piece_bytes_max));
        payload = payload.subspan(piece.size());
        plain.assign(piece.begin(), piece.end());
        plain.push_back(payload.empty() ? flag_last : flag_more);
        records.push_back(TRY(ciphers->send.encrypt({}, plain)));
    } while (!payload.empty());
    return records;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session Session::dial(const Self& self, const Entropy& entropy, const Expected& expected) {
    return Session(std::make_unique<Impl>(noise::Role::initiator, self, entropy, expected));
}

Session Session::answer(const Self& self, const Entropy& entropy) {
    return Session(std::make_unique<Impl>(noise::Role::responder, self, entropy, Expected{}));
}

std::optional<Bytes> Session::first() {
    // A dialler writes its other message in `take`, so here it is the first one or none.
    if (impl_->role != noise::Role::initiator || !impl_->handshake ||
        !impl_->handshake->writes_next()) {
        return std::nullopt;
    }
    return impl_->handshake->write_message({}).take();
}

Result<Step> Session::take(ByteView carrier_message) {
    if (impl_->failure) {
        return *impl_->failure;
    }
    Result<Step> step = impl_->handshake ? impl_->take_handshake(carrier_message)
                                         : impl_->take_record(carrier_message);
    if (!step) {
        return impl_->fail(std::move(step).take_error());
    }
    return step;
}

Result<std::vector<Bytes>> Session::seal(ByteView payload) {
    assert(established());
    if (impl_->failure) {
        return *impl_->failure;
    }
    if (payload.size() > limits::payload_bytes_max) {
        return Error{Errc::too_large,
                     "a payload of a session has at most " +
                         std::to_string(limits::payload_bytes_max) + " bytes"};
    }
    Result<std::vector<Bytes>> records = impl_->seal(payload);
    if (!records) {
        return impl_->fail(std::move(records).take_error());
    }
    return records;
}

bool Session::established() const { return impl_->peer.has_value(); }

const Identity& Session::peer() const {
    assert(established());
    return *impl_->peer;
}

const std::array<std::uint8_t, 32>& Session::binding() const {
    assert(established());
    return impl_->binding;
}

} // namespace ic::session
