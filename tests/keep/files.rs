//! Files as people hand them over: with a mark at their beginning, compressed, damaged, behind a link, through a pipe,
//! with names that act on a terminal.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::{LAB, SHORT, journals, lines_of, sessions_dir};
use crate::program::{Program, home, run_in, run_with};

/// A recorded session, and what an export of it prints.
fn recorded(home: &Path) -> (String, String) {
    run_in(home, SHORT);
    let journal = lines_of(&journals(home)[0]);
    let (code, text, error) = run_in(home, &["export", "last"]);
    assert_eq!((code, error.as_str()), (0, ""));
    (journal, text)
}

/// No character of it acts on a terminal.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || (' '..='~').contains(&c))
}

#[test]
fn a_recording_may_have_a_byte_order_mark_or_dos_line_ends() {
    let home = home();
    let (journal, text) = recorded(home.path());
    for changed in [format!("\u{feff}{journal}"), journal.replace('\n', "\r\n")] {
        fs::write(home.path().join("changed.jsonl"), changed).unwrap();
        assert_eq!(run_in(home.path(), &["export", "changed.jsonl"]), (0, text.clone(), String::new()));
    }
}

#[test]
fn a_file_that_is_no_recording_is_told_for_what_it_is() {
    let home = home();
    let files: [(&str, &[u8], &str); 5] = [
        ("a.gz", b"\x1f\x8b\x08\x00", "is not a recorded session: it is compressed with gzip: unpack it first"),
        (
            "b.zst",
            b"\x28\xb5\x2f\xfd\x00",
            "is not a recorded session: it is compressed with zstd, and damaged or incomplete",
        ),
        ("c", b"\xff\xfe{\x00", "is not a recorded session: it is UTF-16 text: save it as UTF-8"),
        ("d", b"", "is not a recorded session: it is empty"),
        ("e", b"{}\n", "is not a recorded session: line 1: expected a header such as {\"format\""),
    ];
    for (name, bytes, why) in files {
        fs::write(home.path().join(name), bytes).unwrap();
        for command in ["export", "replay"] {
            let (code, out, error) = run_in(home.path(), &[command, name]);
            assert_eq!((code, out.as_str()), (1, ""));
            assert!(error.starts_with(&format!("error: {name} {why}")), "{error}");
        }
    }
    fs::create_dir(home.path().join("dir")).unwrap();
    let (code, _, error) = run_in(home.path(), &["export", "./dir"]);
    assert_eq!((code, error.as_str()), (1, "error: cannot read ./dir: Is a directory (os error 21)\n"));
}

#[test]
fn a_pipe_is_exported_and_not_replayed() {
    let home = home();
    let (journal, text) = recorded(home.path());
    let pipe = home.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, _, error) = run_in(home.path(), &["replay", "pipe"]);
    let why = "is a pipe or a device, and a replay reads its file more than once: save it to a file first";
    assert_eq!((code, error), (2, format!("error: pipe {why}\n")));
    let writer = thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, journal)
    });
    assert_eq!(run_in(home.path(), &["export", "pipe"]), (0, text.clone(), String::new()));
    writer.join().unwrap().unwrap();
    let reader = thread::spawn(move || fs::read_to_string(pipe));
    let (code, out, _) = run_in(home.path(), &["export", "last", "--format", "text", "-o", "pipe"]);
    assert!(code == 0 && out.ends_with(" events exported to pipe\n"), "{out}");
    assert_eq!(reader.join().unwrap().unwrap(), text);
    let (code, out, _) = run_in(home.path(), &["export", "last", "--format", "text", "-o", "/dev/stdout"]);
    assert!(code == 0 && out.starts_with(&text), "{out}");
}

#[cfg(unix)]
#[test]
fn an_export_spares_its_source_and_follows_a_link() {
    let home = home();
    let (journal, text) = recorded(home.path());
    fs::write(home.path().join("mine.jsonl"), &journal).unwrap();
    symlink("mine.jsonl", home.path().join("link.jsonl")).unwrap();
    for dest in ["mine.jsonl", "link.jsonl"] {
        let (code, _, error) = run_in(home.path(), &["export", "mine.jsonl", "-o", dest, "--force"]);
        assert_eq!(code, 2);
        assert!(error.ends_with("mine.jsonl is the recording being exported: choose another file\n"), "{error}");
    }
    assert_eq!(fs::read_to_string(home.path().join("mine.jsonl")).unwrap(), journal);
    fs::create_dir(home.path().join("elsewhere")).unwrap();
    fs::write(home.path().join("elsewhere/old.txt"), "old").unwrap();
    for (link, leads_to) in [("old.txt", "elsewhere/old.txt"), ("new.txt", "elsewhere/new.txt")] {
        symlink(leads_to, home.path().join(link)).unwrap();
        let (code, _, error) = run_in(home.path(), &["export", "last", "-o", link]);
        let (is_there, told) = (link == "old.txt", format!("error: {leads_to} exists already: --force replaces it\n"));
        assert_eq!((code, error), if is_there { (2, told) } else { (0, String::new()) });
        assert_eq!(run_in(home.path(), &["export", "last", "-o", link, "--force"]).0, 0);
        assert_eq!(fs::read_link(home.path().join(link)).unwrap(), Path::new(leads_to), "the link stays");
        assert_eq!(fs::read_to_string(home.path().join(leads_to)).unwrap(), text);
    }
}

