//! One static library for all that comes from Rust. The first line keeps every symbol of Wasmtime's
//! C API; below are the few calls that the C API does not have.

pub use wasmtime_c_api;

use std::fs::File;
use std::os::fd::FromRawFd;
use wasmtime::{Engine, Module, StoreContextMut, StoreLimitsBuilder};
use wasmtime_c_api::{WasmtimeStoreData, wasm_engine_t, wasmtime_error_t};

/// Like `wasmtime_store_limiter`, which must have been called on the store before, but a growth
/// beyond a limit traps ("forcing trap when growing ...") where the C API makes the guest see -1:
/// so a guest that hits its limit ends with that limit's name.
#[unsafe(no_mangle)]
pub extern "C" fn ic_store_limits_trap(
    mut store: StoreContextMut<'_, WasmtimeStoreData>,
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    tables_max: usize,
    memories_max: usize,
) {
    store.data_mut().store_limits = StoreLimitsBuilder::new()
        .memory_size(memory_bytes_max)
        .table_elements(table_elements_max)
        .instances(instances_max)
        .tables(tables_max)
        .memories(memories_max)
        .trap_on_grow_failure(true)
        .build();
}

/// A module from the artifact that `fd` holds, mapped from that very descriptor, no path needed.
/// Takes the descriptor over, also on failure.
///
/// # Safety
/// The bytes are machine code: the caller has authenticated them, and nobody can change them any
/// more (a sealed memfd). `out` receives a module that `wasmtime_module_delete` frees.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ic_module_deserialize_fd(
    engine: &wasm_engine_t,
    fd: i32,
    out: &mut *mut wasmtime_c_api::wasmtime_module_t,
) -> Option<Box<wasmtime_error_t>> {
    let file = unsafe { File::from_raw_fd(fd) };
    let engine: &Engine = engine_of(engine);
    match unsafe { Module::deserialize_open_file(engine, file) } {
        Ok(module) => {
            *out = Box::into_raw(Box::new(module)).cast();
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

// The C API hands a module out as a box of a one-field struct around it; so do we.
const _: () = assert!(size_of::<wasmtime_c_api::wasmtime_module_t>() == size_of::<Module>());
const _: () = assert!(size_of::<wasm_engine_t>() == size_of::<Engine>());

/// `wasm_engine_t` is `#[repr(C)] struct { engine: Engine }` with a private field.
fn engine_of(engine: &wasm_engine_t) -> &Engine {
    unsafe { &*std::ptr::from_ref(engine).cast::<Engine>() }
}
