#pragma once
/// `--job-file`: a job's flags from a file, under those of the command line.

#include "base/result.h"
#include "cli/job_flags.h"

#include <string>
#include <string_view>
#include <vector>

namespace ic::cli {

/// `flags` with what its job file says where they say nothing; as they are if they name none. In
/// place of the file's: a value given as a flag; of pairs, one of the same name; of `arg` and
/// `allow_host`, the whole list (`guest_words` are arguments too); the module, given either way.
/// Files that the job file names are relative to its own folder.
/// Errors: usage, not_found and others of reading; as `config::parse_job_file`.
Result<JobFlags> with_job_file(JobFlags flags, const std::vector<std::string>& guest_words);

/// docs/formats/job-file.schema.json.
std::string_view job_file_schema();

} // namespace ic::cli
