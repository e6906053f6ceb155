#pragma once
/// Rpc: how a Kubo node is asked. What can be asked stands in node.h, pubsub.h, block.h, dag.h,
/// pin.h, routing.h, streams.h and key.h.
/// Source: docs.ipfs.tech/reference/kubo/rpc; Kubo 0.39 to 0.43. All calls are POSTs; an error is
/// status 500 with `{"Message": ...}`, or, in the middle of an answer, the trailer X-Stream-Error.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "kubo/api_address.h"
#include "kubo/backoff.h"
#include "kubo/breaker.h"
#include "net/http_client.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::kubo {

namespace limits {
/// Ours: an answer that is read whole and is no block.
inline constexpr std::size_t answer_bytes_max = 4U << 20U;
/// Ours: one line of an answer that is a stream of JSON.
inline constexpr std::size_t answer_line_bytes_max = 256U << 10U;
} // namespace limits

/// An error, or nothing while all may go on. Asked at least ten times a second.
using Stop = std::function<std::optional<Error>()>;
/// Writes the next bytes and says how many; 0 at the end.
using Producer = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

/// How a request ended.
enum class AttemptEnd : std::uint8_t {
    ok,
    refused,   ///< An answer that trying again does not change.
    failed,    ///< No answer, or one that may be another one later.
    not_asked, ///< Too many have failed in a row.
};

/// "ok", "refused", "failed", "not-asked".
std::string_view name(AttemptEnd end);

/// One request, made or not, for those who count.
struct Attempt {
    std::string_view command; ///< "block/get"
    AttemptEnd end{};
    bool is_breaker_open = false; ///< Nobody is asked from here on, for a while.
};

