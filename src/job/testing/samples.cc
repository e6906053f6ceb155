#include "job/testing/samples.h"

#include <cassert>

namespace ic::job::testing {
namespace {

constexpr std::int64_t sample_time = 1'800'000'000; // 2027-01-15.

std::uint8_t digit_of(char letter) {
    const std::size_t value = std::string_view("0123456789abcdef").find(letter);
    assert(value < 16);
    return static_cast<std::uint8_t>(value);
}

LeaseRef sample_lease(std::uint8_t number) {
    return {.job = sample_cid(number), .epoch = {.incarnation = 7, .n = number}};
}

} // namespace

PrivateKey sample_key(std::uint8_t seed) { return PrivateKey::from_seed(Bytes(32, seed)).take(); }

Instance sample_instance(std::uint8_t fill) {
    Instance instance;
    instance.bytes.fill(fill);
    return instance;
}

Cid sample_cid(std::uint8_t number) { return cid_of(Codec::raw, ByteView{&number, 1}); }

Invocation sample_invocation() {
    Invocation invocation;
    invocation.issuer = sample_key(1).public_key();
    invocation.audience = sample_key(2).public_key();
    invocation.spec.module = sample_cid(1);
    invocation.spec.handler = "handler";
    invocation.spec.arguments = {"--top", "10", "--top"};
    // By name here; by length first in the document.
    invocation.spec.environment = {{"AA", "long before short"}, {"B", "2"}};
    invocation.spec.event = Cid::v1(Codec::raw, HashCode::identity, bytes_of("event"));
    invocation.spec.inputs = {{"corpus", sample_cid(2)}, {"stop", sample_cid(3)}};
    invocation.spec.allow_hosts = {"example.org", "example.org:8443"};
    invocation.spec.effects = Effects::impure;
    invocation.nonce = {1, 2, 3, 4};
    invocation.expires_at = UnixSeconds{sample_time + 3600};
    invocation.issued_at = UnixSeconds{sample_time};
    invocation.cause = sample_cid(4);
    invocation.priority = 5;
    invocation.labels = {{"project", "word count"}, {"run", "1"}};
    invocation.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    return invocation;
}

std::vector<std::string> sample_providers() {
    const std::string peer = "/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    return {"/ip4/192.0.2.7/tcp/4001" + peer, "/ip6/2001:db8::7/udp/4001/quic-v1" + peer};
}

Invocation sample_linked_invocation() {
    Invocation invocation;
    invocation.issuer = sample_key(1).public_key();
    invocation.audience = sample_key(2).public_key();
    invocation.spec.module = sample_cid(1);
    // By name here; by length first in the document.
    invocation.spec.imports = {{"math", sample_cid(2)}, {"z", sample_cid(3)}};
    invocation.spec.handler = "handler";
    return invocation;
}

Receipt sample_receipt() {
    const SignedInvocation job = sign(sample_invocation(), sample_key(1)).take();
    const JobIds ids = ids_of(job);
    Receipt receipt;
    receipt.worker = sample_key(3).public_key();
    receipt.instance = sample_instance(9);
    receipt.job = ids.job;
    receipt.task = ids.task;
    receipt.computation = ids.computation;
    receipt.epoch = {.incarnation = 7, .n = 1};
    receipt.ending = {.error = Errc::trap_unreachable,
                      .message = "the guest executed `unreachable`",
                      .exit_status = -1,
                      .value = -5};
    receipt.output = sample_cid(5);
    receipt.errors = sample_cid(6);
    receipt.log = sample_cid(7);
    receipt.usage = {.fetch_us = 1,
                     .compile_us = 2,
                     .run_us = 3,
                     .publish_us = 4,
                     .cpu_us = 5,
                     .fuel = 6,
                     .memory_bytes_peak = 65536,
                     .bytes_read = 8,
                     .bytes_added = 9,
                     .host_calls = 10};
    receipt.software = "ipfs-compute/0.1.0 wasmtime/48.0.8";
    receipt.finished_at = {sample_time + 60};
    receipt.kept_until = UnixSeconds{sample_time + 86400};
    return receipt;
}

std::vector<Message> sample_messages() {
    using namespace std::chrono_literals;
    const Instance coordinator = sample_instance(0xc0);
    const WorkerRef worker{sample_key(3).public_key(), sample_instance(0x33)};
    const Nonce nonce{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    const Bytes document{0x82, 0x58, 0x40};
    const LeaseRef lease = sample_lease(1);
    const Cid job = sample_cid(1);
    return {
        Advert{worker, 4, 2, "ipfs-compute/0.1.0"},
        Announce{coordinator, sample_key(2).public_key(), job, document},
        Bid{worker, job, nonce, 100, 1'000'000},
        Withdraw{worker, nonce},
        Decline{worker, job, Errc::refused, "memory: above this node's maximum"},
        Grant{coordinator, lease, worker, nonce, 3s, document},
        Renew{worker, 300, {lease, sample_lease(2)}},
        RenewAnswer{coordinator, 300, 3s, {lease}, {sample_lease(2)}},
        HandBack{worker, lease, Errc::unavailable, "draining"},
        StageReport{worker, lease, static_cast<std::uint8_t>(Stage::running)},
        ReceiptMessage{worker, lease, document},
        ReceiptAnswer{coordinator, lease, ReceiptFate::stale},
        Cancel{coordinator, lease, Errc::total_timeout},
        OpenJobsQuery{sample_instance(0x44)},
        Submit{document, false, true},
        Accepted{job, true},
        Rejected{job, Errc::expired, "the job expired 5 s ago"},
        Watch{job},
        Progress{job, static_cast<std::uint8_t>(Stage::fetching), 2, worker, "3 of 9 blocks"},
        Output{lease, Stream::errors, 70'000, {'h', 'i'}},
        Outcome{job, document, Errc::limit_memory, "no more memory", true, 2},
        CancelRequest{job},
        KnownWorkersQuery{},
        KnownWorkers{{{Advert{worker, 4, 2, "ipfs-compute/0.1.0"}, 1'500ms, Route::link, {}, true}},
                     7},
    };
}

std::vector<NamedMessage> sample_messages_with_later_fields() {
    std::vector<Message> samples = sample_messages();
    Announce announce = std::get<Announce>(samples.at(1));
    announce.invocation.reset();
    announce.constraints = {{"gpu", LabelOperator::exists, {}},
                            {"region", LabelOperator::in, {"eu", "us"}}};
    Announce probe = std::get<Announce>(samples.at(1));
    probe.probe = true;
    Advert advert = std::get<Advert>(samples.at(0));
    // By key here; by length first in the message.
    advert.labels = {{"region", "eu"}, {"zz", ""}};
    Advert whole = advert;
    whole.features = {"wasi-p1-core/1"};
    whole.store_bytes = std::uint64_t{5} << 30U;
    whole.again_within = std::chrono::milliseconds{12'500};
    Bid bid = std::get<Bid>(samples.at(2));
    bid.job.reset();
    bid.about = sample_cid(2);
    KnownWorkers known = std::get<KnownWorkers>(samples.back());
    known.workers.front().advert = whole;
    known.workers.front().addresses = {"http://192.0.2.7:8586"};
    return {{"advert-labels", advert},
            {"advert-features", whole},
            {"announce-requires", announce},
            {"announce-probe", probe},
            {"bid-about", bid},
            {"known-workers-features", known}};
}

Bytes from_hex(std::string_view digits) {
    assert(digits.size() % 2 == 0);
    Bytes bytes;
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(digit_of(digits[at]) << 4U | digit_of(digits[at + 1])));
    }
    return bytes;
}

} // namespace ic::job::testing
