//! What a guest of ipfs-compute can call: read files and folders of IPFS, add files, log, and send
//! HTTP requests where the job allows it. No dependencies.
//!
//! ```no_run
//! use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
//! for entry in ipfs_compute::ls(folder)? {
//!     let entry = entry?;
//!     let mut text = String::new();
//!     ipfs_compute::File::open(&entry.cid)?.read_to_string(&mut text)?;
//!     ipfs_compute::log!("{} has {} bytes", entry.name, text.len());
//! }
//! let mut report = ipfs_compute::AddWriter::new()?;
//! writeln!(report, "done")?;
//! println!("{}", report.finish()?);
//! # Ok(())
//! # }
//! ```
#![allow(clippy::needless_doctest_main)]

mod json;

pub use json::quoted;

use json::Json;
use std::fmt;
use std::io::{self, Read, Write};

/// The host functions as they are (docs/formats/abi.md): a negative answer is a negated error.
mod host {
    #[allow(clashing_extern_declarations)]
    #[cfg_attr(target_family = "wasm", link(wasm_import_module = "ipfs_compute"))]
    extern "C" {
        pub fn ipfsComputeAbiVersion() -> i64;
        pub fn ipfsComputeLog(text: *const u8, size: usize) -> i64;
        pub fn ipfsComputeGet(path: *const u8, size: usize) -> i64;
        pub fn ipfsComputeLs(path: *const u8, size: usize) -> i64;
        pub fn ipfsComputeAdd(data: *const u8, size: usize) -> i64;
        pub fn ipfsComputeCurl(request: *const u8, size: usize) -> i64;
        pub fn ipfsComputeRead(handle: i64, out: *mut u8, capacity: usize) -> i64;
        pub fn ipfsComputeReadAt(handle: i64, offset: i64, out: *mut u8, capacity: usize) -> i64;
        pub fn ipfsComputeClose(handle: i64) -> i64;
        pub fn ipfsComputeAddOpen() -> i64;
        pub fn ipfsComputeWrite(handle: i64, data: *const u8, size: usize) -> i64;
        pub fn ipfsComputeAddFinish(handle: i64) -> i64;
    }
}

