#pragma once
/// Owners for the objects of Wasmtime's C API, and the calls that native/src/lib.rs adds to it.

#include <wasmtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

extern "C" {
/// native/src/lib.rs: in place of wasmtime_store_limiter; growth beyond one of these limits traps,
/// growth beyond the module's own maximum gives the guest -1. With `memory_bytes`, which outlives
/// the store, the limit of memory is one of the sum of all memories, and the sum is kept there.
void ic_store_limits_trap(wasmtime_store_t* store,
                          std::size_t memory_bytes_max,
                          std::size_t table_elements_max,
                          std::size_t instances_max,
                          std::size_t tables_max,
                          std::size_t memories_max,
                          std::size_t* memory_bytes);

/// native/src/lib.rs: a module from the artifact in `fd`, which it closes in any case.
wasmtime_error_t* ic_module_deserialize_fd(wasm_engine_t* engine, int fd, wasmtime_module_t** out);

/// native/src/lib.rs: backtraces with source lines; errors that bring what `ic_coredump` writes.
void ic_config_backtraces(wasm_config_t* config);
void ic_config_coredumps(wasm_config_t* config);

/// native/src/lib.rs: one function on the stack of a guest; texts without an end mark.
struct ic_frame_t {
    const char* function;
    std::size_t function_bytes;
    const char* file;
    std::size_t file_bytes;
    std::uint32_t line;   // 0: not known.
    std::uint32_t column; // 0: not known.
    std::uint32_t index;  // Of the function.
    bool inlined;
    std::uint64_t module_offset; // UINT64_MAX: not known.
    const std::uint8_t* module;  // Where the image of its module starts.
};

/// native/src/lib.rs: the innermost functions of the stack that a trap or error came from.
void ic_frames(const wasm_trap_t* trap,
               const wasmtime_error_t* error,
               std::size_t frames_max,
               void (*sink)(void* data, const ic_frame_t* frame),
               void* data);

/// native/src/lib.rs: a core dump of the guest in `store`, in one call of `sink`. Whether there is
/// one.
bool ic_coredump(wasmtime_store_t* store,
                 const wasm_trap_t* trap,
                 const wasmtime_error_t* error,
                 const char* name,
                 std::size_t name_bytes,
                 void (*sink)(void* data, const std::uint8_t* bytes, std::size_t size),
                 void* data);
}

namespace ic::executor::wasm {

/// Calls a C function as a unique_ptr's deleter.
template <auto Delete>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Delete(object);
    }
};

using EngineHandle = std::unique_ptr<wasm_engine_t, Deleter<&wasm_engine_delete>>;
using LinkerHandle = std::unique_ptr<wasmtime_linker_t, Deleter<&wasmtime_linker_delete>>;
using StoreHandle = std::unique_ptr<wasmtime_store_t, Deleter<&wasmtime_store_delete>>;
using ModuleHandle = std::unique_ptr<wasmtime_module_t, Deleter<&wasmtime_module_delete>>;
using InstancePreHandle =
    std::unique_ptr<wasmtime_instance_pre_t, Deleter<&wasmtime_instance_pre_delete>>;
using ErrorHandle = std::unique_ptr<wasmtime_error_t, Deleter<&wasmtime_error_delete>>;
using TrapHandle = std::unique_ptr<wasm_trap_t, Deleter<&wasm_trap_delete>>;
using FunctionTypeHandle = std::unique_ptr<wasm_functype_t, Deleter<&wasm_functype_delete>>;

/// Text that Wasmtime owns, copied; its end mark, where it has one, is left out.
inline std::string string_of(const wasm_byte_vec_t& bytes) {
    std::string text(bytes.data, bytes.size);
    if (!text.empty() && text.back() == '\0') {
        text.pop_back();
    }
    return text;
}

inline std::string message_of(const wasmtime_error_t& error) {
    wasm_byte_vec_t bytes;
    wasmtime_error_message(&error, &bytes);
    std::string text = string_of(bytes);
    wasm_byte_vec_delete(&bytes);
    return text;
}

inline std::string message_of(const wasm_trap_t& trap) {
    wasm_byte_vec_t bytes;
    wasm_trap_message(&trap, &bytes);
    std::string text = string_of(bytes);
    wasm_byte_vec_delete(&bytes);
    return text;
}

} // namespace ic::executor::wasm
