//! The seed list: `config.txt`, one `ip:port` or `name:port` per line.

use std::net::Ipv4Addr;
use std::path::Path;

use super::address::{AddressError, Lookup, WrittenAddress, dialable, look_up, named, shown};
use super::failure::Failure;
use super::files::{self, FileError};
use crate::proto::addr::Addr;

/// The longest seed list in bytes. A thousand seeds with a comment each fit; a longer file is some
/// other file.
pub(crate) const FILE_LEN_MAX: u64 = 64 * 1024;
/// The most seeds in a list. Each peer registers with more than half of them.
pub(crate) const SEEDS_MAX: usize = 1_000;

const BOM: &str = "\u{feff}";

/// The seeds of a network, as a file names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeedList {
    /// In the order of the file, each once.
    pub(crate) seeds: Vec<Addr>,
    /// Why there is no list, for sessions that can do without.
    pub(crate) missing: Option<String>,
    /// Seeds that the file names more than once, a line for each.
    pub(crate) warnings: Vec<String>,
    /// The addresses of its host names, a line for each.
    pub(crate) notes: Vec<String>,
    /// Host names that were looked up.
    found: Vec<(String, Ipv4Addr)>,
}

/// Why there is no seed list. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedListError {
    /// There is no file, or it names no seed: fine for who needs none.
    #[error("{0}")]
    None(String),
    #[error(transparent)]
    Unusable(FileError),
}

impl From<SeedListError> for Failure {
    fn from(error: SeedListError) -> Self {
        Self::usage(error)
    }
}

impl SeedList {
    /// The list of a session that can do without: a missing or empty file counts as none.
    pub(crate) fn read_if_any(file: &Path, lookup: Lookup<'_>) -> Result<Self, SeedListError> {
        match Self::read(file, lookup) {
            Err(SeedListError::None(why)) => Ok(Self { missing: Some(why), ..Self::default() }),
            read => read,
        }
    }

    /// Reads the list from a file, and looks up its names.
    pub(crate) fn read(file: &Path, lookup: Lookup<'_>) -> Result<Self, SeedListError> {
        let expected = "expected a list of seeds, one ip:port or name:port per line";
        match files::read(file, FILE_LEN_MAX, expected) {
            Ok(bytes) => parse(file, &bytes, lookup),
            Err(FileError::Missing { file, .. }) => Err(SeedListError::None(format!(
                "{}: no such file: create it with one seed per line, such as 127.0.0.1:5001, or name another with --config",
                file.display()
            ))),
            Err(error @ FileError::Wrong(_)) => Err(SeedListError::Unusable(error)),
        }
    }
}

/// Parses the bytes of a list.
pub(super) fn parse(file: &Path, bytes: &[u8], lookup: Lookup<'_>) -> Result<SeedList, SeedListError> {
    let mut list = SeedList::default();
    let bytes = bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Some(text) = content(line) else { continue };
        let here = format!("{}:{}", file.display(), index + 1);
        let seed = list.seed(&here, text, lookup).map_err(|error| bad_line(file, index + 1, error))?;
        list.add(file, seed);
        // At once: each further name might take seconds to look up.
        if list.seeds.len().max(list.found.len()) > SEEDS_MAX {
            let what = format_args!("more than {SEEDS_MAX} seeds: a network needs only a few");
            return Err(SeedListError::Unusable(FileError::whole(file, what)));
        }
    }
    if list.seeds.is_empty() {
        let file = file.display();
        return Err(SeedListError::None(format!("{file}: names no seed: add one per line, such as 127.0.0.1:5001")));
    }
    Ok(list)
}

/// A line without its comment and surrounding blanks.
fn content(line: &[u8]) -> Option<&[u8]> {
    let text = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
    (!text.is_empty()).then_some(text)
}

fn bad_line(file: &Path, line: usize, error: AddressError) -> SeedListError {
    let what = match error {
        AddressError::Malformed(text) => {
            format!("'{text}' is not a seed: expected ip:port or name:port, such as 127.0.0.1:5001")
        }
        AddressError::Wrong(what) => what,
    };
    SeedListError::Unusable(FileError::line(file, line, what))
}

impl SeedList {
    fn seed(&mut self, here: &str, text: &[u8], lookup: Lookup<'_>) -> Result<Addr, AddressError> {
        let text = std::str::from_utf8(text).map_err(|_| AddressError::Malformed(shown(text)))?;
        match WrittenAddress::parse(text)? {
            WrittenAddress::Addr(addr) => dialable(addr),
            WrittenAddress::Name { name, port } => named(&name, self.find(here, &name, lookup)?, port),
        }
    }

    /// The address of a name, which is looked up once, however many seeds have it.
    fn find(&mut self, here: &str, name: &str, lookup: Lookup<'_>) -> Result<Ipv4Addr, AddressError> {
        if let Some((_, known)) = self.found.iter().find(|(known, _)| known == name) {
            return Ok(*known);
        }
        let ip = look_up(name, lookup)?;
        self.notes.push(format!("{here}: {name} is {ip}"));
        self.found.push((name.to_owned(), ip));
        Ok(ip)
    }

