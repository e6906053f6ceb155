//! Fetches the URL that the event is; prints status, type and body, or the error's name.

use ipfs_compute::{Error, Request};
use std::io::Read;

#[no_mangle]
pub extern "C" fn handler() {
    let event = String::from_utf8(ipfs_compute::event().unwrap()).unwrap();
    let mut answer = match Request::get(event.trim()).send() {
        Ok(answer) => answer,
        Err(Error::Refused) => return println!("refused"),
        Err(error) => return println!("{error}"),
    };
    let kind = answer
        .headers
        .iter()
        .find(|header| header.0 == "content-type")
        .unwrap();
    let mut body = String::new();
    answer.body.read_to_string(&mut body).unwrap();
    print!("{} {} {body}", answer.status, kind.1);
}
