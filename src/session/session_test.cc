#include "job/testing/vectors.h"
#include "session/hello.h"
#include "session/session.h"
#include "session/testing/nodes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace ic::session {
namespace {

using testing::answerer_entropy;
using testing::dialler_entropy;
using testing::entropy_of;
using testing::expect_over;
using testing::instance_of;
using testing::Nodes;

struct Link {
    Nodes nodes;
    Session dialler;
    Session answerer;

    explicit Link(const Expected& expected = {})
        : dialler(Session::dial(nodes.dialler, entropy_of(dialler_entropy), expected))
        , answerer(Session::answer(nodes.answerer, entropy_of(answerer_entropy))) {}

    /// The three messages of the handshake, altered on their way by `on_way(number, message)`.
    /// Gives the first error, or nothing.
    std::optional<Error> shake(const std::function<void(int, Bytes&)>& on_way = {}) {
        Bytes message = *dialler.first();
        for (int number = 1; number <= 3; ++number) {
            if (on_way) {
                on_way(number, message);
            }
            Session& reader = number == 2 ? dialler : answerer;
            Result<Step> step = reader.take(message);
            if (!step) {
                failed = &reader;
                last = message;
                return step.error();
            }
            EXPECT_EQ(step->established_now, number > 1);
            EXPECT_EQ(step->reply.has_value(), number < 3);
            EXPECT_FALSE(step->payload);
            message = step->reply.value_or(Bytes{});
        }
        return std::nullopt;
    }

    Session* failed = nullptr; ///< Who gave the error.
    Bytes last;                ///< To this message.
};

/// An established link, or a failed test.
std::unique_ptr<Link> linked() {
    auto link = std::make_unique<Link>();
    const std::optional<Error> error = link->shake();
    EXPECT_FALSE(error) << error->message;
    return link;
}

Bytes content(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t at = 0; at < size; ++at) {
        bytes[at] = static_cast<std::uint8_t>(at * 131 >> 3U);
    }
    return bytes;
}

/// What comes out of `to` for these records; the first error, if there is one.
Result<Bytes> open(Session& to, const std::vector<Bytes>& records) {
    std::optional<Bytes> payload;
    for (const Bytes& record : records) {
        EXPECT_FALSE(payload) << "a record after the payload was whole";
        Step step = TRY(to.take(record));
        EXPECT_FALSE(step.reply || step.established_now);
        payload = std::move(step.payload);
    }
    if (!payload) {
        return Error{Errc::not_found, "not whole"};
    }
    return *std::move(payload);
}

TEST(Session, TellsEachEndWhoTheOtherIs) {
    const auto link = linked();
    ASSERT_TRUE(link->dialler.established() && link->answerer.established());
    EXPECT_EQ(link->dialler.peer(),
              (Identity{.instance = instance_of(0xa2),
                        .key = link->nodes.answerer_key.public_key(),
                        .name = "gateway",
                        .software = "ipfs-compute/0.1.1"}));
    EXPECT_EQ(link->answerer.peer(),
              (Identity{.instance = instance_of(0xd1),
                        .key = link->nodes.dialler_key.public_key(),
                        .name = "worker 4711",
                        .software = "ipfs-compute/0.1.0"}));
}

TEST(Session, BeginsOnceAndAtTheDialler) {
    Link link;
    EXPECT_FALSE(link.answerer.first());
    EXPECT_TRUE(link.dialler.first());
    EXPECT_FALSE(link.dialler.first());
    EXPECT_FALSE(link.dialler.established() || link.answerer.established());
}

TEST(Session, RefusesAnAnswerBeforeItSpoke) {
    Link link;
    const Result<Step> step = link.dialler.take(Bytes(200, 1));
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::malformed);
    expect_over(link.dialler, step.error(), {});
}

