// WASI preview 1: functions on descriptors. 0, 1 and 2 are all there is.

#include "executor/wasm/boundary.h"
#include "executor/wasm/wasi.h"
#include "executor/wasm/wasi_types.h"

#include <cstdint>
#include <string>

namespace ic::executor::wasm::wasi {
namespace {

// `filetype`. Standard input is a regular file: it has a size and a position. Standard output and
// error are of no named type, as pipes are: not character devices, for which C libraries would
// write every line by itself.
constexpr std::uint8_t filetype_unknown = 0;
constexpr std::uint8_t filetype_regular = 4;

// `rights`.
constexpr std::uint64_t right_read = 1U << 1U;
constexpr std::uint64_t right_seek = 1U << 2U;
constexpr std::uint64_t right_tell = 1U << 5U;
constexpr std::uint64_t right_write = 1U << 6U;
constexpr std::uint64_t right_filestat = 1U << 21U;
constexpr std::uint64_t right_poll = 1U << 27U;

constexpr std::uint16_t fdflag_append = 1;

constexpr std::uint64_t offset_max = (std::uint64_t{1} << 63U) - 1;

Errno known(Run& run, Fd fd, Errno answer) {
    return stream_of(run, fd) != nullptr ? answer : Errno::badf;
}

// --- reading and writing ------------------------------------------------------------------------

/// Fills the buffers in turn from `offset` on, until one is not filled.
Errno read_buffers(Run& run,
                   std::uint64_t offset,
                   Address list,
                   Size count,
                   Address read_out,
                   std::uint32_t& total) {
    total = 0;
    if (count > limits::iovecs_max) {
        return Errno::inval;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto buffer = load_buffer(run.memory, list, i);
        const auto place = buffer ? run.memory.slice(buffer->address, buffer->size) : std::nullopt;
        if (!place) {
            return Errno::fault;
        }
        std::span<std::uint8_t> rest = *place;
        // The sum must stay a number that the guest can be told.
        rest = rest.first(std::min<std::size_t>(rest.size(), UINT32_MAX - total));
        while (!rest.empty()) {
            const std::size_t got = run.read_event(offset + total, rest);
            total += static_cast<std::uint32_t>(got);
            rest = rest.subspan(got);
            if (got == 0) {
                return run.memory.store(read_out, total) ? Errno::success : Errno::fault;
            }
        }
    }
    return run.memory.store(read_out, total) ? Errno::success : Errno::fault;
}

Errno fd_read(Run& run, Fd fd, Address list, Size count, Address read_out) {
    StandardStream* stream = stream_of(run, fd);
    if (stream == nullptr || fd != fd_input) {
        return Errno::badf;
    }
    std::uint32_t total = 0;
    const Errno result = read_buffers(run, stream->position, list, count, read_out, total);
    if (result == Errno::success) {
        stream->position += total;
    }
    return result;
}

Errno fd_pread(Run& run, Fd fd, Address list, Size count, std::uint64_t offset, Address read_out) {
    if (stream_of(run, fd) == nullptr) {
        return Errno::badf;
    }
    if (fd != fd_input) {
        return Errno::spipe;
    }
    if (offset > offset_max) {
        return Errno::inval;
    }
    std::uint32_t total = 0;
    return read_buffers(run, offset, list, count, read_out, total);
}

Errno fd_write(Run& run, Fd fd, Address list, Size count, Address written_out) {
    if (stream_of(run, fd) == nullptr || fd == fd_input) {
        return Errno::badf;
    }
    if (count > limits::iovecs_max) {
        return Errno::inval;
    }
    const job::Stream stream = fd == fd_output ? job::Stream::output : job::Stream::errors;
    std::uint32_t total = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto buffer = load_buffer(run.memory, list, i);
        const auto place = buffer ? run.memory.slice(buffer->address, buffer->size) : std::nullopt;
        if (!place || buffer->size > UINT32_MAX - total) {
            return place ? Errno::inval : Errno::fault;
        }
        if (!run.capture.write(stream, *place)) {
            run.stop(Errc::limit_output,
                     "the guest wrote more than " +
                         std::to_string(run.task().spec.limits.output_bytes_max) +
                         " bytes to standard output and error: raise --output-size, "
                         "or add large results with ipfsComputeAdd");
            return Errno::success;
        }
        total += buffer->size;
    }
    return run.memory.store(written_out, total) ? Errno::success : Errno::fault;
}

Errno fd_pwrite(Run& run, Fd fd, Address, Size, std::uint64_t, Address) {
    return known(run, fd, fd == fd_input ? Errno::badf : Errno::spipe);
}

// --- position -----------------------------------------------------------------------------------

Errno fd_seek(Run& run, Fd fd, std::int64_t delta, std::uint32_t whence, Address position_out) {
    StandardStream* stream = stream_of(run, fd);
    if (stream == nullptr || fd != fd_input) {
        return stream == nullptr ? Errno::badf : Errno::spipe;
    }
    constexpr std::uint32_t from_start = 0;
    constexpr std::uint32_t from_position = 1;
    constexpr std::uint32_t from_end = 2;
    if (whence > from_end) {
        return Errno::inval;
    }
    const std::uint64_t base = whence == from_start      ? 0
                               : whence == from_position ? stream->position
                                                         : run.event_size();
    // Both are below 2^63, so the sum is right as a signed number or overflows visibly.
    std::int64_t position = 0;
    if (base > offset_max ||
        __builtin_add_overflow(static_cast<std::int64_t>(base), delta, &position) || position < 0) {
        return Errno::inval;
    }
    if (!run.memory.store(position_out, static_cast<std::uint64_t>(position))) {
        return Errno::fault;
    }
    stream->position = static_cast<std::uint64_t>(position);
    return Errno::success;
}

Errno fd_tell(Run& run, Fd fd, Address position_out) {
    return fd_seek(run, fd, 0, 1, position_out);
}

// --- what a descriptor is -----------------------------------------------------------------------

// `fdstat`: type at 0, flags at 2, rights at 8, rights handed on at 16; 24 bytes.
Errno fd_fdstat_get(Run& run, Fd fd, Address out) {
    if (stream_of(run, fd) == nullptr) {
        return Errno::badf;
    }
    const bool input = fd == fd_input;
    const std::uint64_t rights =
        input ? right_read | right_seek | right_tell | right_filestat | right_poll
              : right_write | right_filestat | right_poll;
    const std::uint64_t at = out;
    const bool stored =
        run.memory.slice(at, 24).has_value() &&
        run.memory.store(at, std::uint64_t{input ? filetype_regular : filetype_unknown}) &&
        run.memory.store(at + 2, static_cast<std::uint16_t>(input ? 0 : fdflag_append)) &&
        run.memory.store(at + 8, rights) && run.memory.store(at + 16, std::uint64_t{0});
    return stored ? Errno::success : Errno::fault;
}

// `filestat`: device 0, inode 8, type 16, links 24, size 32, three times 40 to 63; 64 bytes.
Errno fd_filestat_get(Run& run, Fd fd, Address out) {
    if (stream_of(run, fd) == nullptr) {
        return Errno::badf;
    }
    const auto place = run.memory.slice(out, 64);
    if (!place) {
        return Errno::fault;
    }
    std::fill(place->begin(), place->end(), std::uint8_t{0});
    (*place)[16] = fd == fd_input ? filetype_regular : filetype_unknown;
    const std::uint64_t at = out;
    const bool stored = run.memory.store(at + 8, std::uint64_t{fd} + 1) &&
                        run.memory.store(at + 24, std::uint64_t{1}) &&
                        run.memory.store(at + 32, fd == fd_input ? run.event_size() : 0);
    return stored ? Errno::success : Errno::fault;
}

Errno fd_close(Run& run, Fd fd) {
    StandardStream* stream = stream_of(run, fd);
    if (stream == nullptr) {
        return Errno::badf;
    }
    stream->open = false;
    return Errno::success;
}

// Nothing is preopened: this is how a C library finds the end of the list.
Errno fd_prestat_get(Run& /*run*/, Fd, Address) { return Errno::badf; }

Errno fd_prestat_dir_name(Run& /*run*/, Fd, Address, Size) { return Errno::badf; }

// --- what standard streams cannot do ------------------------------------------------------------

Errno fd_sync(Run& run, Fd fd) { return known(run, fd, Errno::success); }

Errno fd_advise(Run& run, Fd fd, std::uint64_t, std::uint64_t, std::uint32_t) {
    return known(run, fd, fd == fd_input ? Errno::success : Errno::spipe);
}

Errno fd_allocate(Run& run, Fd fd, std::uint64_t, std::uint64_t) {
    return known(run, fd, Errno::notsup);
}

Errno fd_fdstat_set_flags(Run& run, Fd fd, std::uint32_t) { return known(run, fd, Errno::notsup); }

Errno fd_fdstat_set_rights(Run& run, Fd fd, std::uint64_t, std::uint64_t) {
    return known(run, fd, Errno::notsup);
}

Errno fd_filestat_set_size(Run& run, Fd fd, std::uint64_t) { return known(run, fd, Errno::perm); }

Errno fd_filestat_set_times(Run& run, Fd fd, std::uint64_t, std::uint64_t, std::uint32_t) {
    return known(run, fd, Errno::perm);
}

Errno fd_readdir(Run& run, Fd fd, Address, Size, std::uint64_t, Address) {
    return known(run, fd, Errno::notcapable);
}

Errno fd_renumber(Run& run, Fd from, Fd to) {
    return known(run, from, known(run, to, Errno::notsup));
}

} // namespace

