#pragma once
/// Rendezvous: which workers of a large network bid for a job, without a word between them. Each
/// has a score for the job; those whose score is below a threshold bid. The threshold starts so
/// that a few do and rises while the job stays open, until all may.

#include "job/ids.h"

#include <cstdint>

namespace ic::lease {

struct RendezvousOptions {
    /// Workers on the network, as well as the runtime can tell. 0: not known, so that all bid.
    std::uint64_t workers = 0;
    /// How many of them bid at the first announcement. A network of no more than these bids whole.
    std::uint32_t bidders = 16;
};

/// What a job and a worker bring to their score: 8 bytes that are as good as random in each.
std::uint64_t rendezvous_bits(const Cid& job);
std::uint64_t rendezvous_bits(const PublicKey& worker);

/// Spread evenly over all of its 64 bits, for any job over workers and any worker over jobs.
/// Source: the output function of splitmix64 (Sebastiano Vigna, public domain).
constexpr std::uint64_t rendezvous_score(std::uint64_t job_bits, std::uint64_t worker_bits) {
    std::uint64_t z = (job_bits ^ worker_bits) + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

/// Scores up to this one bid. It doubles with each earlier announcement of the job that was heard,
/// but for the first: these come with backoff while it waits, and not while it is granted, so that
/// a job that is granted again after a long run does not call everybody. The first repetition comes
/// after 0.1 s, before bids can be back through a large network: it is for those who missed the
/// announcement, and calls no others.
std::uint64_t rendezvous_threshold(const RendezvousOptions& options, std::uint32_t heard_before);

} // namespace ic::lease
