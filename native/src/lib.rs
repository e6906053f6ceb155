//! One static library for all that comes from Rust. The first line keeps every symbol of Wasmtime's
//! C API; below are the few calls that the C API does not have, and BLAKE3.

pub use wasmtime_c_api;

mod hash; // A module of its own is an object of its own: who hashes need not link Wasmtime.

use std::ffi::{c_char, c_void};
use std::fs::File;
use std::os::fd::FromRawFd;
use wasmtime::{
    Config, Engine, Error, Module, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder,
    WasmBacktrace, WasmBacktraceDetails, WasmCoreDump,
};
use wasmtime_c_api::{
    WasmtimeStoreData, wasm_config_t, wasm_engine_t, wasm_trap_t, wasmtime_error_t,
    wasmtime_store_t,
};

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

/// `JobLimits`, with its limit of memory for the sum of all memories of the store: Wasmtime's own
/// holds each memory to it alone.
struct JobLimitsOfSum {
    each: *mut JobLimits,
    memory_bytes_max: usize,
    memory_bytes: *mut usize, // The sum now; memories never shrink.
}

unsafe impl Send for JobLimitsOfSum {} // Used by the one thread that has the store.
unsafe impl Sync for JobLimitsOfSum {}

impl JobLimitsOfSum {
    fn each(&mut self) -> &mut JobLimits {
        unsafe { &mut *self.each }
    }
}

impl ResourceLimiter for JobLimitsOfSum {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if !self.each().memory_growing(current, desired, maximum)? {
            return Ok(false);
        }
        let sum = unsafe { *self.memory_bytes }.saturating_add(desired.saturating_sub(current));
        if sum > self.memory_bytes_max {
            // In the words of Wasmtime's own.
            return Err(wasmtime::Error::msg(format!(
                "forcing trap when growing memory to {sum} bytes in all modules"
            )));
        }
        unsafe { *self.memory_bytes = sum };
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.each().memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.each().table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.each().table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        unsafe { &*self.each }.instances()
    }

    fn tables(&self) -> usize {
        unsafe { &*self.each }.tables()
    }

    fn memories(&self) -> usize {
        unsafe { &*self.each }.memories()
    }
}

/// In place of `wasmtime_store_limiter`, which lets the guest see -1 at any limit. With
/// `memory_bytes` the limit of memory is one of the sum of all memories, which is counted there.
///
/// # Safety
/// `memory_bytes` is null, or outlives the store and is read by the store's thread alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ic_store_limits_trap(
    store: &mut wasmtime_store_t,
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    tables_max: usize,
    memories_max: usize,
    memory_bytes: *mut usize,
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
    if !memory_bytes.is_null() {
        let each = std::ptr::null_mut();
        let mut of_sum = JobLimitsOfSum { each, memory_bytes_max, memory_bytes };
        store.limiter(move |data| {
            of_sum.each = (&raw mut data.store_limits).cast();
            let limits: *mut JobLimitsOfSum = &raw mut of_sum;
            unsafe { &mut *limits } // Owned by this closure, which the store owns.
        });
        return;
    }
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

/// Backtraces with source lines where a module has DWARF, whatever the environment says. The
/// artifact then has the module's DWARF in it.
#[unsafe(no_mangle)]
pub extern "C" fn ic_config_backtraces(config: &mut wasm_config_t) {
    config_of(config).wasm_backtrace_details(WasmBacktraceDetails::Enable);
}

/// Every error that ends a guest brings what `ic_coredump` writes.
#[unsafe(no_mangle)]
pub extern "C" fn ic_config_coredumps(config: &mut wasm_config_t) {
    config_of(config).coredump_on_trap(true);
}

/// One function on the stack of a guest. Texts are not terminated; none is null with length 0.
#[repr(C)]
pub struct ic_frame_t {
    function: *const c_char, // Demangled, if it is Rust's or C++'s.
    function_bytes: usize,
    file: *const c_char,
    file_bytes: usize,
    line: u32,   // 0: not known.
    column: u32, // 0: not known.
    index: u32,  // Of the function.
    inlined: bool,
    module_offset: u64, // u64::MAX: not known.
    module: *const u8,  // Where the image of its module starts (wasmtime_module_image_range).
}

/// Calls `sink` for at most `frames_max` of the functions that were on the guest's stack, the
/// innermost first; functions that were inlined stand before the one they are in. One of `trap`
/// and `error` is given.
#[unsafe(no_mangle)]
pub extern "C" fn ic_frames(
    trap: Option<&wasm_trap_t>,
    error: Option<&wasmtime_error_t>,
    frames_max: usize,
    sink: extern "C" fn(*mut c_void, &ic_frame_t),
    data: *mut c_void,
) {
    let Some(error) = cause_of(trap, error) else { return };
    let core_dump = error.downcast_ref::<WasmCoreDump>();
    let (frames, names) = if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
        (trace.frames(), names_in(trace))
    } else if let Some(core_dump) = core_dump {
        (core_dump.frames(), None)
    } else {
        return;
    };
    let mut names = names.unwrap_or_default().into_iter();
    let mut left = frames_max;
    for frame in frames {
        let mut give = |name: &str, file: &str, line, column, inlined| {
            if left > 0 {
                left -= 1;
                sink(
                    data,
                    &ic_frame_t {
                        function: name.as_ptr().cast(),
                        function_bytes: name.len(),
                        file: file.as_ptr().cast(),
                        file_bytes: file.len(),
                        line,
                        column,
                        index: frame.func_index(),
                        inlined,
                        module_offset: frame.module_offset().map_or(u64::MAX, |at| at as u64),
                        module: frame.module().image_range().start,
                    },
                );
            }
        };
        let raw = frame.func_name().unwrap_or("");
        let symbols = frame.symbols();
        if symbols.is_empty() {
            give(names.next().as_deref().unwrap_or(raw), "", 0, 0, false);
        }
        for (i, symbol) in symbols.iter().enumerate() {
            let plain = symbol.name().unwrap_or(raw);
            give(
                names.next().as_deref().unwrap_or(plain),
                symbol.file().unwrap_or(""),
                symbol.line().unwrap_or(0),
                symbol.column().unwrap_or(0),
                i + 1 < symbols.len(),
            );
        }
    }
}

