//! What must hold for any bytes in a file or on the command line that a user names by mistake.

use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use clap::Parser as _;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::args::Cli;
use super::super::config_file::ConfigFile;
use super::super::seeds_file::{FILE_LEN_MAX, SEEDS_MAX, SeedList, parse};

/// Memory that a list of the greatest length may take, several times over while it grows.
const SEEDS_HELD_MAX: u64 = 4 * FILE_LEN_MAX;

/// Lines of a seed list, good and bad.
const LINES: [&[u8]; 12] = [
    b"127.0.0.1:5001",
    b"10.0.0.7:80 # a seed",
    b"# nobody",
    b"127.0.0.1:0",
    b"localhost:5001",
    b"node.example:5002",
    b"[::1]:5001",
    b"224.0.0.1:5001",
    b"\xef\xbb\xbf127.0.0.1:5002",
    b"  \t",
    b"\x1b[2J",
    b"\xff\xfe\0",
];

/// A machine that knows one name.
fn lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    if name == "localhost" { Ok(vec![IpAddr::from([127, 0, 0, 1])]) } else { Err(io::Error::other("nobody knows it")) }
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => select(&LINES[..]).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..30)]
}

fn any_lines() -> impl Strategy<Value = Vec<u8>> {
    vec((any_line(), select(&["\n", "\r\n", ""][..])), 0..12)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat()).collect())
}

fn any_config() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "[node]\n",
        "[keys]\n",
        "[lab]\n",
        "wire = \"\\u001b[2J\"\n",
        "gossip-interval = \"\\u001b\"\n",
        "max-dial = 99999999999999999999\n",
        "peers = -1\n",
        "kill = \"\\u001b\"\n",
        "kill = [\"q\", \"\\u0085\"]\n",
        "\"\\u001b[2J\" = \"x\"\n",
        "\"\\u0007\" = 7\n",
        "kill = ",
        "\"",
        "\u{1b}",
        "\n",
        "#",
    ];
    let piece =
        prop_oneof![6 => select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..6)];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A word of any bytes, on systems that have such words.
#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn any_arguments() -> impl Strategy<Value = Vec<OsString>> {
    let known = [
        "lab",
        "seed",
        "peer",
        "--peers",
        "--seeds",
        "--listen",
        "--config",
        "--wire",
        "classic",
        "0",
        "-1",
        "3000",
        "127.0.0.1:3000",
        "0.0.0.0:0",
        "localhost:3000",
        "--gossip-interval",
        "99999999999999999999s",
        "1ns",
        "--messages",
        "--",
        "-",
        "\u{1b}[2J",
        "--duration=",
        "",
        "--help",
        "--headless",
        "--rng-seed",
        "1e9",
    ];
    let word = prop_oneof![8 => select(known.to_vec()).prop_map(OsString::from), 1 => vec(any::<u8>(), 0..8).prop_map(os_string)];
    vec(word, 0..7)
}

fn is_a_plain_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_list_of_seeds_or_a_reason_why_not(bytes in any_lines(), cut in any::<prop::sample::Index>()) {
        let read = |bytes: &[u8]| parse(Path::new("config.txt"), bytes, &lookup).map_err(|error| error.to_string());
        let whole = read(&bytes);
        match &whole {
            Ok(list) => prop_assert!(list.seeds.iter().all(|seed| seed.is_dialable())),
            Err(why) => prop_assert!(is_a_plain_line(why) && why.len() < 300, "{:?}", why),
        }
        // A file that was cut between two lines names the first of the seeds.
        let ends: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        if let (Ok(whole), false) = (&whole, ends.is_empty())
            && let Ok(list) = read(&bytes[..*cut.get(&ends)])
        {
            prop_assert!(whole.seeds.starts_with(&list.seeds));
        }
    }

    #[test]
    fn any_bytes_are_settings_or_a_reason_why_not(bytes in any_config()) {
        if let Err(error) = ConfigFile::parse(Path::new("config.toml"), &bytes) {
            let why = error.to_string();
            prop_assert!(is_a_plain_line(&why), "{:?}", why);
        }
    }

    #[test]
    fn any_arguments_are_a_task_or_a_reason_why_not(arguments in any_arguments()) {
        let arguments = std::iter::once(OsString::from("gossipctl")).chain(arguments);
        if let Err(error) = Cli::try_parse_from(arguments) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn the_longest_seed_list_stays_within_its_memory() {
    let line = |n: u32| format!("{}:1\n", std::net::Ipv4Addr::from(0x0101_0101 + n));
    let mut text: String = (0..10_000).map(line).collect();
    text.truncate(text[..usize::try_from(FILE_LEN_MAX).unwrap()].rfind('\n').unwrap());
    let mut seeds = Ok(SeedList::default());
    let held =
        allocation_counter::measure(|| seeds = parse(Path::new("config.txt"), text.as_bytes(), &lookup)).bytes_max;
    assert!(seeds.unwrap_err().to_string().contains(&format!("more than {SEEDS_MAX} seeds")));
    assert!(held <= SEEDS_HELD_MAX, "{held}");
}
