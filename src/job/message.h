#pragma once
/// What coordinators, workers and clients say to one another. Values; the bytes are in
/// docs/formats/messages.md: DAG-CBOR [version, kind, fields], unknown minor fields ignored,
/// unknown major refused. Every message may be lost, doubled, late or out of order.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "job/ids.h"
#include "job/labels.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ic::job {

/// A job under a grant.
struct LeaseRef {
    Cid job;
    Epoch epoch;

    friend auto operator<=>(const LeaseRef&, const LeaseRef&) = default;
};

// --- coordinator and worker ---------------------------------------------------------------------

/// Worker: what I am and how full. Sent when two meet, to all every now and then, and when it
/// changes much. Whoever hears it may find it useful; nothing that keeps a job safe rests on it.
struct Advert {
    WorkerRef worker;
    std::uint32_t slots = 0; ///< 0: it takes nothing now.
    std::uint32_t slots_free = 0;
    std::string software;
    WorkerLabels labels{}; ///< What constraints of jobs are about.
    /// What it can run: names of ABIs (`abi_name`).
    std::vector<std::string> features{};
    std::optional<std::uint64_t> store_bytes{}; ///< Of blocks on its machine, as last counted.
    /// The next one to all comes within this time; nothing: none is promised.
    std::optional<std::chrono::milliseconds> again_within{};

    friend bool operator==(const Advert&, const Advert&) = default;
};

/// Coordinator: I have a job to grant. Repeated with backoff until there is a receipt.
struct Announce {
    Instance coordinator;
    PublicKey coordinator_key;
    Cid job;
    std::optional<Bytes> invocation; ///< The signed document where it is small; else by CID.
    /// What the job asks of its worker, where the document is not here to say it.
    std::vector<Constraint> constraints{};
    /// True: to this worker alone, which was idle when it was last heard. It is called, whatever
    /// its score.
    std::optional<bool> probe{};

    friend bool operator==(const Announce&, const Announce&) = default;
};

/// Worker: I have a free slot for this job, or (no job) for any of yours. One nonce, one grant.
struct Bid {
    WorkerRef worker;
    std::optional<Cid> job;
    Nonce nonce;
    std::uint64_t bytes_local = 0; ///< Of what the job needs, as far as known.
    std::uint64_t bytes_needed = 0;
    /// The job that the two are of, where the bid is for any.
    std::optional<Cid> about{};

    friend bool operator==(const Bid&, const Bid&) = default;
};

/// Worker: that bid is void (the slot was taken by another coordinator's grant).
struct Withdraw {
    WorkerRef worker;
    Nonce nonce;

    friend bool operator==(const Withdraw&, const Withdraw&) = default;
};

/// Worker: not me, and why (policy, features, busy): for `job describe`.
struct Decline {
    WorkerRef worker;
    Cid job;
    Errc reason = Errc::refused;
    std::string message;

    friend bool operator==(const Decline&, const Decline&) = default;
};

/// Coordinator: the job is yours alone, for this long counted from when you sent the bid.
struct Grant {
    Instance coordinator;
    LeaseRef lease;
    WorkerRef worker;
    Nonce nonce; ///< Of the bid that it answers.
    std::chrono::milliseconds duration{};
    Bytes invocation;

    friend bool operator==(const Grant&, const Grant&) = default;
};

/// Worker: these still run here. One message for all leases of a pair.
struct Renew {
    WorkerRef worker;
    std::uint64_t sequence = 0; ///< Ties the answer to the moment this was sent.
    std::vector<LeaseRef> leases;

    friend bool operator==(const Renew&, const Renew&) = default;
};

/// Coordinator: these are renewed, those are not yours (any more).
struct RenewAnswer {
    Instance coordinator;
    std::uint64_t sequence = 0;
    std::chrono::milliseconds duration{};
    std::vector<LeaseRef> renewed;
    std::vector<LeaseRef> lost;

    friend bool operator==(const RenewAnswer&, const RenewAnswer&) = default;
};

/// Worker: I do not run this (slot gone, draining, document refused): grant it elsewhere at once.
struct HandBack {
    WorkerRef worker;
    LeaseRef lease;
    Errc reason = Errc::unavailable;
    std::string message;

    friend bool operator==(const HandBack&, const HandBack&) = default;
};

/// Worker: the run has reached this stage.
struct StageReport {
    WorkerRef worker;
    LeaseRef lease;
    std::uint8_t stage = 0; ///< job::Stage.

    friend bool operator==(const StageReport&, const StageReport&) = default;
};

/// Worker: the answer. Repeated until it is acknowledged.
struct ReceiptMessage {
    WorkerRef worker;
    LeaseRef lease;
    Bytes receipt;

    friend bool operator==(const ReceiptMessage&, const ReceiptMessage&) = default;
};

enum class ReceiptFate : std::uint8_t { accepted = 1, duplicate = 2, stale = 3, refused = 4 };

/// Coordinator: I have it (durably, if accepted); stop sending.
struct ReceiptAnswer {
    Instance coordinator;
    LeaseRef lease;
    ReceiptFate fate = ReceiptFate::accepted;

    friend bool operator==(const ReceiptAnswer&, const ReceiptAnswer&) = default;
};

/// Coordinator: stop this run, whatever it is at.
struct Cancel {
    Instance coordinator;
    LeaseRef lease;
    Errc reason = Errc::cancelled;

    friend bool operator==(const Cancel&, const Cancel&) = default;
};

/// Anyone who starts or reconnects: what is open? Answered with announcements.
struct OpenJobsQuery {
    Instance asker;

    friend bool operator==(const OpenJobsQuery&, const OpenJobsQuery&) = default;
};