/// The demangled names of all frames, inlined ones too, in order. Wasmtime demangles only when it
/// prints, so they are taken from what it prints (trap.rs, `impl Display for WasmBacktrace`).
/// Nothing if that does not have the form it should, as with line ends in names.
fn names_in(trace: &WasmBacktrace) -> Option<Vec<String>> {
    let text = trace.to_string();
    let mut lines = text.lines().skip(1);
    let mut names = Vec::new();
    for (i, frame) in trace.frames().iter().enumerate() {
        let mut start = format!("  {i:>3}: ");
        if let Some(offset) = frame.module_offset() {
            start += &format!("{offset:#8x} - ");
        }
        if frame.symbols().is_empty() {
            start += frame.module().name().unwrap_or("<unknown>");
            start.push('!');
            names.push(lines.next()?.strip_prefix(&start)?.to_string());
        }
        for (j, symbol) in frame.symbols().iter().enumerate() {
            if j > 0 {
                start = " ".repeat(16) + "- ";
            }
            let mut line = lines.next()?;
            while line.is_empty() {
                line = lines.next()?; // Before an inlined function.
            }
            names.push(line.strip_prefix(&start)?.to_string());
            if symbol.file().is_some() && !lines.next()?.trim_start().starts_with("at ") {
                return None;
            }
        }
    }
    Some(names)
}

/// Writes the state of the guest that `trap` or `error` ended to `sink` as a core dump
/// (WebAssembly/tool-conventions, Coredump.md), whose executable is called `name`. Whether there
/// is one: only of an engine with `ic_config_coredumps`.
///
/// # Safety
/// `name` has `name_bytes` bytes of UTF-8. The guest ran in `store`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ic_coredump(
    store: &mut wasmtime_store_t,
    trap: Option<&wasm_trap_t>,
    error: Option<&wasmtime_error_t>,
    name: *const c_char,
    name_bytes: usize,
    sink: extern "C" fn(*mut c_void, *const u8, usize),
    data: *mut c_void,
) -> bool {
    let name = unsafe { std::slice::from_raw_parts(name.cast::<u8>(), name_bytes) };
    let core_dump = cause_of(trap, error).and_then(|error| error.downcast_ref::<WasmCoreDump>());
    let (Some(core_dump), Ok(name)) = (core_dump, std::str::from_utf8(name)) else { return false };
    let bytes = core_dump.serialize(store_of(store), name);
    sink(data, bytes.as_ptr(), bytes.len());
    true
}

// The C API hands a module out as a box of a one-field struct around it; so do we.
const _: () = assert!(size_of::<wasmtime_c_api::wasmtime_module_t>() == size_of::<Module>());
const _: () = assert!(size_of::<wasm_engine_t>() == size_of::<Engine>());
const _: () = assert!(size_of::<wasmtime_store_t>() == size_of::<Store<WasmtimeStoreData>>());

const _: () = assert!(size_of::<wasm_config_t>() == size_of::<Config>());
const _: () = assert!(size_of::<wasm_trap_t>() == size_of::<Error>());
const _: () = assert!(size_of::<wasmtime_error_t>() == size_of::<Error>());

/// `wasm_config_t`, `wasm_trap_t` and `wasmtime_error_t` are `#[repr(C)]` structs of one private
/// field: a `Config`, an `Error`, an `Error`.
fn config_of(config: &mut wasm_config_t) -> &mut Config {
    unsafe { &mut *std::ptr::from_mut(config).cast::<Config>() }
}

fn cause_of<'a>(
    trap: Option<&'a wasm_trap_t>,
    error: Option<&'a wasmtime_error_t>,
) -> Option<&'a Error> {
    let trap = trap.map(|trap| std::ptr::from_ref(trap).cast::<Error>());
    let error = error.map(|error| std::ptr::from_ref(error).cast::<Error>());
    trap.or(error).map(|cause| unsafe { &*cause })
}

/// `wasm_engine_t` is `#[repr(C)] struct { engine: Engine }` with a private field.
fn engine_of(engine: &wasm_engine_t) -> &Engine {
    unsafe { &*std::ptr::from_ref(engine).cast::<Engine>() }
}

/// `wasmtime_store_t` is `#[repr(C)] struct { store: Store<WasmtimeStoreData> }`, the field
/// private.
fn store_of(store: &mut wasmtime_store_t) -> &mut Store<WasmtimeStoreData> {
    unsafe { &mut *std::ptr::from_mut(store).cast::<Store<WasmtimeStoreData>>() }
}