TEST(Session, CarriesPayloadsOfEverySizeBothWays) {
    const auto link = linked();
    constexpr std::size_t piece = limits::piece_bytes_max;
    EXPECT_EQ(piece, 65'518U); // docs/formats/session.md.
    const std::pair<std::size_t, std::size_t> sizes_and_records[] = {
        {0, 1},
        {1, 1},
        {piece - 1, 1},
        {piece, 1},
        {piece + 1, 2},
        {65'535, 2},
        {65'536, 2},
        {2 * piece, 2},
        {2 * piece + 1, 3},
        {limits::payload_bytes_max, limits::records_per_payload_max}};
    for (const auto& [size, count] : sizes_and_records) {
        const Bytes payload = content(size);
        for (const bool from_dialler : {true, false}) {
            Session& from = from_dialler ? link->dialler : link->answerer;
            Session& to = from_dialler ? link->answerer : link->dialler;
            const std::vector<Bytes> records = from.seal(payload).take();
            EXPECT_EQ(records.size(), count) << size;
            for (const Bytes& record : records) {
                EXPECT_LE(record.size(), limits::carrier_message_bytes_max);
            }
            const Result<Bytes> opened = open(to, records);
            ASSERT_TRUE(opened) << opened.error().message;
            EXPECT_EQ(*opened, payload) << size;
        }
    }
}

TEST(Session, SealsNothingOnePastTheLimitAndGoesOn) {
    const auto link = linked();
    const Bytes past = content(limits::payload_bytes_max + 1);
    EXPECT_EQ(link->dialler.seal(past).error().code, Errc::too_large);
    const Result<Bytes> next = open(link->answerer, link->dialler.seal(content(5)).take());
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(*next, content(5));
}

TEST(Session, RefusesACarrierMessageOnePastTheLimit) {
    Link link;
    const Bytes past(limits::carrier_message_bytes_max + 1);
    EXPECT_EQ(link.answerer.take(past).error().code, Errc::too_large);
    const auto other = linked();
    EXPECT_EQ(other->answerer.take(past).error().code, Errc::too_large);
}

TEST(Session, EndsWithAnyByteOfTheHandshakeAltered) {
    Link model;
    std::vector<std::size_t> sizes;
    ASSERT_FALSE(model.shake([&](int, Bytes& message) { sizes.push_back(message.size()); }));
    for (int altered = 1; altered <= 3; ++altered) {
        for (std::size_t at = 0; at < sizes[static_cast<std::size_t>(altered - 1)]; ++at) {
            Link link;
            const std::optional<Error> error = link.shake([&](int number, Bytes& message) {
                if (number == altered) {
                    message[at] ^= 0x01;
                }
            });
            ASSERT_TRUE(error) << altered << " " << at;
            EXPECT_EQ(error->code, Errc::refused) << error->message;
            EXPECT_FALSE(link.failed->established());
            expect_over(*link.failed, *error, link.last);
        }
    }
}

TEST(Session, EndsWithAHandshakeMessageCutOrLonger) {
    Link model;
    std::vector<std::size_t> sizes;
    ASSERT_FALSE(model.shake([&](int, Bytes& message) { sizes.push_back(message.size()); }));
    EXPECT_EQ(sizes[0], 32U); // docs/formats/session.md.
    for (int cut = 1; cut <= 3; ++cut) {
        const std::size_t size = sizes[static_cast<std::size_t>(cut - 1)];
        for (std::size_t kept = 0; kept <= size + 1; ++kept) {
            if (kept == size) {
                continue;
            }
            Link link;
            const std::optional<Error> error = link.shake([&](int number, Bytes& message) {
                if (number == cut) {
                    message.resize(kept);
                }
            });
            ASSERT_TRUE(error) << cut << " " << kept;
            EXPECT_TRUE(error->code == Errc::malformed || error->code == Errc::refused);
            expect_over(*link.failed, *error, link.last);
        }
    }
}

TEST(Session, EndsWithAnyByteOfARecordAltered) {
    const std::size_t size = linked()->dialler.seal(content(40)).take()[0].size();
    EXPECT_EQ(size, 40U + 1 + 16);
    for (std::size_t at = 0; at < size; ++at) {
        const auto link = linked();
        const Bytes record = link->dialler.seal(content(40)).take()[0];
        Bytes altered = record;
        altered[at] ^= 0x40;
        const Result<Step> step = link->answerer.take(altered);
        ASSERT_FALSE(step) << at;
        EXPECT_EQ(step.error().code, Errc::refused);
        EXPECT_TRUE(link->answerer.established());
        EXPECT_EQ(link->answerer.peer().name, "worker 4711");
        expect_over(link->answerer, step.error(), record);
    }
}

TEST(Session, EndsWithARecordCutLongerRepeatedLostOrOutOfOrder) {
    const std::function<void(std::vector<Bytes>&)> faults[] = {
        [](std::vector<Bytes>& sent) { sent[0].pop_back(); },
        [](std::vector<Bytes>& sent) { sent[0].resize(15); },
        [](std::vector<Bytes>& sent) { sent[0].clear(); },
        [](std::vector<Bytes>& sent) { sent[0].push_back(0); },
        [](std::vector<Bytes>& sent) { sent[1] = sent[0]; },
        [](std::vector<Bytes>& sent) { std::swap(sent[0], sent[1]); },
        [](std::vector<Bytes>& sent) { sent.erase(sent.begin()); },
        [](std::vector<Bytes>& sent) { sent.erase(sent.begin() + 1); },
    };
    for (const auto& fault : faults) {
        const auto link = linked();
        // Two pieces, and a third record that is a payload of its own.
        std::vector<Bytes> sent = link->dialler.seal(content(limits::piece_bytes_max + 9)).take();
        sent.push_back(link->dialler.seal(content(3)).take()[0]);
        ASSERT_EQ(sent.size(), 3U);
        fault(sent);
        std::optional<Error> error;
        for (const Bytes& record : sent) {
            const Result<Step> step = link->answerer.take(record);
            if (!step) {
                error = error.value_or(step.error());
            } else {
                EXPECT_FALSE(error) << "it went on after an error";
                EXPECT_FALSE(step->payload);
            }
        }
        ASSERT_TRUE(error);
        expect_over(link->answerer, *error, sent.back());
    }
}

TEST(Session, RefusesItsOwnRecordsSentBack) {
    const auto link = linked();
    const Bytes record = link->dialler.seal(content(3)).take()[0];
    EXPECT_EQ(link->dialler.take(record).error().code, Errc::refused);
}

TEST(Session, RefusesTheMessagesOfAnEarlierSession) {
    std::vector<Bytes> earlier;
    Link link;
    ASSERT_FALSE(link.shake([&](int, Bytes& message) { earlier.push_back(message); }));
    const Bytes record = link.dialler.seal(content(3)).take()[0];

    Session answerer = Session::answer(link.nodes.answerer, entropy_of(answerer_entropy + 1));
    ASSERT_TRUE(answerer.take(earlier[0]));
    EXPECT_EQ(answerer.take(earlier[2]).error().code, Errc::refused);

    Session dialler = Session::dial(link.nodes.dialler, entropy_of(dialler_entropy + 1));
    Session fresh = Session::answer(link.nodes.answerer, entropy_of(answerer_entropy + 1));
    const Bytes second = *fresh.take(*dialler.first())->reply;
    const Bytes third = *dialler.take(second)->reply;
    ASSERT_TRUE(fresh.take(third));
    EXPECT_EQ(fresh.take(record).error().code, Errc::refused);
}

TEST(Session, TakesTheExpectedNodeAndNoOther) {
    const Nodes nodes;
    const PublicKey right = nodes.answerer_key.public_key();
    const PublicKey wrong = nodes.dialler_key.public_key();
    Link good(Expected{.key = right, .instance = instance_of(0xa2)});
    EXPECT_FALSE(good.shake());
    for (const Expected& expected : {Expected{.key = wrong, .instance = {}},
                                     Expected{.key = {}, .instance = instance_of(0xa3)},
                                     Expected{.key = wrong, .instance = instance_of(0xa2)},
                                     Expected{.key = right, .instance = instance_of(0xa3)}}) {
        Link link(expected);
        const std::optional<Error> error = link.shake();
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code, Errc::refused);
        EXPECT_EQ(link.failed, &link.dialler); // It told the wrong one nothing of itself.
        EXPECT_NE(error->message.find(", not "), std::string::npos);
        expect_over(link.dialler, *error, link.last);
    }
}

TEST(Session, RefusesItself) {
    Link link;
    link.answerer = Session::answer(link.nodes.dialler, entropy_of(answerer_entropy));
    const std::optional<Error> error = link.shake();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Errc::refused);
    EXPECT_EQ(error->message, "the other end is this very process");
}

TEST(Session, IsPossibleBetweenTwoProcessesOfOneNode) {
    Link link;
    Self second = link.nodes.dialler;
    second.instance = instance_of(0xd2);
    link.answerer = Session::answer(second, entropy_of(answerer_entropy));
    EXPECT_FALSE(link.shake());
}

TEST(Session, CutsItsNamesToTheLimitAndMakesThemText) {
    Link link;
    link.nodes.dialler.name = std::string(limits::hello_name_bytes_max + 1, 'n');
    link.nodes.dialler.software = "\xff" + std::string(limits::hello_software_bytes_max, 's');
    link.dialler = Session::dial(link.nodes.dialler, entropy_of(dialler_entropy));
    ASSERT_FALSE(link.shake());
    EXPECT_EQ(link.answerer.peer().name, std::string(limits::hello_name_bytes_max, 'n'));
    EXPECT_EQ(link.answerer.peer().software,
              "?" + std::string(limits::hello_software_bytes_max - 1, 's'));
}

// The keys and seeds are those of testing/nodes.h, as docs/formats/session.md lists them.
TEST(Session, SpeaksTheBytesOfItsVectors) {
    Link link;
    std::vector<Bytes> handshake;
    ASSERT_FALSE(link.shake([&](int, Bytes& message) { handshake.push_back(message); }));
    const Bytes to_answerer = link.dialler.seal(bytes_of("from the dialler")).take()[0];
    const Bytes to_dialler = link.answerer.seal(bytes_of("from the answerer")).take()[0];
    const std::pair<const char*, Bytes> spoken[] = {{"1-first", handshake[0]},
                                                    {"2-second", handshake[1]},
                                                    {"3-third", handshake[2]},
                                                    {"4-record-of-dialler", to_answerer},
                                                    {"5-record-of-answerer", to_dialler}};
    const std::string page = job::testing::read_text("docs/formats/session.md");
    for (const auto& [name, bytes] : spoken) {
        EXPECT_TRUE(job::testing::shows_bytes(page, bytes)) << name;
        EXPECT_TRUE(job::testing::matches_vector(
            "session/1/" + std::string(name),
            bytes,
            "src/session/session_test.cc with fixed keys, version 1 of docs/formats/session.md"))
            << name;
    }
}

TEST(Session, TakesTheBytesOfItsVectors) {
    const auto read = [](const char* name) {
        return job::testing::read_vector("session/1/" + std::string(name));
    };
    Link link;
    ASSERT_EQ(link.dialler.first(), read("1-first"));
    ASSERT_TRUE(link.answerer.take(read("1-first")));
    ASSERT_TRUE(link.dialler.take(read("2-second")));
    ASSERT_TRUE(link.answerer.take(read("3-third")));
    EXPECT_EQ(link.answerer.take(read("4-record-of-dialler"))->payload,
              copy_of(bytes_of("from the dialler")));
    EXPECT_EQ(link.dialler.take(read("5-record-of-answerer"))->payload,
              copy_of(bytes_of("from the answerer")));
    EXPECT_EQ(link.dialler.peer().name, "gateway");
}

} // namespace
} // namespace ic::session
