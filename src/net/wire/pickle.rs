//! The one pickle of the classic dialect: a seed's list of `(ip, port)` tuples.
//!
//! A pickle is a program for a stack machine, and Python's machine can be made to run anything.
//! This one knows one list, pairs, strings and numbers, and no other opcode. It keeps only what an
//! address needs, so every value is a few bytes, nothing nests, and fetching from the memo copies a
//! handle: no pickle can make it hold more than [`PYTHON_LIST_LEN_MAX`] of anything. Opcodes are
//! those of Python's `pickletools`, protocols 2 to 5.
//!
//! An entry with the right types that cannot be dialed (a host name, port 0) is left out rather
//! than held against the seed: Python seeds list whatever strangers register.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::grammar::NoMessage;
use crate::proto::addr::Addr;
use crate::proto::event::Rule;

/// The longest list: a Python seed sends its whole list, with another entry for each registration.
/// A Python reader takes some sixty, so no working network sends more.
pub(super) const PYTHON_LIST_LEN_MAX: usize = 8_192;
/// The longest pickle: a list of the greatest length takes 34 bytes per entry in protocol 2.
const PICKLE_LEN_MAX: usize = 40 * PYTHON_LIST_LEN_MAX;
/// The longest string; that of an address has 15 bytes, that of a host name up to 253.
const STRING_LEN_MAX: usize = 255;
/// Values on the stack: all entries of a list on their way into it, and a few more.
const STACK_LEN_MAX: usize = PYTHON_LIST_LEN_MAX + 8;
/// Values in the memo: the list, and the string and the tuple of each entry.
const MEMO_LEN_MAX: usize = 2 * PYTHON_LIST_LEN_MAX + 8;
/// Marks that are open at one time: of the list, and of a tuple in it.
const MARKS_MAX: usize = 2;

/// Python puts no frame around less than this.
const FRAME_LEN_MIN: usize = 4;

const HOSTILE: NoMessage = NoMessage::Broken(Rule::HostilePickle);

/// What can be on the stack or in the memo.
#[derive(Debug, Clone, Copy)]
enum PickleValue {
    /// The one list.
    List,
    /// A string, and the address that it spells, if it does.
    Text(Option<Ipv4Addr>),
    /// A number, and the port that it is, if it is one.
    Number(Option<u16>),
    /// A tuple of a string and a number, and the node that it names, if it does.
    Pair(Option<Addr>),
}

/// One step of the program.
#[derive(Debug, Clone, Copy)]
enum Op {
    Push(PickleValue),
    Mark,
    Append,
    Appends,
    Pair,
    MarkedPair,
    Memoize,
    Put(u32),
    Get(u32),
    Frame,
    Stop,
}

/// Reads a pickle as it arrives, opcode by opcode.
#[derive(Debug, Default)]
pub(super) struct PickleReader {
    consumed: usize,
    stack: Vec<PickleValue>,
    /// Heights of the stack at which a tuple or a batch of entries starts. Only the opcode that
    /// closes a mark reaches below it.
    marks: Vec<usize>,
    memo: BTreeMap<u32, PickleValue>,
    list: Vec<Addr>,
    /// Entries of the list, including those that were left out.
    entries: usize,
}

impl PickleReader {
    /// Takes opcodes off the front of `src`; at the end of the pickle, returns the list.
    pub(super) fn read(&mut self, src: &mut BytesMut) -> Result<Vec<Addr>, NoMessage> {
        if self.consumed == 0 {
            check_protocol(src)?;
            self.take(src, 2)?;
        }
        loop {
            let (op, len) = parse(src)?;
            if matches!(op, Op::Stop) {
                let list = self.finish()?;
                self.take(src, len)?;
                return Ok(list);
            }
            self.apply(op).map_err(NoMessage::Broken)?;
            self.take(src, len)?;
        }
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.consumed > 0
    }

    fn take(&mut self, src: &mut BytesMut, len: usize) -> Result<(), NoMessage> {
        self.consumed += len;
        if self.consumed > PICKLE_LEN_MAX {
            return Err(HOSTILE);
        }
        src.advance(len);
        Ok(())
    }