/// Why a host function did not do it. A block that cannot be had is none of these: it ends the run,
/// which is then tried elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An argument makes no sense.
    Invalid,
    /// Bytes outside of the guest's memory.
    BadPointer,
    /// No such handle is open, or it is not for this.
    BadHandle,
    /// The path leads nowhere.
    NotFound,
    /// The path leads to something else than a file.
    NotAFile,
    /// The path leads to something else than a directory.
    NotADirectory,
    /// Well-formed, but not something this host does.
    Unsupported,
    /// Beyond a stated limit.
    TooLarge,
    /// The job or the worker does not allow it.
    Refused,
    /// The network did not do it.
    Network,
    /// Content is not what its type says it is.
    Malformed,
    /// A number that this version of the library does not know.
    Other(i64),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn of(number: i64) -> Error {
        match number {
            1 => Error::Invalid,
            2 => Error::BadPointer,
            3 => Error::BadHandle,
            4 => Error::NotFound,
            5 => Error::NotAFile,
            6 => Error::NotADirectory,
            7 => Error::Unsupported,
            8 => Error::TooLarge,
            9 => Error::Refused,
            10 => Error::Network,
            11 => Error::Malformed,
            other => Error::Other(other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid => out.write_str("an argument makes no sense"),
            Error::BadPointer => out.write_str("bytes outside of the guest's memory"),
            Error::BadHandle => out.write_str("no such handle is open, or it is not for this"),
            Error::NotFound => out.write_str("the path leads nowhere"),
            Error::NotAFile => out.write_str("not a file"),
            Error::NotADirectory => out.write_str("not a directory"),
            Error::Unsupported => out.write_str("not something this host does"),
            Error::TooLarge => out.write_str("beyond a limit of the host"),
            Error::Refused => out.write_str("the job or the worker does not allow it"),
            Error::Network => out.write_str("the network did not do it"),
            Error::Malformed => out.write_str("content is not what its type says it is"),
            Error::Other(number) => write!(out, "error {number} of the host"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error {
            Error::NotFound => io::ErrorKind::NotFound,
            Error::Refused => io::ErrorKind::PermissionDenied,
            Error::Unsupported => io::ErrorKind::Unsupported,
            Error::Malformed => io::ErrorKind::InvalidData,
            Error::Invalid => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

fn answer(number: i64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::of(number.wrapping_neg()))
}

/// A handle of the host, closed when it goes.
#[derive(Debug)]
struct Handle(i64);

impl Handle {
    fn of(number: i64) -> Result<Handle> {
        if number < 0 {
            return Err(Error::of(number.wrapping_neg()));
        }
        Ok(Handle(number))
    }

    fn read(&self, out: &mut [u8]) -> Result<usize> {
        // SAFETY: the host writes at most `out.len()` bytes from its start.
        answer(unsafe { host::ipfsComputeRead(self.0, out.as_mut_ptr(), out.len()) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: takes no pointer.
        unsafe { host::ipfsComputeClose(self.0) };
    }
}

impl Read for Handle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(Handle::read(self, out)?)
    }
}

/// What this host offers; this library needs 1.
pub fn abi_version() -> i64 {
    // SAFETY: takes nothing.
    unsafe { host::ipfsComputeAbiVersion() }
}

/// One line on the worker's log and in the job's log; see also [`log!`].
pub fn log(text: &str) {
    // SAFETY: the host reads `text` during the call. It has no answer that a guest could use: a log
    // beyond its limit ends the run.
    unsafe { host::ipfsComputeLog(text.as_ptr(), text.len()) };
}

/// [`log()`] with the arguments of `format!`.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => { $crate::log(&::std::format!($($argument)*)) };
}

/// The event: what the submitter sent along, from standard input.
pub fn event() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file of IPFS, open for reading; fetched as it is read and verified block by block.
#[derive(Debug)]
pub struct File(Handle);

impl File {
    /// Opens the file at `path`: a CID, or one with names behind it (`bafy.../folder/file`).
    pub fn open(path: &str) -> Result<File> {
        // SAFETY: the host reads `path` during the call.
        Ok(File(Handle::of(unsafe { host::ipfsComputeGet(path.as_ptr(), path.len()) })?))
    }

    /// Reads from `offset` on, wherever [`Read`] stands. Bytes read; 0 at the end of the file.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let offset = i64::try_from(offset).map_err(|_| Error::Invalid)?;
        // SAFETY: the host writes at most `out.len()` bytes from its start.
        answer(unsafe { host::ipfsComputeReadAt(self.0 .0, offset, out.as_mut_ptr(), out.len()) })
    }
}

impl Read for File {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(out)?)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
    Unknown,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes that are not UTF-8 stand as U+FFFD; `raw_name` has them.
    pub name: String,
    pub raw_name: Vec<u8>,
    pub cid: String,
    pub kind: EntryKind,
    /// Of a file, its bytes.
    pub size: u64,
}

/// The entries of a directory, in its order.
#[derive(Debug)]
pub struct Listing {
    lines: io::BufReader<Handle>,
}

/// Lists the directory at `path`, which is as in [`File::open`].
pub fn ls(path: &str) -> Result<Listing> {
    // SAFETY: the host reads `path` during the call.
    let handle = Handle::of(unsafe { host::ipfsComputeLs(path.as_ptr(), path.len()) })?;
    Ok(Listing { lines: io::BufReader::new(handle) })
}

impl Iterator for Listing {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        let line = match read_line(&mut self.lines) {
            Ok(line) if line.is_empty() => return None,
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        Some(entry_of(&line).ok_or(Error::Malformed))
    }
}

fn read_line(from: &mut impl io::BufRead) -> Result<String> {
    let mut line = String::new();
    from.read_line(&mut line).map_err(|error| match error.get_ref() {
        Some(inner) => inner.downcast_ref().copied().unwrap_or(Error::Malformed),
        None => Error::Malformed,
    })?;
    Ok(line)
}

fn entry_of(line: &str) -> Option<Entry> {
    let json = Json::parse(line)?;
    let name = json.text("name")?.to_string();
    let raw_name = match json.text("nameHex") {
        Some(hex) => (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>()?,
        None => name.clone().into_bytes(),
    };
    let kind = match json.text("type")? {
        "file" => EntryKind::File,
        "directory" => EntryKind::Directory,
        "symlink" => EntryKind::Symlink,
        _ => EntryKind::Unknown,
    };
    let cid = json.text("cid")?.to_string();
    Some(Entry { name, raw_name, cid, kind, size: json.number("size")? })
}

fn cid_from(handle: Handle) -> Result<String> {
    let mut text = [0; 256];
    let mut size = 0;
    loop {
        match handle.read(&mut text[size..])? {
            0 => break,
            count => size += count,
        }
    }
    let text = std::str::from_utf8(&text[..size]).map_err(|_| Error::Malformed)?;
    Ok(text.to_string())
}

/// Adds `bytes` as a file; its CID.
pub fn add(bytes: &[u8]) -> Result<String> {
    // SAFETY: the host reads `bytes` during the call.
    cid_from(Handle::of(unsafe { host::ipfsComputeAdd(bytes.as_ptr(), bytes.len()) })?)
}

/// Adds a file piece by piece. Collects small writes, since each call of the host costs; dropped
/// without [`AddWriter::finish`] it adds nothing.
#[derive(Debug)]
pub struct AddWriter {
    handle: Handle,
    waiting: Vec<u8>,
}

const ADD_PIECE_BYTES: usize = 256 * 1024;

impl AddWriter {
    pub fn new() -> Result<AddWriter> {
        // SAFETY: takes nothing.
        let handle = Handle::of(unsafe { host::ipfsComputeAddOpen() })?;
        Ok(AddWriter { handle, waiting: Vec::new() })
    }

    /// Ends the file; its CID.
    pub fn finish(mut self) -> Result<String> {
        self.send()?;
        let AddWriter { handle, .. } = self;
        // SAFETY: takes no pointer.
        let read_back = unsafe { host::ipfsComputeAddFinish(handle.0) };
        if read_back >= 0 {
            std::mem::forget(handle); // The host has taken its number back.
        }
        cid_from(Handle::of(read_back)?)
    }

    fn send(&mut self) -> Result<()> {
        let mut rest = &self.waiting[..];
        while !rest.is_empty() {
            // SAFETY: the host reads `rest` during the call.
            let sent = answer(unsafe {
                host::ipfsComputeWrite(self.handle.0, rest.as_ptr(), rest.len())
            })?;
            rest = &rest[sent..];
        }
        self.waiting.clear();
        Ok(())
    }
}

impl Write for AddWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= ADD_PIECE_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.send()?)
    }
}