struct RpcOptions {
    std::string address{default_api}; ///< As `api_url` takes it: http://..., /ip4/..., /unix/....
    /// As Kubo's `API.Authorizations` has it: `bearer:TOKEN` or `basic:USER:PASSWORD`; empty: none.
    std::string token{};
    std::chrono::milliseconds connect_time_max{2'000};
    std::chrono::milliseconds total_time_max{30'000}; ///< Of one attempt, to the last byte.
    RetryPolicy retry{};
    BreakerPolicy breaker{};
    std::shared_ptr<SharedBreaker> shared_breaker{}; ///< In place of one's own. May be null.
    Stop stop{}; ///< Ends every call, and every wait between two attempts.
    std::function<Instant()> now = &now_since_boot;
    std::function<std::uint64_t()> random{};                ///< Any 64 bits; empty: the system's.
    std::function<void(std::chrono::milliseconds)> sleep{}; ///< Empty: sleeps, asking `stop`.
    std::function<void(const Attempt&)> on_attempt{}; ///< Told of each, on the calling thread.
};

/// Whether a call may be made twice where once is meant.
enum class Repeat { never, harmless };

struct RpcCall {
    std::string_view command; ///< "block/get"
    /// Names as they are, values not yet percent-encoded.
    std::vector<std::pair<std::string_view, std::string>> query{};
    Repeat repeat = Repeat::never;
    /// The one part of a multipart body, named `part`; at most one of the two that follow.
    std::string_view part{};
    std::optional<ByteView> data{}; ///< Lifetime: of the call.
    Producer produce{};             ///< Is never repeated. Lifetime: until the answer is gone.
    std::optional<std::chrono::milliseconds> total_time_max{}; ///< Else that of RpcOptions.
    std::uint64_t answer_bytes_max = limits::answer_bytes_max;
    Errc kubo_failed = Errc::unavailable; ///< The code of what Kubo itself says went wrong.
    Stop stop{};                          ///< Beside that of RpcOptions.
};

/// An answer with status 200 whose body is being read. Threads: one.
class RpcAnswer {
public:
    RpcAnswer(std::unique_ptr<net::HttpResponse> response, std::string where, Errc kubo_failed)
        : response_(std::move(response))
        , where_(std::move(where))
        , kubo_failed_(kubo_failed) {}

    /// Waits for bytes; 0 at the whole answer's end. Errors: unavailable (cut off, out of time),
    /// `RpcCall::kubo_failed` (what it said in X-Stream-Error), too_large, what `stop` says.
    Result<std::size_t> read(std::span<std::uint8_t> into);

    /// The rest. Errors: as `read`; too_large beyond `bytes_max`.
    Result<Bytes> read_all(std::size_t bytes_max);

    /// The next line without its end; nothing at the answer's end. A last line may lack its end
    /// only if `read` says that the answer is whole. Do not mix with the other two.
    /// Errors: as `read`; too_large beyond `bytes_max`.
    Result<std::optional<std::string>> read_line(std::size_t bytes_max);

    /// "Kubo at ADDRESS, COMMAND", for messages.
    const std::string& where() const { return where_; }

    /// Whether `read` failed with what Kubo itself said.
    bool is_kubos_own_failure() const { return has_failed_; }

private:
    std::unique_ptr<net::HttpResponse> response_;
    std::string where_;
    Errc kubo_failed_;
    std::string pending_; ///< Read, and not yet given as a line.
    std::size_t scanned_ = 0;
    bool at_end_ = false;
    bool has_failed_ = false;
};

/// One Kubo API: its connections, which are kept, its token, and what is known of its absence.
/// Errors of every call:
///  - unavailable: nobody answers, or not in time, or not to the end;
///    also at once, without asking, for `BreakerPolicy::pause` after a row of failures;
///  - `RpcCall::kubo_failed` (unavailable, if a call does not say otherwise): Kubo failed, as it
///  says;
///  - refused: Kubo wants a token, or its AllowedPaths lack this command (the message names it);
///  - unsupported: this Kubo does not know the command;
///  - malformed: the arguments are wrong, or what answers is no Kubo;
///  - too_large: the answer is beyond its bound; and what `stop` says.
/// `Repeat::harmless` calls are tried again after the failures that may pass.
/// Threads: any; calls block. Lifetime: until the last RpcAnswer is gone.
class Rpc {
    /// What `open` has made sure of.
    struct Opened {
        RpcOptions options;
        std::string address;
        std::string authorization; ///< The header's value; empty: none.
    };

public:
    /// Connects to nobody yet. Errors: as `api_url`; malformed for another form of token.
    static Result<std::unique_ptr<Rpc>> open(RpcOptions options);

    explicit Rpc(Opened opened);
    Rpc(const Rpc&) = delete;
    Rpc& operator=(const Rpc&) = delete;

    /// The whole answer.
    Result<Bytes> call(const RpcCall& call);

    /// Returns when the answer has begun. A failure after that is not tried again.
    Result<std::unique_ptr<RpcAnswer>> begin(const RpcCall& call);

    /// As `api_url` writes it.
    const std::string& address() const { return address_; }

    /// "Kubo at ADDRESS, COMMAND", for messages.
    std::string where(std::string_view command) const;

    std::uint64_t random() const { return options_.random(); }

    Instant now() const { return options_.now(); }

private:
    struct Failure;

    net::HttpRequest request_of(const RpcCall& call) const;
    std::optional<Error> closed(const RpcCall& call);
    void report(const RpcCall& call, const std::optional<Failure>& failure);
    void tell(const RpcCall& call, AttemptEnd end, int failures_in_a_row) const;
    std::optional<Failure> attempt(const RpcCall& call,
                                   const net::HttpRequest& request,
                                   std::unique_ptr<RpcAnswer>& answer);
    template <class Once>
    Result<void> repeatedly(const RpcCall& call, Once once);
    std::optional<Error> wait(std::chrono::milliseconds time, const Stop& stop) const;

    const RpcOptions options_;
    const std::string address_;
    const std::string authorization_;
    net::HttpConnections connections_;
    const std::shared_ptr<SharedBreaker> breaker_; ///< Of all Rpcs of this Kubo in the process.
};

/// Whether a call failed without asking, since too many before it had failed.
bool is_not_asked(const Error& error);

/// What either of the two says; each may be empty.
Stop either(Stop left, Stop right);

} // namespace ic::kubo
