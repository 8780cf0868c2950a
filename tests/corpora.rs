//! Every input that a fuzzer found worth keeping, and every one made by hand, holds as a test.
//!
//! `fuzz/corpus/TARGET/` has a file each. What a fuzzer finds goes there and stays.

mod checks;

use std::fs;
use std::path::Path;

use checks::{journal, wire};

/// Runs the check on each file, and tells how many there were.
fn run(target: &str, check: fn(&[u8])) -> usize {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in &paths {
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
    }
    paths.len()
}

#[test]
fn the_framed_decoder_bears_its_corpus() {
    assert!(run("framed", wire::framed) > 20);
}

#[test]
fn the_classic_decoder_bears_its_corpus() {
    assert!(run("classic", wire::classic) > 20);
}

#[test]
fn the_journal_reader_bears_its_corpus() {
    assert!(run("journal", journal::check) > 20);
}
