/// Property: what is read of a job file, as JSON or as TOML, prints as JSON that reads the same.

#include "base/bytes.h"
#include "config/job_file.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using ic::config::JobFileFormat;
    const std::string_view text = ic::text_of({data, size});
    for (const JobFileFormat format : {JobFileFormat::json, JobFileFormat::toml}) {
        const auto read = ic::config::parse_job_file(text, "fuzz", format);
        if (!read) {
            continue;
        }
        const std::string printed = ic::config::print_job_file(*read);
        const auto again = ic::config::parse_job_file(printed, "fuzz", JobFileFormat::json);
        if (!again || *again != *read) {
            std::abort();
        }
    }
    return 0;
}
