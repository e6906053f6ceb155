//! The library against host functions made up here: a folder with two files, one store of what was
//! added, and one web page.
#![allow(non_snake_case)]

use ipfs_compute::{AddWriter, EntryKind, Error, File, Request};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read, Write};

const LISTING: &str = concat!(
    r#"{"name":"a \"b\".txt","cid":"bafy-a","type":"file","size":5}"#,
    "\n",
    r#"{"name":"\ud83d\ude00","cid":"bafy-d","type":"directory","size":0}"#,
    "\n",
    r#"{"name":"�","nameHex":"ff","cid":"bafy-x","type":"file","size":18446744073709551615}"#,
    "\n"
);
const ANSWER: &str = concat!(
    r#"{"status":201,"headers":[["Via","one"],["Via","two"]],"url":"https://example.org/end"}"#,
    "\nbody\nof two lines"
);

#[derive(Default)]
struct Host {
    open: BTreeMap<i64, (Vec<u8>, usize)>,
    next: i64,
    log: Vec<String>,
    request: String,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

fn open(bytes: &[u8]) -> i64 {
    HOST.with_borrow_mut(|host| {
        host.next += 1;
        host.open.insert(host.next, (bytes.to_vec(), 0));
        host.next
    })
}

fn handles_open() -> usize {
    HOST.with_borrow(|host| host.open.len())
}

/// # Safety
/// As of every host function: `data` has `size` bytes.
unsafe fn text(data: *const u8, size: usize) -> String {
    String::from_utf8(std::slice::from_raw_parts(data, size).to_vec()).unwrap()
}

#[no_mangle]
extern "C" fn ipfsComputeAbiVersion() -> i64 {
    1
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeLog(data: *const u8, size: usize) -> i64 {
    HOST.with_borrow_mut(|host| host.log.push(text(data, size)));
    0
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeGet(data: *const u8, size: usize) -> i64 {
    match text(data, size).as_str() {
        "bafy/a" => open(b"hello"),
        "bafy" => -5,
        "future" => -77,
        _ => -4,
    }
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeLs(data: *const u8, size: usize) -> i64 {
    match text(data, size).as_str() {
        "bafy" => open(LISTING.as_bytes()),
        "odd" => open(b"[1,2"),
        _ => -6,
    }
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeAdd(_data: *const u8, size: usize) -> i64 {
    open(format!("bafk-{size}").as_bytes())
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeCurl(data: *const u8, size: usize) -> i64 {
    HOST.with_borrow_mut(|host| host.request = text(data, size));
    open(ANSWER.as_bytes())
}

/// Gives three bytes at most, so that callers must go on.
#[no_mangle]
unsafe extern "C" fn ipfsComputeRead(handle: i64, out: *mut u8, capacity: usize) -> i64 {
    HOST.with_borrow_mut(|host| {
        let Some((bytes, at)) = host.open.get_mut(&handle) else { return -3 };
        let count = capacity.min(3).min(bytes.len() - *at);
        std::ptr::copy_nonoverlapping(bytes.as_ptr().add(*at), out, count);
        *at += count;
        count as i64
    })
}

#[no_mangle]
unsafe extern "C" fn ipfsComputeReadAt(
    handle: i64,
    offset: i64,
    out: *mut u8,
    capacity: usize,
) -> i64 {
    HOST.with_borrow(|host| {
        let (bytes, _) = &host.open[&handle];
        let at = bytes.len().min(offset as usize);
        let count = capacity.min(bytes.len() - at);
        std::ptr::copy_nonoverlapping(bytes.as_ptr().add(at), out, count);
        count as i64
    })
}

#[no_mangle]
extern "C" fn ipfsComputeClose(handle: i64) -> i64 {
    HOST.with_borrow_mut(|host| host.open.remove(&handle).map_or(-3, |_| 0))
}

#[no_mangle]
extern "C" fn ipfsComputeAddOpen() -> i64 {
    open(b"")
}

/// Takes five bytes at most.
#[no_mangle]
unsafe extern "C" fn ipfsComputeWrite(handle: i64, data: *const u8, size: usize) -> i64 {
    let count = size.min(5);
    let bytes = std::slice::from_raw_parts(data, count);
    HOST.with_borrow_mut(|host| host.open.get_mut(&handle).unwrap().0.extend_from_slice(bytes));
    count as i64
}

#[no_mangle]
extern "C" fn ipfsComputeAddFinish(handle: i64) -> i64 {
    let (bytes, _) = HOST.with_borrow_mut(|host| host.open.remove(&handle).unwrap());
    open(format!("cid of {}", String::from_utf8(bytes).unwrap()).as_bytes())
}

#[test]
fn file_reads_to_its_end_and_closes() {
    let mut text = String::new();
    File::open("bafy/a").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    assert_eq!(handles_open(), 0);
}

#[test]
fn file_reads_at_an_offset() {
    let file = File::open("bafy/a").unwrap();
    let mut out = [0; 8];
    assert_eq!(file.read_at(3, &mut out), Ok(2));
    assert_eq!(&out[..2], b"lo");
    assert_eq!(file.read_at(u64::MAX, &mut out), Err(Error::Invalid));
}

#[test]
fn errors_have_the_names_of_the_hosts_numbers() {
    assert_eq!(File::open("bafy").unwrap_err(), Error::NotAFile);
    assert_eq!(File::open("none").unwrap_err(), Error::NotFound);
    assert_eq!(File::open("future").unwrap_err(), Error::Other(77));
    assert_eq!(ipfs_compute::ls("bafy/a").unwrap_err(), Error::NotADirectory);
    assert_eq!(std::io::Error::from(Error::NotFound).kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn listing_gives_names_of_every_kind() {
    let entries: Vec<_> = ipfs_compute::ls("bafy").unwrap().map(Result::unwrap).collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].name, "a \"b\".txt");
    assert_eq!((entries[0].cid.as_str(), entries[0].size), ("bafy-a", 5));
    assert_eq!((entries[1].name.as_str(), entries[1].kind), ("😀", EntryKind::Directory));
    assert_eq!((entries[2].raw_name.as_slice(), entries[2].size), (&[0xff][..], u64::MAX));
    assert_eq!(handles_open(), 0);
}

#[test]
fn listing_that_makes_no_sense_is_malformed() {
    let mut listing = ipfs_compute::ls("odd").unwrap();
    assert_eq!(listing.next(), Some(Err(Error::Malformed)));
}

#[test]
fn add_gives_the_cid_and_closes() {
    assert_eq!(ipfs_compute::add(b"four").unwrap(), "bafk-4");
    assert_eq!(handles_open(), 0);
}

#[test]
fn writer_sends_all_and_closes_whatever_happens() {
    let mut writer = AddWriter::new().unwrap();
    write!(writer, "{} bottles", 99).unwrap();
    assert_eq!(writer.finish().unwrap(), "cid of 99 bottles");
    drop(AddWriter::new().unwrap());
    assert_eq!(handles_open(), 0);
}

#[test]
fn request_is_json_and_the_answer_keeps_double_headers() {
    let mut answer =
        Request::post("https://example.org/\"x\"").header("A", "1\n").body("\\").send().unwrap();
    let request = HOST.with_borrow(|host| host.request.clone());
    let expected = concat!(
        r#"{"method":"POST","url":"https://example.org/\"x\"","#,
        r#""headers":{"A":"1\u000a"},"body":"\\"}"#
    );
    assert_eq!(request, expected);
    assert_eq!((answer.status, answer.url.as_str()), (201, "https://example.org/end"));
    let via = |value: &str| ("Via".to_string(), value.to_string());
    assert_eq!(answer.headers, [via("one"), via("two")]);
    let mut body = String::new();
    answer.body.read_to_string(&mut body).unwrap();
    assert_eq!(body, "body\nof two lines");
}

#[test]
fn log_formats() {
    ipfs_compute::log!("{}-{}", 1, 2);
    assert_eq!(HOST.with_borrow(|host| host.log.clone()), ["1-2"]);
}
