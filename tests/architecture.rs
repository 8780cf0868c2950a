//! The house rules that a compiler does not check: which way imports run, how long files are, and
//! what no room may use. The rules are told in `docs/ARCHITECTURE.md`.

use std::collections::BTreeMap;
mod circles;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms that it may import from; a room may always import from itself. The longest
/// name that fits a module is its room.
const ROOMS: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("platform", &[]),
    ("event", &["proto"]),
    ("command", &["proto"]),
    ("clock", &["proto"]),
    ("feed", &["proto", "event"]),
    ("net::wire", &["proto"]),
    ("model", &["proto", "event", "command", "feed", "clock"]),
    ("engine", &["proto", "event", "command", "net::wire"]),
    ("request", &["command", "engine"]),
    ("scenario", &["proto", "event", "command", "engine", "model"]),
    ("net", &["net::wire", "proto", "event", "command", "engine", "request", "feed", "clock", "model", "platform"]),
    ("sim", &["proto", "event", "command", "engine", "scenario", "feed", "clock", "model"]),
    ("session", &["proto", "event", "command", "engine", "scenario", "feed", "clock", "model", "platform"]),
    ("ui", &["proto", "event", "command", "engine", "scenario", "feed", "clock", "model", "platform"]),
    (
        "experiment",
        &["proto", "event", "command", "engine", "scenario", "clock", "model", "platform", "sim", "session"],
    ),
    (
        "cli",
        &[
            "proto",
            "event",
            "experiment",
            "command",
            "engine",
            "request",
            "scenario",
            "feed",
            "clock",
            "model",
            "platform",
            "net",
            "net::wire",
            "sim",
            "session",
            "ui",
        ],
    ),
];

/// What a room never touches, and why.
const BANNED: &[(&str, &[&str], &str)] = &[
    ("proto", &["tokio::", "std::net::Tcp", "std::fs", "std::thread"], "the core does no IO"),
    (
        "engine",
        &["tokio::", "std::net::Tcp", "std::fs", "std::thread", ".await"],
        "the engine decides and does nothing",
    ),
    ("model", &["tokio::", "ratatui::", "crossterm::", "std::fs"], "the model is a plain fold"),
    ("ui", &["std::fs", "tokio::fs", "std::net::Tcp", "tokio::net"], "the console does no IO but on the terminal"),
    ("net", &["ratatui::", "crossterm::", "println!(", "print!(", "eprintln!("], "the network knows no screen"),
    ("ui", &["println!(", "print!(", "eprintln!(", "eprint!("], "nothing is printed under the console"),
    ("model", &["println!(", "print!(", "eprintln!("], "the model prints nothing"),
    ("session", &["println!(", "print!(", "eprintln!("], "cli decides what is printed"),
    ("proto", &["println!(", "print!(", "eprintln!("], "the core prints nothing"),
];

/// What names an operating system, and stands in `platform` alone.
const SYSTEM: &[&str] =
    &["rustix::", "std::os::", "tokio::signal", "cfg(unix", "cfg(windows", "cfg!(unix", "cfg!(windows", "target_os"];

/// What nobody uses outside of tests.
const BANNED_EVERYWHERE: &[(&str, &str)] = &[
    (".unwrap()", "an error has a message"),
    (".expect(", "an error has a message"),
    ("todo!(", "nothing is left undone"),
    ("unimplemented!(", "nothing is left undone"),
    ("dbg!(", "a trace of debugging"),
    ("use clap::", "only cli reads the command line"),
    ("color_eyre", "errors inside are of thiserror"),
];

/// Lines of a file without its tests.
const LINES_MAX: usize = 500;
/// A test's name says what holds, and fits on a line of the report.
const TEST_NAME_LEN_MAX: usize = 60;

/// A source file without comments and tests.
struct Source {
    path: PathBuf,
    /// Its module, such as `net::wire::classic`.
    module: String,
    /// Lines of code with their numbers.
    lines: Vec<(usize, String)>,
    /// Lines without tests, comments included.
    line_count: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let texts: Vec<_> = paths.into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path)).collect();
    let behind_cfg: Vec<_> = texts.iter().flat_map(|(text, path)| test_modules(&module(&root, path), text)).collect();
    let all = texts.iter().map(|(text, path)| source(module(&root, path), path.clone(), text));
    all.filter(|source| !behind_cfg.iter().any(|test| is_within(&source.module, test))).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// `src/net/wire/mod.rs` is `net::wire`; `src/lib.rs` is the empty module.
fn module(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap().with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
    let parts = if matches!(parts[..], [.., "mod"] | ["lib"]) { &parts[..parts.len() - 1] } else { &parts[..] };
    parts.join("::")
}

