#pragma once
/// Chronicle: what becomes of jobs, told to operators as it is written to the ledger.

#include "lease/records.h"
#include "log/entry.h"

#include <string>
#include <utility>
#include <vector>

namespace ic::coordinator {

/// Threads: the loop's.
class Chronicle {
public:
    explicit Chronicle(log::Sink note) : note_(std::move(note)) {}

    void tell(const std::vector<lease::Record>& records);

private:
    void tell_one(const lease::AcceptedRecord& record);
    void tell_one(const lease::GrantedRecord& record);
    void tell_one(const lease::ReleasedRecord& record);
    void tell_one(const lease::CancelAskedRecord& record);
    void tell_one(const lease::FinishedRecord& record);

    const log::Sink note_;
};

/// How a job ended, in a word: "success", "guest-exit" (its own status was not 0), or the name of
/// an error.
std::string ending_of(const lease::FinishedRecord& record);

} // namespace ic::coordinator
