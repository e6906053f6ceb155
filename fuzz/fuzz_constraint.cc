/// Property: constraints that are read, are written in one way that reads as the same ones, and can
/// stand in a job; a worker that lacks what one asks for is told its remedy.

#include "base/bytes.h"
#include "job/labels.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    const std::string_view text = text_of({data, size});
    const Result<std::vector<job::Constraint>> read = job::parse_constraints(text);
    if (!read) {
        return 0;
    }
    const Result<std::vector<job::Constraint>> again =
        job::parse_constraints(job::to_string(*read));
    if (!again || *again != *read || !job::check_constraints(*read)) {
        std::abort();
    }
    for (const job::Constraint& constraint : *read) {
        if (!job::holds(constraint, {}) && job::remedy_for(constraint).empty()) {
            std::abort();
        }
    }
    return 0;
}
