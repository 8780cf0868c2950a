//! The seed list: `config.txt`, one `ip:port` a line.

use std::io;
use std::path::{Path, PathBuf};

use super::files;
use crate::proto::addr::Addr;
use crate::proto::text::Escaped;

/// Longest seed list in bytes. A thousand seeds with a comment each fit; a file that is longer is
/// some other file.
pub(crate) const FILE_LEN_MAX: u64 = 64 * 1024;
/// Most seeds on a list. Each peer registers with more than half of them.
pub(crate) const SEEDS_MAX: usize = 1_000;

const BOM: &str = "\u{feff}";
/// Of a bad line, this much is shown.
const SHOWN_LEN_MAX: usize = 60;

/// The seeds of a network, as a file names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeedList {
    /// The addresses, in the order of the file, each once.
    pub(crate) seeds: Vec<Addr>,
    /// Addresses that the file names more than once, each once.
    pub(crate) repeated: Vec<Addr>,
}

/// Why a seed list cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedListError {
    /// There is no such file.
    #[error("{}: no such file: create it with one seed a line, such as 127.0.0.1:5001, or name another with --config", .0.display())]
    Missing(PathBuf),
    /// The system does not let us read it.
    #[error("{}: cannot be read: {error}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Nothing but comments and blank lines.
    #[error("{}: names no seed: add one a line, such as 127.0.0.1:5001", .0.display())]
    Empty(PathBuf),
    /// Longer than any seed list.
    #[error("{}: longer than {} KiB: expected a list of seeds, one ip:port a line", .0.display(), FILE_LEN_MAX / 1024)]
    TooLong(PathBuf),
    /// More seeds than allowed.
    #[error("{}: more than {SEEDS_MAX} seeds: a network needs a few", .0.display())]
    TooMany(PathBuf),
    /// A line that is no address.
    #[error("{}:{line}: '{text}' is not a seed: expected ip:port such as 127.0.0.1:5001", file.display())]
    BadLine {
        /// Which file.
        file: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What it says, escaped.
        text: String,
    },
}

impl SeedList {
    /// Reads the list from a file.
    pub(crate) fn read(file: &Path) -> Result<Self, SeedListError> {
        match files::read_bounded(file, FILE_LEN_MAX) {
            Ok(Some(bytes)) => parse(file, &bytes),
            Ok(None) => Err(SeedListError::TooLong(file.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SeedListError::Missing(file.to_owned())),
            Err(error) => Err(SeedListError::Unreadable { file: file.to_owned(), error }),
        }
    }
}

/// The list that these bytes are.
pub(super) fn parse(file: &Path, bytes: &[u8]) -> Result<SeedList, SeedListError> {
    let mut list = SeedList { seeds: Vec::new(), repeated: Vec::new() };
    let bytes = bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Some(text) = content(line) else { continue };
        list.add(seed(text).ok_or_else(|| bad_line(file, index + 1, text))?);
    }
    match list.seeds.len() {
        0 => Err(SeedListError::Empty(file.to_owned())),
        1..=SEEDS_MAX => Ok(list),
        _ => Err(SeedListError::TooMany(file.to_owned())),
    }
}

/// What a line says, without blanks around it and without a comment.
fn content(line: &[u8]) -> Option<&[u8]> {
    let text = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
    (!text.is_empty()).then_some(text)
}

fn seed(text: &[u8]) -> Option<Addr> {
    let addr: Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    addr.is_dialable().then_some(addr)
}

fn bad_line(file: &Path, line: usize, text: &[u8]) -> SeedListError {
    let shown: String = Escaped(text).to_string();
    let text = match shown.char_indices().nth(SHOWN_LEN_MAX) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown,
    };
    SeedListError::BadLine { file: file.to_owned(), line, text }
}

impl SeedList {
    fn add(&mut self, seed: Addr) {
        if !self.seeds.contains(&seed) {
            self.seeds.push(seed);
        } else if !self.repeated.contains(&seed) {
            self.repeated.push(seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<SeedList, SeedListError> {
        parse(Path::new("config.txt"), text)
    }

    fn error(text: &[u8]) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn comments_blank_lines_and_line_ends_of_any_system_are_no_matter() {
        let list = read(b"\xef\xbb\xbf# seeds\r\n\r\n 127.0.0.1:5001 # first\r\n\t127.0.0.1:5002").unwrap();
        assert_eq!(list.seeds, [Addr::loopback(5001), Addr::loopback(5002)]);
        assert!(list.repeated.is_empty());
    }

    #[test]
    fn a_seed_named_twice_counts_once() {
        let list = read(b"127.0.0.1:5001\n127.0.0.1:5001\n127.0.0.1:5001\n").unwrap();
        assert_eq!((list.seeds.len(), list.repeated), (1, vec![Addr::loopback(5001)]));
    }

    #[test]
    fn a_bad_line_names_file_line_and_what_was_expected() {
        assert_eq!(
            error(b"# seeds\n127.0.0.1:5001\nlocalhost:5002\n"),
            "config.txt:3: 'localhost:5002' is not a seed: expected ip:port such as 127.0.0.1:5001"
        );
        for line in ["127.0.0.1", "127.0.0.1:0", "0.0.0.0:5001", "[::1]:5001", "5001", "127.0.0.1:5001 x"] {
            assert!(error(line.as_bytes()).starts_with("config.txt:1: "), "{line}");
        }
    }

    #[test]
    fn a_bad_line_is_shown_escaped_and_short() {
        assert!(error(b"\x1b[2J\xff").contains(r"'\x1b[2J\xff'"));
        assert!(error(&[b'x'; 5_000]).len() < 160);
    }

    #[test]
    fn a_list_without_seeds_says_what_to_put_in() {
        assert_eq!(error(b"\n# none yet\n"), "config.txt: names no seed: add one a line, such as 127.0.0.1:5001");
    }

    #[test]
    fn a_file_that_is_not_there_says_what_to_create() {
        let error = SeedList::read(Path::new("no/such/config.txt")).unwrap_err().to_string();
        assert!(error.starts_with("no/such/config.txt: no such file: create it"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_seed_list_is_not_read_to_its_end() {
        let error = SeedList::read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(error, "/dev/zero: longer than 64 KiB: expected a list of seeds, one ip:port a line");
    }
}
