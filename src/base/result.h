#pragma once
/// Result<T>: a T, or the Error that stands in its place. TRY hands the error to the caller.

#include <cassert>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ic {

/// What went wrong, as far as a caller can act on it. One row of `error.cc` gives each code its
/// name, HTTP status, exit status and whether trying again can help; nothing else maps them.
/// The numbers stand in receipts and messages (docs/formats/errors.md): a number is never reused.
enum class Errc : std::uint8_t {
    usage = 1,               ///< The command line is wrong.
    malformed = 2,           ///< Bytes or text do not have the form they must have.
    too_large = 3,           ///< Beyond a stated limit of size.
    unsupported = 4,         ///< Well-formed, but something this version does not do.
    hash_mismatch = 5,       ///< A block is not what its CID says; another source may be honest.
    not_found = 6,           ///< Not here.
    refused = 7,             ///< Policy, or a signature or a right that is missing.
    expired = 8,             ///< The document's time is over.
    cancelled = 9,           ///< Somebody who may cancelled it.
    unavailable = 10,        ///< A peer, a daemon or a file cannot be reached now.
    storage_full = 11,       ///< No room on the disk, or the store's quota is used up.
    internal = 12,           ///< A fault of this node.
    module_invalid = 13,     ///< The module is not valid WebAssembly, or uses what is switched off.
    module_too_large = 14,   ///< The module has more bytes than the limit.
    import_missing = 15,     ///< The module imports what no host function gives.
    handler_missing = 16,    ///< The module exports no function of the handler's name.
    handler_signature = 17,  ///< The handler's parameters or results cannot be given.
    compile_timeout = 18,    ///< Compilation took longer than its limit.
    compile_memory = 19,     ///< Compilation needed more memory than its limit.
    trap_unreachable = 20,   ///< The guest executed `unreachable` (a panic or an abort, mostly).
    trap_memory = 21,        ///< The guest accessed memory out of bounds.
    trap_table = 22,         ///< The guest accessed a table out of bounds.
    trap_call = 23,          ///< The guest called a null function or one of another type.
    trap_arithmetic = 24,    ///< The guest divided by zero or overflowed an integer conversion.
    trap_stack = 25,         ///< The guest used up its stack.
    trap_other = 26,         ///< Another trap of the engine.
    limit_wall_time = 27,    ///< The run stage took longer than its limit.
    limit_cpu_time = 28,     ///< The guest used more processor time than its limit.
    limit_fuel = 29,         ///< The guest used up its fuel.
    limit_memory = 30,       ///< The guest wanted more memory than its limit.
    limit_table = 31,        ///< The guest wanted larger tables than its limit.
    limit_output = 32,       ///< The guest wrote more to standard output and error than its limit.
    limit_log = 33,          ///< The guest logged more than its limit.
    limit_add = 34,          ///< The guest added more bytes than its limit.
    limit_handles = 35,      ///< The guest opened more handles than its limit.
    cid_unavailable = 36,    ///< Nobody gave the block in the time allowed.
    queue_timeout = 37,      ///< No worker was free before the queue stage ended.
    claim_timeout = 38,      ///< No worker took the job before the claim stage ended.
    fetch_timeout = 39,      ///< Module and inputs were not here before the fetch stage ended.
    publish_timeout = 40,    ///< Results could not be published before the publish stage ended.
    total_timeout = 41,      ///< The whole job took longer than its total timeout.
    lease_lost = 42,         ///< The worker could not renew its lease.
    worker_lost = 43,        ///< The worker is gone.
    executor_crashed = 44,   ///< The executor process died under the guest.
    attempts_exhausted = 45, ///< Every attempt failed for a retryable reason.
    nondeterministic = 46,   ///< Runs of one pure job gave different results.
    limit_host_calls = 47,   ///< The guest called host functions more often than its limit.
    limit_curls = 48,        ///< The guest had more responses open at once than its limit.
};

/// The stable name, kebab-case: "limit-memory".
std::string_view name(Errc code);
int http_status(Errc code);
/// Of `ipfs-compute`: 120 to 127, so that it cannot be confused with a guest's own 0 to 119.
int exit_status(Errc code);
/// Whether trying again, here or elsewhere, can help.
bool may_retry(Errc code);
/// Inverse of the enumerator's number; nothing for a number this version does not know.
std::optional<Errc> errc_of(std::uint64_t number);

struct Error {
    Errc code;
    std::string message;

    /// The same error, with what the caller was doing put in front: "reading job bafy...: ...".
    [[nodiscard]] Error during(std::string_view what) && {
        message.insert(0, ": ").insert(0, what);
        return std::move(*this);
    }
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}

    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }

    explicit operator bool() const { return ok(); }

    const T& operator*() const& { return *std::get_if<0>(&state_); }

    const T* operator->() const { return std::get_if<0>(&state_); }

    const Error& error() const {
        assert(!ok());
        return *std::get_if<1>(&state_);
    }

    T take() && {
        assert(ok());
        return std::move(*std::get_if<0>(&state_));
    }

    Error take_error() && {
        assert(!ok());
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;

    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }

    explicit operator bool() const { return ok(); }

    const Error& error() const { return *std::get_if<1>(&state_); }

    void take() && { assert(ok()); }

    Error take_error() && { return std::move(*std::get_if<1>(&state_)); }

private:
    std::variant<std::monostate, Error> state_;
};

} // namespace ic

#define IC_JOIN_(a, b) a##b
#define IC_JOIN(a, b) IC_JOIN_(a, b)
#define IC_TRY_(r, ...)                                                                            \
    __extension__({                                                                                \
        auto&& r = (__VA_ARGS__);                                                                  \
        if (!r.ok()) [[unlikely]]                                                                  \
            return std::move(r).take_error();                                                      \
        std::move(r).take();                                                                       \
    })

/// The value of a Result, or an early return of its error. Not around co_await: GCC 12 crashes
/// on a co_await inside a statement expression; await into a variable first.
#define TRY(...) IC_TRY_(IC_JOIN(try_result_, __COUNTER__), __VA_ARGS__)
