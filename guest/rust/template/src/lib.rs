//! A guest of ipfs-compute.

use std::error::Error;

fn run() -> Result<(), Box<dyn Error>> {
    let event = String::from_utf8(ipfs_compute::event()?)?;
    ipfs_compute::log!("the event has {} bytes", event.len());

    let cid = ipfs_compute::add(event.as_bytes())?;
    println!("hello; your event is now {cid}");
    Ok(())
}

/// What `--handler handler` calls.
#[no_mangle]
pub extern "C" fn handler() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