/// An HTTP request. Hosts that neither the job nor the worker allows are [`Error::Refused`], and so
/// is every request of a pure job.
///
/// ```no_run
/// use std::io::Read;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut answer = ipfs_compute::Request::post("https://example.org/count")
///     .header("Content-Type", "text/plain")
///     .body("17")
///     .send()?;
/// let mut text = String::new();
/// answer.body.read_to_string(&mut text)?;
/// ipfs_compute::log!("{} {}", answer.status, text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    pub fn new(method: &str, url: &str) -> Request {
        let (method, url) = (method.to_string(), url.to_string());
        Request { method, url, headers: Vec::new(), body: String::new() }
    }

    pub fn get(url: &str) -> Request {
        Request::new("GET", url)
    }

    pub fn post(url: &str) -> Request {
        Request::new("POST", url)
    }

    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    pub fn body(mut self, body: &str) -> Request {
        self.body = body.to_string();
        self
    }

    /// Sends it; back when the head of the answer is here.
    pub fn send(&self) -> Result<Response> {
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)))
            .collect();
        let request = format!(
            "{{\"method\":{},\"url\":{},\"headers\":{{{}}},\"body\":{}}}",
            quoted(&self.method),
            quoted(&self.url),
            headers.join(","),
            quoted(&self.body)
        );
        // SAFETY: the host reads `request` during the call.
        let number = unsafe { host::ipfsComputeCurl(request.as_ptr(), request.len()) };
        let mut body = io::BufReader::new(Handle::of(number)?);
        let head = Json::parse(&read_line(&mut body)?).ok_or(Error::Malformed)?;
        let status = head.number("status").ok_or(Error::Malformed)?;
        Ok(Response {
            status: u16::try_from(status).map_err(|_| Error::Malformed)?,
            url: head.text("url").unwrap_or(&self.url).to_string(),
            headers: head.pairs("headers"),
            body: Body(body),
        })
    }
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Where the answer came from, after redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of a [`Response`], read as it comes.
#[derive(Debug)]
pub struct Body(io::BufReader<Handle>);

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}