/// Modules that stand behind `#[cfg(test)]` in files of their own.
fn test_modules(module: &str, text: &str) -> Vec<String> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let names = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]").filter_map(|pair| {
        let declared = pair[1].strip_suffix(';')?;
        declared.split_once("mod ").map(|(_, name)| name.to_owned())
    });
    names.map(|name| join(module, &name)).collect()
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn is_within(module: &str, room: &str) -> bool {
    module == room || module.starts_with(&format!("{room}::"))
}

fn source(module: String, path: PathBuf, text: &str) -> Source {
    let without_tests = without_tests(text);
    let line_count = without_tests.len();
    let is_code = |line: &(usize, String)| !line.1.trim_start().starts_with("//");
    let lines = whole_imports(without_tests.into_iter().filter(is_code));
    Source { path, module, lines, line_count }
}

/// A `use` over several lines becomes one.
fn whole_imports(lines: impl Iterator<Item = (usize, String)>) -> Vec<(usize, String)> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in lines {
        let before = line.trim_start().split_once("use ").map(|(before, _)| before);
        let begins = before.is_some_and(circles::is_visibility);
        match whole.last_mut().filter(|_| open) {
            Some((_, import)) => import.push_str(line.trim_start()),
            None => whole.push((number, line.clone())),
        }
        open = (open || begins) && !line.trim_end().ends_with(';');
    }
    whole
}

/// Drops each item behind `#[cfg(test)]`. The code is formatted by rustfmt, so an item ends at the
/// first line of the same indentation that closes it.
fn without_tests(text: &str) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    let mut skipping: Option<usize> = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match skipping {
            Some(depth) if indent == depth && (line.trim_end().ends_with([';', '}'])) => skipping = None,
            Some(_) => {}
            None if line.trim() == "#[cfg(test)]" => skipping = Some(indent),
            None => kept.push((index + 1, line.to_owned())),
        }
    }
    kept
}

fn room_of(module: &str) -> Option<&'static str> {
    let fitting = ROOMS.iter().map(|(room, _)| *room).filter(|room| is_within(module, room));
    fitting.max_by_key(|room| room.len())
}

/// Every module that a source names: `crate::a::b`, `super::b`, and the parts of `use crate::{..}`.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in &source.lines {
        for (start, _) in line.match_indices("crate::") {
            let paths = expand(&line[start + "crate::".len()..]);
            found.extend(paths.into_iter().map(|path| (*number, path)));
        }
        for path in relative(&source.module, line) {
            found.push((*number, path));
        }
    }
    found
}

/// `a::b::C` as it stands, and `{a::B, c::D}` as its parts.
fn expand(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![path_at(rest)] };
    let mut depth = 0_i32;
    let parts = group.split(move |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.map(|part| path_at(part.trim_start())).filter(|path| !path.is_empty()).collect()
}

fn path_at(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}

/// `super::super::x` of a module, from the root.
fn relative(module: &str, line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find("super::") {
        let mut parts: Vec<_> = module.split("::").collect();
        rest = &rest[start..];
        while let Some(after) = rest.strip_prefix("super::") {
            parts.pop();
            rest = after;
        }
        found.extend(expand(rest).into_iter().map(|path| join(&parts.join("::"), &path)));
    }
    found
}

/// What is wrong in these sources, a line each.
fn wrong_imports(sources: &[Source]) -> String {
    let mut wrong = String::new();
    for source in sources {
        let Some(room) = room_of(&source.module) else { continue };
        let allowed = ROOMS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| allowed);
        for (number, path) in imports(source) {
            if let Some(target) = room_of(&path).filter(|target| *target != room && !allowed.contains(target)) {
                let _ = writeln!(wrong, "{}:{number}: {room} imports from {target}", source.path.display());
            }
        }
    }
    wrong
}

fn snippet(module: &str, text: &str) -> Source {
    source(module.to_owned(), PathBuf::from(module), text)
}

