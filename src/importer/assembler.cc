#include "importer/assembler.h"

#include <utility>

namespace ic::importer {

Assembler::Assembler(const unixfs::ImportOptions& options, BlockSink& sink, Events events)
    : options_(options)
    , sink_(sink)
    , events_(std::move(events)) {}

Result<void> Assembler::take(Job& job) {
    switch (job.kind) {
    case Job::Kind::folder_begins:
        folders_.emplace_back(
            options_.profile, sink_, options_.metadata_of(metadata_in(job.step.status)));
        return {};
    case Job::Kind::folder_ends:
        return end_folder(job.step);
    case Job::Kind::piece:
        return take_piece(job);
    case Job::Kind::symlink:
    case Job::Kind::whole_file:
    case Job::Kind::stream_whole:
    case Job::Kind::known_file:
        break;
    }
    if (job.unchanged) {
        events_.read(*job.unchanged, *job.entry);
    }
    return add_file(job.step, *job.entry);
}

Result<void> Assembler::take_piece(Job& job) {
    const OpenFile& file = *job.file;
    if (!dag_) {
        dag_.emplace(options_.profile, file.metadata, sink_);
    }
    for (unixfs::Part& part : job.parts) {
        TRY(dag_->add(std::move(part)));
    }
    if (!job.is_last) {
        return {};
    }
    if (S_ISREG(file.seen.status.st_mode)) {
        TRY(check_unchanged(file.seen.status, file.fd, file.step));
    }
    const unixfs::Entry entry = TRY(dag_->finish());
    dag_.reset();
    if (file.step.kind == Step::Kind::file) {
        events_.read(file.seen, entry);
    }
    return add_file(file.step, entry);
}

Result<void> Assembler::add_file(const Step& step, const unixfs::Entry& entry) {
    // Without a name of its own it is called by its CID, as in Kubo.
    const std::string unnamed = step.name.empty() ? entry.cid.to_string() : std::string();
    TRY(events_.added({.name = step.name.empty() ? unnamed : step.shown,
                       .cid = entry.cid,
                       .tsize = entry.tsize}));
    return link(step.name.empty() ? unnamed : step.name, entry);
}

Result<void> Assembler::end_folder(const Step& step) {
    const unixfs::Entry entry = TRY(folders_.back().finish());
    folders_.pop_back();
    waiting_folders_.push_back({.name = step.shown, .cid = entry.cid, .tsize = entry.tsize});
    return link(step.name, entry);
}

Result<void> Assembler::link(const std::string& name, const unixfs::Entry& entry) {
    if (!folders_.empty()) {
        return folders_.back().add(name, entry);
    }
    for (Added& folder : std::exchange(waiting_folders_, {})) {
        TRY(events_.added(std::move(folder)));
    }
    return events_.root(entry);
}

} // namespace ic::importer
