// Guests that give host functions addresses, lengths, handles and numbers that make no sense. The
// value that comes back is what they were told.

#include "executor/wasm/host_errors.h"
#include "hostile/guests.h"

namespace ic::hostile {
namespace {

using executor::wasm::HostError;

// errno of WASI preview 1.
constexpr std::int64_t badf = 8;
constexpr std::int64_t fault = 21;
constexpr std::int64_t inval = 28;
constexpr std::int64_t notsup = 58;
constexpr std::int64_t notcapable = 76;

/// `call` gives an i64.
Guest told(std::string name, HostError error, std::string call) {
    return {.name = std::move(name),
            .module = [call = std::move(call)](Host&) { return guest("(result i64)" + call); },
            .value = executor::wasm::negative(error)};
}

/// `call` gives an errno.
Guest errno_of(std::string name, std::int64_t number, std::string call) {
    return {.name = std::move(name),
            .module = [call = std::move(call)](Host&) { return guest("(result i32)" + call); },
            .value = number};
}

std::vector<Guest> of_ours() {
    const std::string beyond = "(i32.const 65530) (i32.const 7))";
    const std::string wraps = "(i32.const 0xfffffff0) (i32.const 0x20))";
    const std::string negative = "(i32.const 1) (i32.const -1))";
    const std::string added = "(local $h i64) (local.set $h (call $add (i32.const 0)"
                              "(i32.const 4)))";
    Guest at_the_end{
        .name = "AnEmptyLogLineAtTheEndOfMemory",
        .module =
            [](Host&) { return guest("(result i64) (call $log (i32.const 65536) (i32.const 0))"); },
        .value = 0};
    return {
        told("LogBeyondTheEnd", HostError::bad_pointer, "(call $log " + beyond),
        told("LogThatWraps", HostError::bad_pointer, "(call $log " + wraps),
        told("LogOfANegativeLength", HostError::bad_pointer, "(call $log " + negative),
        told("LogBehindTheEnd",
             HostError::bad_pointer,
             "(call $log (i32.const 65537) (i32.const 0))"),
        at_the_end,
        told("GetBeyondTheEnd", HostError::bad_pointer, "(call $get " + beyond),
        told("GetThatWraps", HostError::bad_pointer, "(call $get " + wraps),
        told("LsBeyondTheEnd", HostError::bad_pointer, "(call $ls " + beyond),
        told("AddBeyondTheEnd", HostError::bad_pointer, "(call $add " + beyond),
        told("AddThatWraps", HostError::bad_pointer, "(call $add " + wraps),
        told("CurlBeyondTheEnd", HostError::bad_pointer, "(call $curl " + beyond),
        told("ReadBeyondTheEnd",
             HostError::bad_pointer,
             added + "(call $read (local.get $h) " + beyond),
        told(
            "ReadThatWraps", HostError::bad_pointer, added + "(call $read (local.get $h) " + wraps),
        told("ReadOfANegativeLength",
             HostError::bad_pointer,
             added + "(call $read (local.get $h) " + negative),
        told("ReadAtANegativeOffset",
             HostError::invalid,
             added + "(call $read_at (local.get $h) (i64.const -1) (i32.const 0) (i32.const 9))"),
        told("WriteBeyondTheEnd",
             HostError::bad_pointer,
             "(local $h i64) (local.set $h (call $add_open)) (call $write (local.get $h) " +
                 beyond),
        told("CloseTwice",
             HostError::bad_handle,
             added + "(drop (call $close (local.get $h))) (call $close (local.get $h))"),
        told("ReadAfterClose",
             HostError::bad_handle,
             added + "(drop (call $close (local.get $h)))"
                     "(call $read (local.get $h) (i32.const 0) (i32.const 9))"),
        told("FinishTwice",
             HostError::bad_handle,
             "(local $h i64) (local.set $h (call $add_open))"
             "(drop (call $add_finish (local.get $h))) (call $add_finish (local.get $h))"),
        told("WriteToWhatIsRead",
             HostError::bad_handle,
             added + "(call $write (local.get $h) (i32.const 0) (i32.const 4))"),
        told("ReadOfWhatIsWritten",
             HostError::bad_handle,
             "(call $read (call $add_open) (i32.const 0) (i32.const 4))"),
        told("AHandleThatWasNeverOpen",
             HostError::bad_handle,
             "(call $read (i64.const 1) (i32.const 0) (i32.const 4))"),
        told("AHandleOfANegativeNumber",
             HostError::bad_handle,
             "(call $close (i64.const 0x8000000000000000))"),
        told("AHandleOfAnErrorNumber",
             HostError::bad_handle,
             "(call $read (call $get (i32.const 0) (i32.const 9)) (i32.const 0) (i32.const 9))"),
    };
}

std::vector<Guest> of_wasi() {
    return {
        errno_of("ArgumentsBeyondTheEnd", fault, "(call $args (i32.const 65535) (i32.const 0))"),
        errno_of("ArgumentsThatWrap", fault, "(call $args (i32.const -4) (i32.const -4))"),
        errno_of("SizesOfArgumentsBeyondTheEnd",
                 fault,
                 "(call $args_sizes (i32.const 65533) (i32.const 0))"),
        errno_of("NumberlessPolls",
                 inval,
                 "(call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"),
        errno_of("CountlessPolls",
                 inval,
                 "(call $poll (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))"),
        errno_of("PollsBeyondTheEnd",
                 fault,
                 "(call $poll (i32.const 65500) (i32.const 0) (i32.const 1) (i32.const 0))"),
        errno_of("PollsThatWrap",
                 fault,
                 "(call $poll (i32.const -48) (i32.const 0) (i32.const 2) (i32.const 0))"),
        errno_of(
            "AClockThatIsNone", inval, "(call $clock (i32.const 99) (i64.const 0) (i32.const 0))"),
        errno_of("AClockBeyondTheEnd",
                 fault,
                 "(call $clock (i32.const 0) (i64.const 0) (i32.const 65529))"),
        errno_of("RandomnessBeyondTheEnd", fault, "(call $random (i32.const 0) (i32.const 65537))"),
        errno_of("HugeRandomness", fault, "(call $random (i32.const 1) (i32.const -1))"),
        errno_of("CountlessBuffers",
                 inval,
                 "(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8))"),
        errno_of("BuffersBeyondTheEnd",
                 fault,
                 "(call $fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 8))"),
        errno_of("ABufferThatWraps",
                 fault,
                 "(i64.store (i32.const 0) (i64.const 0x20fffffff0))"
                 "(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))"),
        errno_of("AReadIntoABufferThatWraps",
                 fault,
                 "(i64.store (i32.const 0) (i64.const 0x20fffffff0))"
                 "(call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))"),
        errno_of("AReadAtAnOffsetThatIsNone",
                 inval,
                 "(call $fd_pread (i32.const 0) (i32.const 0) (i32.const 1) (i64.const -1)"
                 "(i32.const 8))"),
        errno_of("ASeekThatOverflows",
                 inval,
                 "(call $fd_seek (i32.const 0) (i64.const 0x8000000000000000) (i32.const 1)"
                 "(i32.const 0))"),
        errno_of("ADescriptorOfTheHost",
                 badf,
                 "(call $fd_write (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 8))"),
        errno_of("ADescriptorThatIsClosed",
                 badf,
                 "(drop (call $fd_close (i32.const 1)))"
                 "(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))"),
        errno_of("ADescriptorOfANegativeNumber",
                 badf,
                 "(call $fd_fdstat_get (i32.const -1) (i32.const 0))"),
        errno_of("AFolderThatIsOpen", badf, "(call $fd_prestat_get (i32.const 3) (i32.const 0))"),
        errno_of("AFileOfTheHost",
                 badf,
                 "(call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0)"
                 "(i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 0))"),
        errno_of("AFileBelowStandardInput",
                 notcapable,
                 "(call $path_open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)"
                 "(i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 0))"),
        errno_of("ASocket",
                 notsup,
                 "(call $sock_send (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0)"
                 "(i32.const 0))"),
        errno_of("ASignal", notsup, "(call $proc_raise (i32.const 9))"),
    };
}

} // namespace

std::vector<Guest> guests_of_pointers() {
    std::vector<Guest> all = of_ours();
    const std::vector<Guest> more = of_wasi();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace ic::hostile
