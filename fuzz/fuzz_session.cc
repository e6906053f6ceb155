/// Properties, by the first byte: a hello that decodes encodes back to the same bytes; a link with
/// a message altered on its way ends in an error and stays ended, an unaltered one works; a hello
/// of any bytes is believed only as what it says; records of any form give a payload only if they
/// are the form that sealing it gives.

#include "identity/noise.h"
#include "session/hello.h"
#include "session/session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace {

using ic::Bytes;
using ic::ByteView;
using ic::Result;
using ic::session::Hello;
using ic::session::Session;
using ic::session::Step;
namespace noise = ic::noise;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// The next byte of the input, 0 after its end.
std::uint8_t next(ByteView& input) {
    if (input.empty()) {
        return 0;
    }
    const std::uint8_t byte = input.front();
    input = input.subspan(1);
    return byte;
}

const ic::PrivateKey& node_key() {
    static const ic::PrivateKey key = ic::PrivateKey::from_seed(Bytes(32, 1)).take();
    return key;
}

ic::session::Self self_of(std::uint8_t instance) {
    ic::session::Self self;
    self.instance.bytes.fill(instance);
    self.key = &node_key();
    self.name = "node";
    return self;
}

Session answerer() {
    ic::session::Entropy entropy;
    entropy.bytes.fill(2);
    return Session::answer(self_of(2), entropy);
}

/// A dialler that speaks Noise by hand, up to where it writes the third message.
struct Hand {
    Session session = answerer();
    noise::Handshake handshake = begin();

    static noise::Handshake begin() {
        noise::Seeds seeds;
        seeds.static_key.fill(3);
        seeds.ephemeral_key.fill(4);
        return {noise::Role::initiator, seeds, ic::bytes_of(ic::session::protocol)};
    }

    Hand() {
        const Step step = session.take(handshake.write_message({}).take()).take();
        require(handshake.read_message(*step.reply).ok());
    }

    Bytes hello() const {
        Hello hello;
        hello.instance.bytes.fill(1);
        hello.key = node_key().public_key();
        hello.signature =
            node_key().sign(ic::session::proof(noise::Role::initiator, handshake.static_key()));
        return encode(hello);
    }

    Result<Step> say(ByteView payload) {
        return session.take(handshake.write_message(payload).take());
    }
};

void hello_comes_back(ByteView input) {
    const Result<Hello> hello = ic::session::decode_hello(input);
    require(!hello || std::ranges::equal(encode(*hello), input));
}

/// Which message (three of the handshake, then a record), by how much it grows, and a mask from a
/// place on.
void altered_link_ends(ByteView input) {
    const int altered = next(input) % 4;
    const int growth = static_cast<std::int8_t>(next(input));
    const std::size_t place = next(input);
    ic::session::Entropy entropy;
    entropy.bytes.fill(1);
    Session one = Session::dial(self_of(1), entropy);
    Session two = answerer();
    Bytes message = *one.first();
    bool differs = false;
    for (int number = 0; number < 4; ++number) {
        if (number == altered) {
            const Bytes genuine = message;
            const auto size = static_cast<int>(message.size()) + growth;
            message.resize(static_cast<std::size_t>(std::max(size, 0)));
            for (std::size_t at = place; at < message.size(); ++at) {
                message[at] ^= next(input);
            }
            differs = message != genuine;
        }
        Session& reader = number == 1 ? one : two;
        Result<Step> step = reader.take(message);
        if (!step) {
            require(differs && number >= altered);
            require(reader.take(message).error().message == step.error().message);
            return;
        }
        require(!differs || (altered == 0 && number == 0)); // The first has nothing to check yet.
        if (number == 3) {
            require(step->payload == Bytes(9, 7));
        } else {
            message = number < 2 ? *step->reply : one.seal(Bytes(9, 7)).take().front();
        }
    }
    require(!differs);
}

/// A mask over a good hello, or any bytes.
void hello_is_believed_as_it_is(ByteView input) {
    Hand hand;
    Bytes payload = hand.hello();
    if (next(input) % 2 == 0) {
        for (std::size_t at = next(input); at < payload.size(); ++at) {
            payload[at] ^= next(input);
        }
    } else {
        payload = ic::copy_of(input);
    }
    const Result<Step> step = hand.say(payload);
    require(step.ok() == hand.session.established());
    if (step) {
        const Hello hello = ic::session::decode_hello(payload).take();
        const ic::session::Identity& peer = hand.session.peer();
        require(peer.key == node_key().public_key() && peer.key == hello.key);
        require(peer.instance == hello.instance && peer.name == hello.name &&
                peer.software == hello.software);
    }
}

/// For each record: two bytes of length, what fills it, and its last byte.
void records_are_the_only_form(ByteView input) {
    Hand hand;
    require(hand.say(hand.hello()).ok());
    noise::Ciphers ciphers = std::move(hand.handshake).split();
    std::vector<Bytes> sent;
    while (!input.empty()) {
        const std::size_t high = next(input);
        const std::size_t size = high << 8U | next(input);
        Bytes plain(std::min(size, ic::session::limits::piece_bytes_max), next(input));
        plain.push_back(next(input));
        sent.push_back(plain);
        Result<Step> step = hand.session.take(ciphers.send.encrypt({}, plain).take());
        if (!step) {
            return;
        }
        if (!step->payload) {
            continue;
        }
        const std::vector<Bytes> records = hand.session.seal(*step->payload).take();
        require(records.size() == sent.size());
        for (std::size_t at = 0; at < records.size(); ++at) {
            require(ciphers.receive.decrypt({}, records[at]).take() == sent[at]);
        }
        sent.clear();
    }
    require(sent.size() < ic::session::limits::records_per_payload_max);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input{data, size};
    switch (next(input) % 4) {
    case 0:
        hello_comes_back(input);
        break;
    case 1:
        altered_link_ends(input);
        break;
    case 2:
        hello_is_believed_as_it_is(input);
        break;
    default:
        records_are_the_only_form(input);
        break;
    }
    return 0;
}
