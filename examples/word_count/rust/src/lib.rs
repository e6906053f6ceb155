//! Counts the words of every file in a folder of IPFS. The event names the folder: its CID, or JSON
//! `{"directory":"<CID>"}`. Prints the ten most frequent words and the CID of all counts.
//!
//! A word is a run of the letters a to z, in lower case. The same folder gives the same output.

use ipfs_compute::{AddWriter, EntryKind, File};
use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};

const FILES_A_LOG_LINE: u64 = 50;
const READ_BYTES: usize = 256 * 1024;

#[derive(Default)]
struct Counts {
    words: HashMap<Vec<u8>, u64>,
    files: u64,
    bytes: u64,
}

impl Counts {
    fn add_folder(&mut self, path: &str) -> Result<(), Box<dyn Error>> {
        for entry in ipfs_compute::ls(path)? {
            let entry = entry?;
            match entry.kind {
                EntryKind::Directory => self.add_folder(&entry.cid)?,
                EntryKind::File => self.add_file(&entry.cid)?,
                _ => ipfs_compute::log!("skipping {}", entry.name),
            }
        }
        Ok(())
    }

    fn add_file(&mut self, cid: &str) -> Result<(), Box<dyn Error>> {
        let mut file = File::open(cid)?;
        let mut buffer = vec![0; READ_BYTES];
        let mut word = Vec::new(); // Goes on across two reads.
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            self.bytes += count as u64;
            for byte in &buffer[..count] {
                if byte.is_ascii_alphabetic() {
                    word.push(byte.to_ascii_lowercase());
                } else {
                    self.end_word(&mut word);
                }
            }
        }
        self.end_word(&mut word);
        self.files += 1;
        if self.files % FILES_A_LOG_LINE == 0 {
            ipfs_compute::log!("counted {} files, {} bytes", self.files, self.bytes);
        }
        Ok(())
    }

    fn end_word(&mut self, word: &mut Vec<u8>) {
        if word.is_empty() {
            return;
        }
        match self.words.get_mut(word.as_slice()) {
            Some(count) => *count += 1,
            None => {
                self.words.insert(word.clone(), 1);
            }
        }
        word.clear();
    }

    /// Most frequent first, equals in the order of the alphabet.
    fn sorted(&self) -> Vec<(&str, u64)> {
        let mut words: Vec<_> = self
            .words
            .iter()
            .map(|(word, count)| (std::str::from_utf8(word).expect("letters"), *count))
            .collect();
        words.sort_unstable_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
        words
    }
}

fn folder_of(event: &str) -> Option<&str> {
    let event = event.trim();
    let Some(rest) = event.strip_prefix('{') else {
        return Some(event).filter(|cid| !cid.is_empty());
    };
    let (_, value) = rest.split_once("\"directory\"")?;
    value.split('"').nth(1)
}

fn run() -> Result<(), Box<dyn Error>> {
    let event = String::from_utf8(ipfs_compute::event()?)?;
    let folder = folder_of(&event).ok_or("the event names no folder; give --event with its CID")?;
    let mut counts = Counts::default();
    counts.add_folder(folder)?;
    let sorted = counts.sorted();
    let total: u64 = sorted.iter().map(|word| word.1).sum();

    let mut json = AddWriter::new()?;
    write!(
        json,
        "{{\"files\":{},\"bytes\":{},\"words\":{total},",
        counts.files, counts.bytes
    )?;
    write!(json, "\"counts\":{{")?;
    for (index, (word, count)) in sorted.iter().enumerate() {
        write!(
            json,
            "{}\"{word}\":{count}",
            if index == 0 { "" } else { "," }
        )?;
    }
    writeln!(json, "}}}}")?;
    let cid = json.finish()?;

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{total} words, {} different, in {} files",
        sorted.len(),
        counts.files
    )?;
    for (word, count) in sorted.iter().take(10) {
        writeln!(out, "{count:>9}  {word}")?;
    }
    writeln!(out, "all counts: {cid}")?;
    out.flush()?;
    Ok(())
}

/// What `--handler handler` calls.
#[no_mangle]
pub extern "C" fn handler() {
    if let Err(error) = run() {
        eprintln!("word_count: {error}");
        std::process::exit(1);
    }
}