    fn add(&mut self, file: &Path, seed: Addr) {
        let warning = format!("{}: names {seed} more than once: it counts once", file.display());
        if !self.seeds.contains(&seed) {
            self.seeds.push(seed);
        } else if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;
    use std::net::IpAddr;

    use super::*;

    fn nobody(name: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other(format!("nobody knows {name}")))
    }

    fn read(text: &[u8]) -> Result<SeedList, SeedListError> {
        parse(Path::new("config.txt"), text, &nobody)
    }

    fn error(text: &[u8]) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn comments_blank_lines_and_line_ends_are_ignored() {
        let list = read(b"\xef\xbb\xbf# seeds\r\n\r\n 127.0.0.1:5001 # first\r\n\t127.0.0.1:5002").unwrap();
        assert_eq!(list.seeds, [Addr::loopback(5001), Addr::loopback(5002)]);
        assert!(list.warnings.is_empty());
    }

    #[test]
    fn a_seed_named_twice_counts_once() {
        let list = read(b"127.0.0.1:5001\n127.0.0.1:5001\n127.0.0.1:5001\n").unwrap();
        assert_eq!(list.seeds.len(), 1);
        assert_eq!(list.warnings, ["config.txt: names 127.0.0.1:5001 more than once: it counts once"]);
    }

    #[test]
    fn a_bad_line_names_file_line_and_what_was_expected() {
        assert_eq!(
            error(b"# seeds\n127.0.0.1:5001\nlocalhost 5002\n"),
            "config.txt:3: 'localhost 5002' is not a seed: expected ip:port or name:port, such as 127.0.0.1:5001"
        );
        for (line, said) in [
            ("127.0.0.1", "'127.0.0.1' is not a seed: expected ip:port or name:port"),
            ("5001", "'5001' is not a seed: expected ip:port or name:port"),
            ("127.0.0.1:0", "127.0.0.1:0 cannot be dialed: port 0 "),
            ("0.0.0.0:5001", "0.0.0.0:5001 cannot be dialed: 0.0.0.0 stands for all interfaces"),
            ("224.0.0.1:5001", "224.0.0.1:5001 cannot be dialed: it is a multicast address"),
            ("[::1]:5001", "'[::1]:5001' is an IPv6 address"),
            ("127.0.0.1:5001 x", "'5001 x' is not a port"),
            ("127.0.0.1:70000", "'70000' is not a port"),
            ("node:5001", "the host name 'node' cannot be looked up: nobody knows node"),
        ] {
            let found = error(line.as_bytes());
            assert!(found.starts_with(&format!("config.txt:1: {said}")), "{found}");
        }
    }

    #[test]
    fn a_name_is_looked_up_once_and_told_with_its_first_line() {
        let asked = Cell::new(0);
        let lookup = |name: &str| {
            asked.set(asked.get() + 1);
            assert_eq!(name, "node");
            Ok(vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()])
        };
        let text = b"127.0.0.1:5001\nnode:5002\nnode:5003\nnode:5001\n";
        let list = parse(Path::new("config.txt"), text, &lookup).unwrap();
        assert_eq!(list.seeds, [5001, 5002, 5003].map(Addr::loopback));
        assert_eq!(list.warnings, ["config.txt: names 127.0.0.1:5001 more than once: it counts once"]);
        assert_eq!(list.notes, ["config.txt:2: node is 127.0.0.1"]);
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn no_more_names_are_looked_up_than_there_may_be_seeds() {
        let asked = Cell::new(0);
        let lookup = |_: &str| {
            asked.set(asked.get() + 1);
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        };
        let text = (0..2 * SEEDS_MAX).map(|n| format!("n{n}:1\n")).collect::<Vec<_>>().concat();
        let error = parse(Path::new("config.txt"), text.as_bytes(), &lookup).unwrap_err().to_string();
        assert!(error.contains("more than 1000 seeds"), "{error}");
        assert_eq!(asked.get(), SEEDS_MAX + 1);
    }

    #[test]
    fn a_bad_line_is_shown_escaped_and_short() {
        assert!(error(b"\x1b[2J\xff").contains(r"'\x1b[2J\xff'"));
        assert!(error(&[b'x'; 5_000]).len() < 160);
    }

    #[test]
    fn a_list_without_seeds_says_what_to_put_in() {
        assert_eq!(error(b"\n# none yet\n"), "config.txt: names no seed: add one per line, such as 127.0.0.1:5001");
    }

    #[test]
    fn a_file_that_is_not_there_says_what_to_create() {
        let error = SeedList::read(Path::new("no/such/config.txt"), &nobody).unwrap_err().to_string();
        assert!(error.starts_with("no/such/config.txt: no such file: create it"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_seed_list_is_not_read_to_its_end() {
        let error = SeedList::read(Path::new("/dev/zero"), &nobody).unwrap_err().to_string();
        assert_eq!(error, "/dev/zero: longer than 64 KiB: expected a list of seeds, one ip:port or name:port per line");
    }
}
