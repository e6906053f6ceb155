//! One static library for all that comes from Rust. The first line keeps every symbol of Wasmtime's
//! C API; below are the few calls that the C API does not have, and BLAKE3.

pub use wasmtime_c_api;

mod hash; // A module of its own is an object of its own: who hashes need not link Wasmtime.

use std::fs::File;
use std::os::fd::FromRawFd;
use wasmtime::{Engine, Module, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_c_api::{WasmtimeStoreData, wasm_engine_t, wasmtime_error_t, wasmtime_store_t};

/// The limits of a job. Growth beyond one of them traps, so that the run ends with its name; growth
/// beyond what the module itself declared as its maximum gives the guest -1, as WebAssembly says
/// (core specification 2.0, 4.4.7 `memory.grow`, 4.4.6 `table.grow`).
#[repr(transparent)]
struct JobLimits(StoreLimits); // Made with trap_on_grow_failure.

impl ResourceLimiter for JobLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match maximum {
            Some(own) if desired > own && self.0.memory_growing(current, own, None).is_ok() => {
                Ok(false)
            }
            _ => self.0.memory_growing(current, desired, None),
        }
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.0.memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match maximum {
            Some(own) if desired > own && self.0.table_growing(current, own, None).is_ok() => {
                Ok(false)
            }
            _ => self.0.table_growing(current, desired, None),
        }
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.0.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.0.instances()
    }

    fn tables(&self) -> usize {
        self.0.tables()
    }

    fn memories(&self) -> usize {
        self.0.memories()
    }
}

/// In place of `wasmtime_store_limiter`, which lets the guest see -1 at any limit.
#[unsafe(no_mangle)]
pub extern "C" fn ic_store_limits_trap(
    store: &mut wasmtime_store_t,
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    tables_max: usize,
    memories_max: usize,
) {
    let store = store_of(store);
    store.data_mut().store_limits = StoreLimitsBuilder::new()
        .memory_size(memory_bytes_max)
        .table_elements(table_elements_max)
        .instances(instances_max)
        .tables(tables_max)
        .memories(memories_max)
        .trap_on_grow_failure(true)
        .build();
    store.limiter(|data| {
        let limits: *mut JobLimits = (&raw mut data.store_limits).cast();
        unsafe { &mut *limits } // The same bytes: JobLimits is transparent.
    });
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
const _: () = assert!(size_of::<wasmtime_store_t>() == size_of::<Store<WasmtimeStoreData>>());

/// `wasm_engine_t` is `#[repr(C)] struct { engine: Engine }` with a private field.
fn engine_of(engine: &wasm_engine_t) -> &Engine {
    unsafe { &*std::ptr::from_ref(engine).cast::<Engine>() }
}

/// `wasmtime_store_t` is `#[repr(C)] struct { store: Store<WasmtimeStoreData> }`, the field
/// private.
fn store_of(store: &mut wasmtime_store_t) -> &mut Store<WasmtimeStoreData> {
    unsafe { &mut *std::ptr::from_mut(store).cast::<Store<WasmtimeStoreData>>() }
}
