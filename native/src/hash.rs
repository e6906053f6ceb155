//! Hash functions that OpenSSL 3.0 does not have.

/// The BLAKE3 digest of `bytes` bytes at `data`: 32 bytes at `digest`. Never fails.
///
/// # Safety
/// Both areas are there; `data` may be null where `bytes` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ic_blake3(data: *const u8, bytes: usize, digest: &mut [u8; 32]) {
    let data = if bytes == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, bytes) } };
    *digest = *blake3::hash(data).as_bytes();
}