#[test]
fn a_tilde_that_no_shell_saw_is_the_home_of_the_user() {
    let home = home();
    run_in(home.path(), &[SHORT, &["--log-dir=~/my logs"]].concat());
    assert!(home.path().join("my logs/seed_log_5001.txt").exists() || home.path().join("my logs").is_dir());
    assert!(!home.path().join("~").exists());
    assert_eq!(run_in(home.path(), &["export", "last", "--output=~/mine.txt"]).0, 0);
    assert!(home.path().join("mine.txt").exists());
    fs::create_dir_all(home.path().join("config/gossipctl")).unwrap();
    fs::write(home.path().join("config/gossipctl/config.toml"), "[node]\nlog-dir = \"~/others\"\n").unwrap();
    run_in(home.path(), SHORT);
    assert!(home.path().join("others").is_dir() && !home.path().join("~").exists());
}

#[test]
fn the_list_shows_when_by_the_clock_of_who_reads_it() {
    let home = home();
    run_with(home.path(), SHORT, &[("TZ", "UTC")]);
    let minutes = |zone| {
        let (_, out, _) = run_with(home.path(), &["sessions"], &[("TZ", zone)]);
        let when = out.lines().nth(1).unwrap().split_whitespace().nth(2).unwrap().to_owned();
        let figures: Vec<u32> = when.split(':').map(|figure| figure.parse().unwrap()).collect();
        figures[0] * 60 + figures[1]
    };
    let ahead = (minutes("<+0530>-05:30") + 24 * 60 - minutes("UTC")) % (24 * 60);
    assert_eq!(ahead, 5 * 60 + 30);
}

#[test]
fn a_damaged_recording_is_exported_with_exit_code_1() {
    let home = home();
    let (journal, text) = recorded(home.path());
    let mut lines: Vec<&str> = journal.lines().collect();
    let third = format!("x{}", lines[2]);
    lines[2] = &third;
    fs::write(home.path().join("damaged.jsonl"), lines.join("\n") + "\n").unwrap();
    let (code, out, error) = run_in(home.path(), &["export", "damaged.jsonl"]);
    assert_eq!(code, 1);
    assert!(error.starts_with("warning: damaged.jsonl, line 3: expected an event as a JSON object: "), "{error}");
    let told = "warning: 1 line of the recording cannot be read; the export tells where\n";
    assert!(error.ends_with(told), "{error}");
    assert_eq!(out.lines().count(), text.lines().count());
    assert!(out.lines().any(|line| line == "(line 3 of the recording cannot be read)"), "{out}");
    let (code, out, _) = run_in(home.path(), &["export", "damaged.jsonl", "-o", "mine.txt"]);
    assert!(code == 1 && out.ends_with(" events exported to mine.txt\n"), "{out}");
}

#[test]
fn nothing_printed_acts_on_the_terminal() {
    let home = home();
    let (journal, _) = recorded(home.path());
    let evil = "\u{1b}]0;gone\u{7}\u{9b}31m\u{202e}";
    let named =
        journal.replace("\"name\":\"s1\"", &format!("\"name\":{}", serde_json::Value::from(format!("s1{evil}"))));
    assert_ne!(named, journal);
    let name = format!("evil{evil}.jsonl");
    fs::write(sessions_dir(home.path()).join(&name), &named).unwrap();
    fs::write(sessions_dir(home.path()).join(format!("none{evil}.jsonl")), "").unwrap();
    fs::write(home.path().join(&name), &named).unwrap();
    let (flag, file) = (format!("--{evil}"), format!("{evil}.txt"));
    let commands: [&[&str]; 12] = [
        &["sessions"],
        &["sessions", "--format", "json"],
        &["sessions", "--delete", evil],
        &["export", &name],
        &["export", &name, "--format", "json"],
        &["export", &name, "--format", "csv"],
        &["export", &name, "-o", &file],
        &["export", evil],
        &["replay", &file],
        &[&flag],
        &["lab", "--peers", evil],
        &["lab", "--headless", "--duration", "1ms", "--script", &name],
    ];
    for command in commands {
        let (_, out, error) = run_in(home.path(), command);
        assert!(is_harmless(&out) && is_harmless(&error), "{command:?}: {out}{error}");
        assert!(out.len() + error.len() > 0, "{command:?}");
    }
    fs::write(home.path().join("config.txt"), evil).unwrap();
    let (_, _, error) = run_in(home.path(), &["peer", "--headless"]);
    assert!(error.contains("is not a seed") && is_harmless(&error), "{error}");
}

#[test]
fn a_removed_journal_is_told_and_begun_anew() {
    let home = home();
    let mut lab = Program::start_in(&home, LAB);
    // By then the first second is written.
    lab.wait_for("the message of two seconds later", |line| line.ends_with("Gossip Message 20"));
    fs::remove_dir_all(sessions_dir(home.path())).unwrap();
    // It generates ten a second, and the journal is written once a second.
    for _ in 0..300 {
        if journals(home.path()).is_empty() {
            lab.wait_for("another message", |line| line.starts_with("p1 Generated Gossip Message"));
        }
    }
    lab.signal("TERM");
    lab.read_all();
    let (code, error) = lab.end();
    assert_eq!(code, Some(0));
    assert!(error.contains(" was removed while it was written: it was begun anew; "), "{error}");
    let (code, text, error) = run_in(home.path(), &["export", "last"]);
    assert!(code == 0 && error.contains("missing in the journal: the export tells where"), "{error}");
    assert!(text.starts_with('(') && text.lines().count() > 10, "{text}");
}