    /// At the end only the list is on the stack.
    fn finish(&mut self) -> Result<Vec<Addr>, NoMessage> {
        match (&*self.stack, &*self.marks) {
            ([PickleValue::List], []) => Ok(std::mem::take(&mut self.list)),
            _ => Err(HOSTILE),
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), Rule> {
        match op {
            Op::Push(value) => self.push(value),
            Op::Mark => self.mark(),
            Op::Append => {
                self.top(2)?;
                self.append_from(self.top(1)?)
            }
            Op::Appends => {
                let mark = self.marks.pop().ok_or(Rule::HostilePickle)?;
                self.append_from(mark)
            }
            Op::Pair => self.pair_from(self.top(2)?),
            Op::MarkedPair => {
                let mark = self.marks.pop().ok_or(Rule::HostilePickle)?;
                self.pair_from(mark)
            }
            Op::Memoize => self.memoize(u32::try_from(self.memo.len()).map_err(|_| Rule::HostilePickle)?),
            Op::Put(index) => self.memoize(index),
            Op::Get(index) => self.push(*self.memo.get(&index).ok_or(Rule::HostilePickle)?),
            Op::Frame | Op::Stop => Ok(()),
        }
    }

    fn push(&mut self, value: PickleValue) -> Result<(), Rule> {
        if self.stack.len() >= STACK_LEN_MAX {
            return Err(Rule::ListTooLong);
        }
        if matches!(value, PickleValue::List) && !self.stack.is_empty() {
            return Err(Rule::HostilePickle);
        }
        self.stack.push(value);
        Ok(())
    }

    fn mark(&mut self) -> Result<(), Rule> {
        if self.marks.len() >= MARKS_MAX {
            return Err(Rule::HostilePickle);
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// Where the last `count` values start, if that many are above the latest mark.
    fn top(&self, count: usize) -> Result<usize, Rule> {
        let floor = self.marks.last().copied().unwrap_or_default();
        self.stack.len().checked_sub(count).filter(|start| *start >= floor).ok_or(Rule::HostilePickle)
    }

    /// Moves the pairs from there on to the list, which is right below them.
    fn append_from(&mut self, start: usize) -> Result<(), Rule> {
        let below = start.checked_sub(1).and_then(|at| self.stack.get(at));
        if !matches!(below, Some(PickleValue::List)) {
            return Err(Rule::HostilePickle);
        }
        for value in self.stack.drain(start..) {
            let PickleValue::Pair(addr) = value else { return Err(Rule::HostilePickle) };
            self.entries += 1;
            self.list.extend(addr);
        }
        if self.entries > PYTHON_LIST_LEN_MAX { Err(Rule::ListTooLong) } else { Ok(()) }
    }

    /// Makes a tuple of what is on the stack from there on.
    fn pair_from(&mut self, start: usize) -> Result<(), Rule> {
        let Some([PickleValue::Text(ip), PickleValue::Number(port)]) = self.stack.get(start..) else {
            return Err(Rule::HostilePickle);
        };
        let addr = ip.zip(*port).map(|(ip, port)| Addr::new(ip, port)).filter(|addr| addr.is_dialable());
        self.stack.truncate(start);
        self.push(PickleValue::Pair(addr))
    }

    fn memoize(&mut self, index: u32) -> Result<(), Rule> {
        let value = self.stack[self.top(1)?];
        self.memo.insert(index, value);
        if self.memo.len() > MEMO_LEN_MAX { Err(Rule::ListTooLong) } else { Ok(()) }
    }
}

/// A pickle starts with its protocol.
fn check_protocol(src: &[u8]) -> Result<(), NoMessage> {
    match src {
        [] | [0x80] => Err(NoMessage::More),
        [0x80, 2..=5, ..] => Ok(()),
        [0x80, ..] => Err(HOSTILE),
        [..] => Err(NoMessage::Broken(Rule::Malformed)),
    }
}

/// The opcode in front of `src`, and its length with its argument.
fn parse(src: &[u8]) -> Result<(Op, usize), NoMessage> {
    let (code, rest) = src.split_first().ok_or(NoMessage::More)?;
    let plain = |op| Ok((op, 1));
    match code {
        b']' => plain(Op::Push(PickleValue::List)),
        b'(' => plain(Op::Mark),
        b'a' => plain(Op::Append),
        b'e' => plain(Op::Appends),
        0x86 => plain(Op::Pair),
        b't' => plain(Op::MarkedPair),
        0x94 => plain(Op::Memoize),
        b'.' => plain(Op::Stop),
        b'q' => argument(rest, |[index]| Op::Put(index.into())),
        b'r' => argument(rest, |index| Op::Put(u32::from_le_bytes(index))),
        b'h' => argument(rest, |[index]| Op::Get(index.into())),
        b'j' => argument(rest, |index| Op::Get(u32::from_le_bytes(index))),
        b'K' => argument(rest, |[value]| number(value.into())),
        b'M' => argument(rest, |value| number(u16::from_le_bytes(value).into())),
        b'J' => argument(rest, |value| number(i32::from_le_bytes(value))),
        0x8c => string(rest, |[len]| len.into()),
        b'X' => string(rest, u32::from_le_bytes),
        // The length of this frame: good for reading ahead, which nobody does here.
        0x95 => argument(rest, |_: [u8; 8]| Op::Frame),
        _ => Err(HOSTILE),
    }
}

/// An opcode with an argument of `N` bytes.
fn argument<const N: usize>(rest: &[u8], op: impl FnOnce([u8; N]) -> Op) -> Result<(Op, usize), NoMessage> {
    rest.first_chunk().map(|argument| (op(*argument), 1 + N)).ok_or(NoMessage::More)
}

fn number(value: i32) -> Op {
    Op::Push(PickleValue::Number(u16::try_from(value).ok()))
}

/// A string after its length of `N` bytes.
fn string<const N: usize>(rest: &[u8], len: impl FnOnce([u8; N]) -> u32) -> Result<(Op, usize), NoMessage> {
    let (argument, rest) = rest.split_first_chunk().ok_or(NoMessage::More)?;
    let len = usize::try_from(len(*argument)).ok().filter(|len| *len <= STRING_LEN_MAX);
    let len = len.ok_or(NoMessage::Broken(Rule::TextTooLong))?;
    let text = rest.get(..len).ok_or(NoMessage::More)?;
    let ip = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Ok((Op::Push(PickleValue::Text(ip)), 1 + N + len))
}

/// The pickle of a list, in protocol 4, byte for byte as Python's `pickle.dumps` writes it.
pub(super) fn write(list: &[Addr]) -> Vec<u8> {
    let mut content = vec![b']', 0x94];
    match list {
        [] => {}
        [only] => {
            put_pair(&mut content, *only);
            content.push(b'a');
        }
        // Python starts a new batch every 1,000 entries; no list that is sent is that long.
        _ => {
            content.push(b'(');
            for addr in list {
                put_pair(&mut content, *addr);
            }
            content.push(b'e');
        }
    }
    content.push(b'.');
    let mut pickle = vec![0x80, 4];
    if content.len() >= FRAME_LEN_MIN {
        pickle.put_u8(0x95);
        pickle.put_u64_le(content.len() as u64);
    }
    pickle.extend(content);
    pickle
}

fn put_pair(content: &mut Vec<u8>, addr: Addr) {
    let ip = addr.ip().to_string();
    content.push(0x8c);
    content.put_u8(u8::try_from(ip.len()).unwrap_or(u8::MAX));
    content.put_slice(ip.as_bytes());
    content.push(0x94);
    if let Ok(port) = u8::try_from(addr.port()) {
        content.extend([b'K', port]);
    } else {
        content.push(b'M');
        content.put_u16_le(addr.port());
    }
    content.extend([0x86, 0x94]);
}
