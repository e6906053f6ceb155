#include "executor/wasm/wasi.h"

#include "executor/wasm/boundary.h"
#include "executor/wasm/wasi_types.h"

#include <algorithm>
#include <string>
#include <vector>

namespace ic::executor::wasm {
namespace wasi {
namespace {

// --- arguments and environment ------------------------------------------------------------------

Errno sizes_of(Run& run,
               const std::vector<std::string>& texts,
               Address count_out,
               Address bytes_out) {
    std::size_t bytes = 0;
    for (const std::string& text : texts) {
        bytes += text.size() + 1;
    }
    const bool stored = run.memory.store(count_out, static_cast<std::uint32_t>(texts.size())) &&
                        run.memory.store(bytes_out, static_cast<std::uint32_t>(bytes));
    return stored ? Errno::success : Errno::fault;
}

Errno copy_out(Run& run,
               const std::vector<std::string>& texts,
               Address pointers_out,
               Address bytes_out) {
    std::uint64_t pointer_at = pointers_out;
    std::uint64_t text_at = bytes_out;
    for (const std::string& text : texts) {
        const auto place = run.memory.slice(text_at, text.size() + 1);
        if (!place || !run.memory.store(pointer_at, static_cast<std::uint32_t>(text_at))) {
            return Errno::fault;
        }
        // The end mark of C strings comes with c_str().
        std::copy_n(text.c_str(), text.size() + 1, place->begin());
        pointer_at += 4;
        text_at += text.size() + 1;
    }
    return Errno::success;
}

Errno args_sizes_get(Run& run, Address count_out, Address bytes_out) {
    return sizes_of(run, run.arguments(), count_out, bytes_out);
}

Errno args_get(Run& run, Address pointers_out, Address bytes_out) {
    return copy_out(run, run.arguments(), pointers_out, bytes_out);
}

Errno environ_sizes_get(Run& run, Address count_out, Address bytes_out) {
    return sizes_of(run, run.environment(), count_out, bytes_out);
}

Errno environ_get(Run& run, Address pointers_out, Address bytes_out) {
    return copy_out(run, run.environment(), pointers_out, bytes_out);
}

// --- the process --------------------------------------------------------------------------------

Errno random_get(Run& run, Address out, Size size) {
    const auto place = run.memory.slice(out, size);
    if (!place) {
        return Errno::fault;
    }
    run.fill_random(*place);
    return Errno::success;
}

void proc_exit(Run& run, std::uint32_t status) { run.exit(static_cast<std::int32_t>(status)); }

Errno proc_raise(Run& /*run*/, std::uint32_t /*signal*/) { return Errno::notsup; }

Errno sched_yield(Run& /*run*/) { return Errno::success; }

// --- paths: no directory is open to the guest ---------------------------------------------------

/// What a path function says about the descriptor it was given as a directory.
Errno no_directory(Run& run, Fd fd) {
    return stream_of(run, fd) != nullptr ? Errno::notcapable : Errno::badf;
}

Errno path_name(Run& run, Fd fd, Address, Size) { return no_directory(run, fd); }

Errno path_filestat_get(Run& run, Fd fd, std::uint32_t, Address, Size, Address) {
    return no_directory(run, fd);
}

Errno path_filestat_set_times(
    Run& run, Fd fd, std::uint32_t, Address, Size, std::uint64_t, std::uint64_t, std::uint32_t) {
    return no_directory(run, fd);
}

Errno path_link(Run& run, Fd fd, std::uint32_t, Address, Size, Fd, Address, Size) {
    return no_directory(run, fd);
}

Errno path_open(Run& run,
                Fd fd,
                std::uint32_t,
                Address,
                Size,
                std::uint32_t,
                std::uint64_t,
                std::uint64_t,
                std::uint32_t,
                Address) {
    return no_directory(run, fd);
}

Errno path_readlink(Run& run, Fd fd, Address, Size, Address, Size, Address) {
    return no_directory(run, fd);
}

Errno path_rename(Run& run, Fd fd, Address, Size, Fd, Address, Size) {
    return no_directory(run, fd);
}

Errno path_symlink(Run& run, Address, Size, Fd fd, Address, Size) { return no_directory(run, fd); }

// --- sockets: none ------------------------------------------------------------------------------

Errno sock_accept(Run& /*run*/, Fd, std::uint32_t, Address) { return Errno::notsup; }

Errno sock_recv(Run& /*run*/, Fd, Address, Size, std::uint32_t, Address, Address) {
    return Errno::notsup;
}

Errno sock_send(Run& /*run*/, Fd, Address, Size, std::uint32_t, Address) { return Errno::notsup; }

Errno sock_shutdown(Run& /*run*/, Fd, std::uint32_t) { return Errno::notsup; }

Result<void> define_rest(wasmtime_linker_t* linker) {
    TRY(define<&args_get>(linker, module_name, "args_get"));
    TRY(define<&args_sizes_get>(linker, module_name, "args_sizes_get"));
    TRY(define<&environ_get>(linker, module_name, "environ_get"));
    TRY(define<&environ_sizes_get>(linker, module_name, "environ_sizes_get"));
    TRY(define<&random_get>(linker, module_name, "random_get"));
    TRY(define<&proc_exit>(linker, module_name, "proc_exit"));
    TRY(define<&proc_raise>(linker, module_name, "proc_raise"));
    TRY(define<&sched_yield>(linker, module_name, "sched_yield"));
    TRY(define<&path_name>(linker, module_name, "path_create_directory"));
    TRY(define<&path_filestat_get>(linker, module_name, "path_filestat_get"));
    TRY(define<&path_filestat_set_times>(linker, module_name, "path_filestat_set_times"));
    TRY(define<&path_link>(linker, module_name, "path_link"));
    TRY(define<&path_open>(linker, module_name, "path_open"));
    TRY(define<&path_readlink>(linker, module_name, "path_readlink"));
    TRY(define<&path_name>(linker, module_name, "path_remove_directory"));
    TRY(define<&path_rename>(linker, module_name, "path_rename"));
    TRY(define<&path_symlink>(linker, module_name, "path_symlink"));
    TRY(define<&path_name>(linker, module_name, "path_unlink_file"));
    TRY(define<&sock_accept>(linker, module_name, "sock_accept"));
    TRY(define<&sock_recv>(linker, module_name, "sock_recv"));
    TRY(define<&sock_send>(linker, module_name, "sock_send"));
    TRY(define<&sock_shutdown>(linker, module_name, "sock_shutdown"));
    return {};
}

} // namespace
} // namespace wasi

Result<void> define_wasi(wasmtime_linker_t* linker) {
    TRY(wasi::define_rest(linker));
    TRY(wasi::define_fd(linker));
    TRY(wasi::define_poll(linker));
    return {};
}

} // namespace ic::executor::wasm