Result<void> define_fd(wasmtime_linker_t* linker) {
    TRY(define<&fd_advise>(linker, module_name, "fd_advise"));
    TRY(define<&fd_allocate>(linker, module_name, "fd_allocate"));
    TRY(define<&fd_close>(linker, module_name, "fd_close"));
    TRY(define<&fd_sync>(linker, module_name, "fd_datasync"));
    TRY(define<&fd_fdstat_get>(linker, module_name, "fd_fdstat_get"));
    TRY(define<&fd_fdstat_set_flags>(linker, module_name, "fd_fdstat_set_flags"));
    TRY(define<&fd_fdstat_set_rights>(linker, module_name, "fd_fdstat_set_rights"));
    TRY(define<&fd_filestat_get>(linker, module_name, "fd_filestat_get"));
    TRY(define<&fd_filestat_set_size>(linker, module_name, "fd_filestat_set_size"));
    TRY(define<&fd_filestat_set_times>(linker, module_name, "fd_filestat_set_times"));
    TRY(define<&fd_pread>(linker, module_name, "fd_pread"));
    TRY(define<&fd_prestat_get>(linker, module_name, "fd_prestat_get"));
    TRY(define<&fd_prestat_dir_name>(linker, module_name, "fd_prestat_dir_name"));
    TRY(define<&fd_pwrite>(linker, module_name, "fd_pwrite"));
    TRY(define<&fd_read>(linker, module_name, "fd_read"));
    TRY(define<&fd_readdir>(linker, module_name, "fd_readdir"));
    TRY(define<&fd_renumber>(linker, module_name, "fd_renumber"));
    TRY(define<&fd_seek>(linker, module_name, "fd_seek"));
    TRY(define<&fd_sync>(linker, module_name, "fd_sync"));
    TRY(define<&fd_tell>(linker, module_name, "fd_tell"));
    TRY(define<&fd_write>(linker, module_name, "fd_write"));
    return {};
}

} // namespace ic::executor::wasm::wasi