// --- client and coordinator ---------------------------------------------------------------------

/// Client: here is a job; tell me what becomes of it if `follow`.
struct Submit {
    Bytes invocation;
    bool use_memo = true;
    bool follow = true;

    friend bool operator==(const Submit&, const Submit&) = default;
};

/// Coordinator: journaled; it will be finished or cancelled, never forgotten.
struct Accepted {
    Cid job;
    bool known_before = false;

    friend bool operator==(const Accepted&, const Accepted&) = default;
};

/// Coordinator: not accepted.
struct Rejected {
    Cid job;
    Errc reason = Errc::refused;
    std::string message;

    friend bool operator==(const Rejected&, const Rejected&) = default;
};

/// Client: tell me what becomes of this job. Also how a client comes back after a crash.
struct Watch {
    Cid job;

    friend bool operator==(const Watch&, const Watch&) = default;
};

/// Coordinator to watchers: the job is at this stage, on this worker (if one has it).
struct Progress {
    Cid job;
    std::uint8_t stage = 0; ///< job::Stage.
    std::uint32_t attempt = 0;
    std::optional<WorkerRef> worker;
    std::string detail; ///< For people.

    friend bool operator==(const Progress&, const Progress&) = default;
};

enum class Stream : std::uint8_t { output = 1, errors = 2, log = 3 };

/// Worker to coordinator to watchers: what the guest just wrote. Hints for people who look on; the
/// receipt's CIDs are the truth.
struct Output {
    LeaseRef lease;
    Stream stream = Stream::output;
    std::uint64_t offset = 0;
    Bytes data;

    friend bool operator==(const Output&, const Output&) = default;
};

/// Coordinator to watchers: the end. A receipt, or an error of ours where no run made one.
struct Outcome {
    Cid job;
    std::optional<Bytes> receipt;
    std::optional<Errc> error;
    std::string message;
    bool from_memo = false;
    std::uint32_t attempts = 0;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Client: cancel it.
struct CancelRequest {
    Cid job;

    friend bool operator==(const CancelRequest&, const CancelRequest&) = default;
};

/// Client: which workers do you know? Answered with KnownWorkers, as many as it takes.
struct KnownWorkersQuery {
    friend bool operator==(const KnownWorkersQuery&, const KnownWorkersQuery&) = default;
};

/// By which way a node hears a worker.
enum class Route : std::uint8_t {
    local = 1, ///< On the bus: a process of the same home.
    link = 2,  ///< Over a session of the two.
    topic = 3, ///< Over a topic, with everybody.
};

std::string_view name(Route route);

/// A worker as a node knows it.
struct KnownWorker {
    Advert advert; ///< Its last.
    std::chrono::milliseconds heard_ago{};
    Route route = Route::local;
    std::vector<std::string> addresses{}; ///< Where sessions with it are taken, if it said so.
    bool trusted = false;                 ///< Its key is the node's own or one that it trusts.

    friend bool operator==(const KnownWorker&, const KnownWorker&) = default;
};

/// Node: some of the workers that I know.
struct KnownWorkers {
    std::vector<KnownWorker> workers;
    std::uint32_t left = 0; ///< How many come in messages after this one.

    friend bool operator==(const KnownWorkers&, const KnownWorkers&) = default;
};

/// The stages of a job's life, in order.
enum class Stage : std::uint8_t {
    accepted = 1,
    queued = 2,
    granted = 3,
    fetching = 4,
    compiling = 5,
    running = 6,
    publishing = 7,
    finished = 8,
};

std::string_view name(Stage stage);

/// The alternative's index + 1 is its kind on the wire: append only.
using Message = std::variant<Advert,
                             Announce,
                             Bid,
                             Withdraw,
                             Decline,
                             Grant,
                             Renew,
                             RenewAnswer,
                             HandBack,
                             StageReport,
                             ReceiptMessage,
                             ReceiptAnswer,
                             Cancel,
                             OpenJobsQuery,
                             Submit,
                             Accepted,
                             Rejected,
                             Watch,
                             Progress,
                             Output,
                             Outcome,
                             CancelRequest,
                             KnownWorkersQuery,
                             KnownWorkers>;

namespace limits {
/// Fits one datagram of a local socket with default buffers, and Kubo's pubsub with room.
inline constexpr std::size_t message_bytes_max = 128U << 10U;
inline constexpr std::size_t leases_per_message_max = 512;
inline constexpr std::size_t output_piece_bytes_max = 32U << 10U;
/// Ours: of an advert.
inline constexpr std::size_t features_max = 16;
inline constexpr std::size_t feature_bytes_max = 64;
inline constexpr std::size_t advert_software_bytes_max = 256; ///< Beyond it: cut where it is kept.
/// Ours: in one KnownWorkers, and addresses of one of them: all at their most fit one message.
inline constexpr std::size_t known_workers_per_message_max = 12;
inline constexpr std::size_t known_worker_addresses_max = 8;
inline constexpr std::size_t known_worker_address_bytes_max = 256; ///< As in a packet.
} // namespace limits

/// The one encoding of a message. Texts for people are cut to `limits::text_bytes_max` and made
/// UTF-8 (`fit_text`); all else is the caller's: Requires documents, pieces and lists within their
/// limits, durations of at most `limits::duration_ms_max`. Inverse: `decode`.
Bytes encode(const Message& message);

/// The name of a message's kind, as docs/formats/messages.md has it: "renew-answer".
std::string_view name(const Message& message);

/// Unknown fields are ignored.
/// Errors: malformed, too_large, unsupported (unknown major version, kind, or number of an error,
/// stage, fate or stream). Inverse: `encode`.
Result<Message> decode(ByteView bytes);

} // namespace ic::job
