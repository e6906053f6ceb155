#pragma once
/// The inside of message.cc: the kinds of messages and their fields, as docs/formats/messages.md
/// lists them.

#include "base/bytes.h"
#include "job/message.h"
#include "job/receipt.h"
#include "job/spec.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <variant>

namespace ic::job::wire {

/// In the order of the variant. A name is never reused, like the number that it stands for.
inline constexpr std::array<std::string_view, std::variant_size_v<Message>> kind_names{
    "advert",
    "announce",
    "bid",
    "withdraw",
    "decline",
    "grant",
    "renew",
    "renew-answer",
    "hand-back",
    "stage-report",
    "receipt",
    "receipt-answer",
    "cancel",
    "open-jobs-query",
    "submit",
    "accepted",
    "rejected",
    "watch",
    "progress",
    "output",
    "outcome",
    "cancel-request",
    "known-workers-query",
    "known-workers"};

/// Bytes with the limit that holds for them.
template <class T>
struct Limited {
    T& bytes;
    std::size_t most;
};

template <class T>
Limited<T> invocation(T& bytes) {
    return {bytes, limits::invocation_bytes_max};
}

template <class T>
Limited<T> receipt(T& bytes) {
    return {bytes, limits::receipt_bytes_max};
}

/// Texts with the limits that hold for them; none: the field is left out.
template <class T>
struct Texts {
    T& list;
    std::size_t count_max;
    std::size_t bytes_max;
};

template <class T>
struct As {};

// One function a kind serves both directions: `f` is a writer with a const message or a reader with
// a fresh one, so that the two can never disagree. docs/formats/messages.md has the same lists.

void fields(auto& f, auto& m, As<Advert>) {
    f("worker", m.worker), f("slots", m.slots), f("free", m.slots_free);
    f("software", m.software), f("labels", m.labels), f("bytes", m.store_bytes);
    f("again", m.again_within);
    f("features", Texts{m.features, limits::features_max, limits::feature_bytes_max});
}

void fields(auto& f, auto& m, As<Announce>) {
    f("coord", m.coordinator), f("key", m.coordinator_key), f("job", m.job);
    f("doc", invocation(m.invocation)), f("requires", m.constraints), f("probe", m.probe);
}

void fields(auto& f, auto& m, As<Bid>) {
    f("worker", m.worker), f("job", m.job), f("nonce", m.nonce);
    f("local", m.bytes_local), f("needed", m.bytes_needed), f("about", m.about);
}

void fields(auto& f, auto& m, As<Withdraw>) { f("worker", m.worker), f("nonce", m.nonce); }

void fields(auto& f, auto& m, As<Decline>) {
    f("worker", m.worker), f("job", m.job), f("reason", m.reason), f("text", m.message);
}

void fields(auto& f, auto& m, As<Grant>) {
    f("coord", m.coordinator), f("lease", m.lease), f("worker", m.worker), f("nonce", m.nonce);
    f("ms", m.duration), f("doc", invocation(m.invocation));
}

void fields(auto& f, auto& m, As<Renew>) {
    f("worker", m.worker), f("seq", m.sequence), f("leases", m.leases);
}

void fields(auto& f, auto& m, As<RenewAnswer>) {
    f("coord", m.coordinator), f("seq", m.sequence), f("ms", m.duration);
    f("renewed", m.renewed), f("lost", m.lost);
}

void fields(auto& f, auto& m, As<HandBack>) {
    f("worker", m.worker), f("lease", m.lease), f("reason", m.reason), f("text", m.message);
}

void fields(auto& f, auto& m, As<StageReport>) {
    f("worker", m.worker), f("lease", m.lease), f("stage", m.stage);
}

void fields(auto& f, auto& m, As<ReceiptMessage>) {
    f("worker", m.worker), f("lease", m.lease), f("doc", receipt(m.receipt));
}

void fields(auto& f, auto& m, As<ReceiptAnswer>) {
    f("coord", m.coordinator), f("lease", m.lease), f("fate", m.fate);
}

void fields(auto& f, auto& m, As<Cancel>) {
    f("coord", m.coordinator), f("lease", m.lease), f("reason", m.reason);
}

void fields(auto& f, auto& m, As<OpenJobsQuery>) { f("from", m.asker); }

void fields(auto& f, auto& m, As<Submit>) {
    f("doc", invocation(m.invocation)), f("memo", m.use_memo), f("follow", m.follow);
}

void fields(auto& f, auto& m, As<Accepted>) { f("job", m.job), f("known", m.known_before); }

void fields(auto& f, auto& m, As<Rejected>) {
    f("job", m.job), f("reason", m.reason), f("text", m.message);
}

void fields(auto& f, auto& m, As<Watch>) { f("job", m.job); }

void fields(auto& f, auto& m, As<Progress>) {
    f("job", m.job), f("stage", m.stage), f("attempt", m.attempt), f("worker", m.worker);
    f("text", m.detail);
}

void fields(auto& f, auto& m, As<Output>) {
    f("lease", m.lease), f("stream", m.stream), f("offset", m.offset);
    f("data", Limited{m.data, limits::output_piece_bytes_max});
}

void fields(auto& f, auto& m, As<Outcome>) {
    f("job", m.job), f("doc", receipt(m.receipt)), f("error", m.error), f("text", m.message);
    f("memo", m.from_memo), f("attempts", m.attempts);
}

void fields(auto& f, auto& m, As<CancelRequest>) { f("job", m.job); }

void fields(auto& /*f*/, auto& /*m*/, As<KnownWorkersQuery>) {}

void fields(auto& f, auto& m, As<KnownWorker>) {
    fields(f, m.advert, As<Advert>{});
    f("ms", m.heard_ago), f("via", m.route), f("trusted", m.trusted);
    f("at",
      Texts{
          m.addresses, limits::known_worker_addresses_max, limits::known_worker_address_bytes_max});
}

void fields(auto& f, auto& m, As<KnownWorkers>) { f("workers", m.workers), f("left", m.left); }

} // namespace ic::job::wire
