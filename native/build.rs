//! Puts Wasmtime's C headers in one known place: `$IC_NATIVE_INCLUDE`, or next to the target.
use std::path::{Path, PathBuf};
use std::{env, fs};

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("cannot create the header folder");
    for entry in fs::read_dir(from).expect("cannot read Wasmtime's headers") {
        let entry = entry.expect("cannot read Wasmtime's headers");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("cannot copy a header");
        }
    }
}

fn main() {
    let from = env::var("DEP_WASMTIME_C_API_INCLUDE").expect("wasmtime-c-api-impl has headers");
    let to = env::var("IC_NATIVE_INCLUDE").map(PathBuf::from).unwrap_or_else(|_| {
        PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("include")
    });
    println!("cargo:rerun-if-env-changed=IC_NATIVE_INCLUDE");
    copy_tree(Path::new(&from), &to);
}
