#pragma once
/// The flags that `submit` and `run` share, and the job that they describe.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "cli/context.h"
#include "job/invocation.h"
#include "unixfs/profile.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::cli {

/// As they stand on the command line.
struct JobFlags {
    std::string job_file; ///< Empty: none; - is standard input.
    std::optional<std::string> handler;
    std::string wasm_cid;
    std::string wasm_file;
    std::vector<std::string> imports;
    std::string event;
    std::vector<std::string> inputs;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::vector<std::string> allow_hosts;
    std::vector<std::string> labels;
    std::vector<std::string> constraints;
    std::string timeout;
    std::string compile_timeout;
    std::string total_timeout;
    std::string queue_timeout;
    std::string claim_timeout;
    std::string fetch_timeout;
    std::string publish_timeout;
    std::optional<std::uint64_t> retries;
    std::string memory;
    std::string fuel;
    std::string cpu_time;
    std::string module_size;
    std::string compile_memory;
    std::string table_elements;
    std::string output_size;
    std::string log_size;
    std::string add_size;
    std::string handles;
    std::string host_calls;
    std::string curls;
    std::string nonce;
    std::optional<std::uint64_t> priority;
    bool is_impure = false;
    bool no_cache = false;
    /// Whether these stand on the command line at all. Lifetime: as the command.
    const Option* impure_option = nullptr;
    const Option* no_cache_option = nullptr;
    /// Of the texts that mean "not given" when they are empty.
    std::vector<std::pair<const Option*, std::string JobFlags::*>> text_options;
};

/// Declares them on `command`.
void add_job_flags(Command& command, Context& context, JobFlags& flags);

/// That nothing was given which reads as if it had not been: an empty value (of a variable of a
/// script that is not set), fuel of 0. Requires: `flags` are as parsed, without a job file's.
/// Errors: usage, naming the flag.
Result<void> check_given(const JobFlags& flags);

/// The job, with what it was given as files added to the store (and synced). Its arguments are
/// those of the flags, then `guest_words`.
/// Errors: usage, not_found and others, naming the flag and what was wrong with it; of a module
/// that is here, as `check_module`.
Result<job::JobSpec> spec_of(const JobFlags& flags,
                             const std::vector<std::string>& guest_words,
                             BlockStore& store,
                             const unixfs::Profile& profile);

/// Issued by and addressed to this node. A nonce of `random` stands for one of 16 random bytes.
Result<job::Invocation>
invocation_of(const JobFlags& flags, job::JobSpec spec, const PublicKey& key, UnixSeconds now);

} // namespace ic::cli
