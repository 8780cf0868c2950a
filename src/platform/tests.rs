//! What both halves do alike.

use std::fs::{self, File};
use std::time::Duration;

use super::*;

#[test]
fn a_file_is_locked_for_as_long_as_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let file = File::create_new(&path).unwrap();
    assert!(!is_write_locked(&path).unwrap());
    let lock = WriteLock::take(&file, &path).unwrap();
    assert!(is_write_locked(&path).unwrap() && is_write_locked(&path).unwrap(), "whoever looks changes nothing");
    assert_eq!(fs::read(&path).unwrap(), b"", "a file that is written can be read");
    drop((lock, file));
    assert!(!is_write_locked(&path).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left in the directory");
}

#[test]
fn a_second_writer_gets_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let file = File::create_new(&path).unwrap();
    let _lock = WriteLock::take(&file, &path).unwrap();
    let again = File::options().write(true).open(&path).unwrap();
    assert_eq!(WriteLock::take(&again, &path).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = is_write_locked(&dir.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_file_is_the_same_under_another_name_and_not_when_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (one, moved) = (dir.path().join("one"), dir.path().join("moved"));
    let file = File::create_new(&one).unwrap();
    fs::rename(&one, &moved).unwrap();
    assert!(is_same_file(&fs::metadata(&moved).unwrap(), &file.metadata().unwrap()));
    // Clocks of files tick every few milliseconds.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&one, "").unwrap();
    assert!(!is_same_file(&fs::metadata(&one).unwrap(), &file.metadata().unwrap()));
}

#[test]
fn a_limit_that_was_raised_stays() {
    let limit = raise_descriptor_limit();
    assert!(limit.is_none_or(|limit| limit >= 64), "{limit:?}");
    assert_eq!(raise_descriptor_limit(), limit);
}

#[test]
fn an_awake_machine_does_not_sleep() {
    let before = slept();
    std::thread::sleep(Duration::from_millis(5));
    assert!(slept().abs_diff(before) < Duration::from_millis(5), "{before:?} {:?}", slept());
}

#[tokio::test]
async fn nothing_happens_to_a_process_that_is_left_alone() {
    let (mut continued, mut resized) = (SignalStream::continued().unwrap(), SignalStream::resized().unwrap());
    let heard = async {
        tokio::select! { () = continued.next() => (), () = resized.next() => () }
    };
    assert!(tokio::time::timeout(Duration::from_millis(20), heard).await.is_err());
}

#[test]
fn exit_codes_are_those_of_the_signals() {
    let codes = [StopSignal::HangUp, StopSignal::Interrupt, StopSignal::Terminate].map(StopSignal::exit_code);
    assert_eq!(codes, [129, 130, 143]);
}