#[test]
fn imports_run_downward_only() {
    let sources = sources();
    assert!(sources.iter().map(|source| imports(source).len()).sum::<usize>() > 50, "imports are found");
    let wrong = wrong_imports(&sources);
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_module_has_a_room() {
    let homeless: Vec<_> = sources().into_iter().filter(|source| room_of(&source.module).is_none()).collect();
    let names: Vec<_> = homeless.iter().map(|source| source.module.as_str()).collect();
    let at_the_door = ["", "main"];
    assert!(names.iter().all(|name| at_the_door.contains(name)), "{names:?}");
}

#[test]
fn an_import_that_runs_the_wrong_way_is_found() {
    let wrong = |module, text| wrong_imports(&[snippet(module, text)]);
    assert!(wrong("ui::pane", "use crate::net::engine::Engine;").contains("ui imports from net"));
    assert!(wrong("proto::peer", "use crate::{event::Event, proto::addr::Addr};").contains("proto imports from event"));
    assert!(wrong("net::wire::classic", "use super::super::engine::Engine;").contains("net::wire imports from net"));
    assert!(wrong("ui", "use crate::{\n    model::{A, B},\n    sim::C,\n};").contains("ui:1: ui imports from sim"));
    assert!(wrong("model", "fn f() { crate::ui::run(); }").contains("model imports from ui"));
    assert!(wrong("session", "use super::{model::Model, net::link};").contains("session imports from net"));
    assert_eq!(wrong("ui", "use crate::model::Model;\nuse super::event::Event;"), "");
    assert_eq!(wrong("ui", "#[cfg(test)]\nmod tests {\n    use crate::net::x;\n}\n// crate::net::y"), "");
}

/// Lines that ask which dialect it is, where there should be a question with a name.
fn branches_on_dialect(sources: &[Source]) -> Vec<String> {
    let answers = |module: &str| module == "proto::dialect" || is_within(module, "net::wire");
    let names = ["Dialect::Framed", "Dialect::Classic"];
    let branches = |line: &str| {
        let is_named = names.iter().any(|name| line.contains(name));
        is_named && ["=>", "==", "!=", "matches!("].iter().any(|branch| line.contains(branch))
    };
    let elsewhere = sources.iter().filter(|source| !answers(&source.module));
    let lines = elsewhere.flat_map(|source| source.lines.iter().map(move |(number, line)| (source, number, line)));
    let found = lines.filter(|(_, _, line)| branches(line));
    found.map(|(source, number, line)| format!("{}:{number}: {}", source.module, line.trim())).collect()
}

#[test]
fn nobody_asks_which_dialect_it_is() {
    let found = branches_on_dialect(&sources());
    assert!(found.is_empty(), "ask a question of `proto::dialect` instead: {found:#?}");
    let asks = |module, text| branches_on_dialect(&[snippet(module, text)]).len();
    assert_eq!(asks("sim", "if dialect == Dialect::Classic {}\nmatch dialect {\n    Dialect::Framed => 1,\n}"), 2);
    assert_eq!(asks("net::wire::classic", "if dialect == Dialect::Classic {}"), 0);
    assert_eq!(asks("proto::config", "dialect: Dialect::Framed,"), 0, "it may be set");
}

/// The parts of a peer, and whether each may name links.
const PARTS: &[(&str, Links)] =
    &[("proto::membership", Links::Known), ("proto::broadcast", Links::Unknown), ("proto::liveness", Links::Unknown)];

#[derive(Clone, Copy, PartialEq)]
enum Links {
    Known,
    Unknown,
}

/// Lines of the file that joins the parts, without its tests.
const JOINING_LINES_MAX: usize = 300;

fn wrong_parts(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (part, links) in PARTS {
        let others = || PARTS.iter().map(|(other, _)| *other).filter(|other| other != part).chain(["proto::peer"]);
        for source in sources.iter().filter(|source| is_within(&source.module, part)) {
            let found = imports(source).into_iter().filter(|(_, path)| others().any(|other| is_within(path, other)));
            wrong.extend(found.map(|(number, path)| format!("{}:{number}: {path}", source.module)));
            let named = source.lines.iter().filter(|(_, line)| *links == Links::Unknown && line.contains("LinkId"));
            wrong.extend(named.map(|(number, line)| format!("{}:{number}: {line}", source.module)));
        }
    }
    wrong
}

#[test]
fn the_parts_of_a_peer_do_not_know_each_other() {
    let sources = sources();
    let wrong = wrong_parts(&sources);
    assert!(wrong.is_empty(), "only `proto::peer` joins the parts: {wrong:#?}");
    let lines = sources.iter().find(|source| source.module == "proto::peer").map(|source| source.line_count);
    assert!(lines.is_some_and(|lines| lines <= JOINING_LINES_MAX), "{lines:?} lines join the parts");
    let names = |module, text| wrong_parts(&[snippet(module, text)]).len();
    assert_eq!(names("proto::liveness::ping", "use crate::proto::membership::Membership;"), 1);
    assert_eq!(names("proto::broadcast", "use super::event::{EventKind, LinkId};"), 1);
    assert_eq!(names("proto::broadcast", "use super::event::EventKind;"), 0);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    assert!(circles::edges(&sources).values().map(BTreeSet::len).sum::<usize>() > 500, "imports are found");
    let found: Vec<Vec<String>> =
        circles::circles(&sources).into_iter().map(|circle| circle.into_iter().collect()).collect();
    assert!(found.is_empty(), "each line is a circle of modules: {found:#?}");
}

#[test]
fn a_circle_of_files_is_found_however_it_is_spelled() {
    let circles = |files: &[(&str, &str)]| {
        let sources: Vec<_> = files.iter().map(|(module, text)| snippet(module, text)).collect();
        circles::circles(&sources)
            .into_iter()
            .map(|circle| circle.into_iter().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let other = ("a::y", "use super::x::X;\npub struct Y(X);");
    let found = |text| circles(&[("a", "mod x;\nmod y;\npub use y::Y;"), ("a::x", text), other]);
    for text in [
        "use crate::a::y::Y;\npub struct X(Y);",
        "use super::{\n    y::{Y, Z as W},\n};\npub(super) struct X(Y);",
        "pub(crate) use super::y::{\n    self,\n    Y,\n};\npub struct X(Y);",
        "pub struct X(super::y::Y);",
        "use super::y;\npub struct X(y::Y);",
        "use crate::a::Y;\npub struct X(Y);",
        "use super::y::*;\npub struct X(Y);",
    ] {
        assert_eq!(found(text), ["a::x a::y"], "{text}");
    }
    for text in [
        "pub struct X;",
        "// super::y::Y\npub struct X;",
        "pub use super::y::Y;\npub struct X;",
        "use super::y;\npub struct X;",
        "pub struct X;\n#[cfg(test)]\nmod tests {\n    use super::super::y::Y;\n}",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
    // A child is a part of its parent, so these are one; but not a way from it over a third file.
    let parent = ("x", "mod y;\npub use y::Y;\npub struct X(Y);");
    assert_eq!(circles(&[parent, ("x::y", "use super::X;\npub struct Y(X);")]), [""; 0]);
    let (child, third) = (("x::y", "use crate::z::Z;\npub struct Y(Z);"), ("z", "use crate::x::X;\npub struct Z(X);"));
    assert_eq!(circles(&[parent, child, third]), ["x x::y z"]);
    let three = [("a", "use crate::b::B;\npub struct A(B);"), ("b", "use crate::c::C;\npub struct B(C);")];
    assert_eq!(
        circles(&[three[0], three[1], ("c", "use crate::a::A;\npub struct C(A);"), ("d", "use crate::a::A;")]),
        ["a b c"]
    );
    assert_eq!(circles(&[three[0], three[1], ("c", "pub struct C;")]), [""; 0]);
}

#[test]
fn no_file_is_longer_than_a_reader_bears() {
    let long = sources().into_iter().filter(|source| source.line_count > LINES_MAX);
    let long: Vec<_> = long.map(|source| format!("{}: {}", source.path.display(), source.line_count)).collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines without tests: {long:#?}");
}

#[test]
fn no_room_uses_what_it_must_not() {
    let mut wrong = String::new();
    for source in sources() {
        for (room, words, why) in BANNED.iter().filter(|(room, ..)| is_within(&source.module, room)) {
            for (number, word) in uses(&source, words) {
                let _ = writeln!(wrong, "{}:{number}: {room} uses {word}: {why}", source.path.display());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn only_the_platform_room_names_a_system() {
    let wrong = |sources: &[Source]| {
        let outside = sources.iter().filter(|source| !is_within(&source.module, "platform"));
        let found = outside.flat_map(|source| {
            uses(source, SYSTEM).map(|(line, word)| format!("{}:{line}: {word}", source.path.display()))
        });
        found.collect::<Vec<_>>()
    };
    let text = "use std::os::fd::AsFd;\n#[cfg(all(unix, target_os = \"linux\"))]\nfn f() {}";
    assert_eq!(wrong(&[snippet("net::files", text)]).len(), 2);
    assert!(wrong(&[snippet("platform::unix", text)]).is_empty());
    assert_eq!(wrong(&sources()), [""; 0]);
}

#[test]
fn nobody_unwraps_outside_of_tests() {
    let mut wrong = String::new();
    for source in sources().iter().filter(|source| !is_within(&source.module, "main")) {
        for (word, why) in BANNED_EVERYWHERE {
            let at_the_edge = matches!(*word, "use clap::" | "color_eyre") && is_within(&source.module, "cli");
            for (number, _) in uses(source, &[*word]).filter(|_| !at_the_edge) {
                let _ = writeln!(wrong, "{}:{number}: {word}: {why}", source.path.display());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn uses<'a>(source: &'a Source, words: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    source.lines.iter().flat_map(move |(number, line)| {
        words.iter().filter(move |word| line.contains(*word)).map(move |word| (*number, *word))
    })
}

#[test]
fn every_source_file_is_declared_by_its_parent() {
    let texts = source_texts();
    let orphans: Vec<_> =
        texts.iter().filter(|(module, _)| !is_declared(module, &texts)).map(|(module, _)| module).collect();
    assert!(orphans.is_empty(), "no module declares {orphans:?}");
    let orphan = ("ui::lost".to_owned(), String::new());
    assert!(!is_declared(&orphan.0, &[("ui".to_owned(), "mod found;".to_owned()), orphan.clone()]));
}

/// Modules and their texts, tests included.
fn source_texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.iter().map(|path| (module(&root, path), fs::read_to_string(path).unwrap())).collect()
}

fn is_declared(module: &str, texts: &[(String, String)]) -> bool {
    if matches!(module, "" | "main") {
        return true;
    }
    let (parent, name) = module.rsplit_once("::").unwrap_or(("", module));
    let declaration = format!("mod {name};");
    texts.iter().any(|(module, text)| module == parent && text.lines().any(|line| line.ends_with(&declaration)))
}

#[test]
fn the_name_of_a_test_is_a_short_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for dir in ["src", "tests"] {
        collect(&root.join(dir), &mut paths);
    }
    let long: Vec<_> = paths.iter().flat_map(|path| long_test_names(&fs::read_to_string(path).unwrap())).collect();
    assert!(paths.len() > 300 && long.is_empty(), "over {TEST_NAME_LEN_MAX} characters: {long:#?}");
    let name = "a".repeat(TEST_NAME_LEN_MAX + 1);
    assert_eq!(long_test_names(&format!("    #[test]\n    fn {name}() {{\n    fn other{name}() {{")), [name]);
}

/// The names of tests in this text that are too long.
fn long_test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let name = line.split_once("fn ").and_then(|(_, rest)| Some(rest.split_once('(')?.0));
        match name {
            Some(name) if std::mem::take(&mut is_test) && name.len() > TEST_NAME_LEN_MAX => names.push(name.to_owned()),
            Some(_) => is_test = false,
            None => is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test"),
        }
    }
    names
}

#[test]
fn files_that_the_docs_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for dir in ["src", "tests", "benches", "fuzz/fuzz_targets"] {
        collect(&root.join(dir), &mut paths);
    }
    let mut missing = Vec::new();
    for page in fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&page).unwrap();
        let gone = named_files(&text).filter(|name| !paths.iter().any(|path| path.ends_with(name)));
        missing.extend(gone.map(|name| format!("{}: {name}", page.display())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
    let text = "`net/link.rs` and `a.rs`, from `src/NAME.rs` by `x y.rs`";
    assert_eq!(named_files(text).collect::<Vec<_>>(), ["net/link.rs", "a.rs"]);
}

/// The source files that a page names; names in capitals stand for any.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    let is_of_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/.".contains(c);
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(move |name| name.split_once('.').is_some_and(|(_, rest)| rest == "rs") && name.chars().all(is_of_path))
}

#[test]
fn one_type_name_stands_for_one_thing() {
    let sources = sources();
    let twice = type_names(&sources).into_iter();
    let twice = twice.filter(|(_, modules)| modules.len() > 1);
    let twice: Vec<_> = twice.map(|(name, modules)| format!("{name}: {}", modules.join(", "))).collect();
    assert!(twice.is_empty(), "name one of each after what sets it apart: {twice:#?}");
    let two = [snippet("ui::a", "pub struct Row {\n}"), snippet("model", "pub(crate) enum Row {\n}\nstruct Rows;")];
    assert_eq!(type_names(&two)["Row"], ["ui::a", "model"]);
}

/// Which modules define a type of this name; associated types and types inside functions are indented, and do not count.
fn type_names(sources: &[Source]) -> BTreeMap<String, Vec<&str>> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    // A system's own half of the platform stands in for the portable one, under the same names.
    for source in sources.iter().filter(|source| !is_within(&source.module, "platform")) {
        for name in source.lines.iter().filter_map(|(_, line)| defined_type(line)) {
            names.entry(name.to_owned()).or_default().push(&source.module);
        }
    }
    names
}

fn defined_type(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => {
            rest.strip_prefix('(').map_or(rest, |rest| rest.split_once(')').map_or(rest, |(_, rest)| rest)).trim_start()
        }
        None => line,
    };
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}
