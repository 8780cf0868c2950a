//! The fields of a frame. All numbers are big-endian.

use std::net::Ipv4Addr;

use bytes::{BufMut, BytesMut};

use crate::proto::addr::Addr;
use crate::proto::config::LIST_LEN_MAX;
use crate::proto::event::Rule;
use crate::proto::message::{
    DeathCause, GoodbyeReason, Priority, ProbeExtras, RefusalReason, Role, RootBeacon, RootNews,
};
use crate::proto::time::{ClockTime, Time};

/// Bytes of an address.
const ADDR_LEN: usize = 6;

/// Reads one field after the other; a missing or invalid one is a broken rule.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Rule> {
        let (field, rest) = self.0.split_first_chunk().ok_or(Rule::Malformed)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Rule> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Rule> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Rule> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Rule> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn addr(&mut self) -> Result<Addr, Rule> {
        let ip = Ipv4Addr::from(self.array::<4>()?);
        let addr = Addr::new(ip, self.u16()?);
        if addr.is_dialable() { Ok(addr) } else { Err(Rule::BadAddress) }
    }

    pub(super) fn clock(&mut self) -> Result<ClockTime, Rule> {
        ClockTime::from_seconds(self.u32()?).ok_or(Rule::Malformed)
    }

    /// A moment. [`Time`] has no room for the very last one.
    pub(super) fn time(&mut self) -> Result<Time, Rule> {
        let micros = self.u64()?;
        if micros == u64::MAX { Err(Rule::Malformed) } else { Ok(Time::from_micros(micros)) }
    }

    /// A list; room is made for it only when all of it is known to be there.
    pub(super) fn list(&mut self) -> Result<Vec<Addr>, Rule> {
        let len = usize::from(self.u16()?);
        if len > LIST_LEN_MAX {
            return Err(Rule::ListTooLong);
        }
        if self.0.len() < len * ADDR_LEN {
            return Err(Rule::Malformed);
        }
        (0..len).map(|_| self.addr()).collect()
    }

    pub(super) fn extras(&mut self) -> Result<Option<ProbeExtras>, Rule> {
        let kind = self.u8()?;
        if kind == 0 {
            return Ok(None);
        }
        let neighbors = self.u16()?;
        let root = match kind {
            1 => RootNews::Nothing,
            2 => RootNews::Beacon(RootBeacon { root: self.addr()?, fresh: self.time()? }),
            3 => RootNews::Attested(self.addr()?),
            _ => return Err(Rule::Malformed),
        };
        Ok(Some(ProbeExtras { neighbors, root }))
    }

    /// The lowest address on a list, if any is known to live.
    pub(super) fn lowest(&mut self) -> Result<Option<Addr>, Rule> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.addr().map(Some),
            _ => Err(Rule::Malformed),
        }
    }

    pub(super) fn cause(&mut self) -> Result<Option<DeathCause>, Rule> {
        match self.u8()? {
            0 => Ok(None),
            1 => Ok(Some(DeathCause::Misses { misses: self.u32()? })),
            2 => Ok(Some(DeathCause::LinkError)),
            3 => Ok(Some(DeathCause::Closed)),
            4 => Ok(Some(DeathCause::Cut)),
            5 => Ok(Some(DeathCause::Lie)),
            _ => Err(Rule::Malformed),
        }
    }

    pub(super) fn role(&mut self) -> Result<Role, Rule> {
        self.one_of(&[Role::Seed, Role::Peer])
    }

    pub(super) fn priority(&mut self) -> Result<Priority, Rule> {
        self.one_of(&[Priority::Low, Priority::High, Priority::Bridge])
    }

    pub(super) fn refusal_reason(&mut self) -> Result<RefusalReason, Rule> {
        use RefusalReason::{Cut, Full, Myself, WrongRole};
        self.one_of(&[Full, Cut, Myself, WrongRole])
    }

    pub(super) fn goodbye_reason(&mut self) -> Result<GoodbyeReason, Rule> {
        use GoodbyeReason::{Duplicate, Leaving, MadeRoom, Replaced};
        self.one_of(&[Leaving, MadeRoom, Duplicate, Replaced])
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> Result<T, Rule> {
        values.get(usize::from(self.u8()?)).copied().ok_or(Rule::Malformed)
    }

    /// Nothing may follow the last field.
    pub(super) fn finish(self) -> Result<(), Rule> {
        if self.0.is_empty() { Ok(()) } else { Err(Rule::Malformed) }
    }
}

pub(super) fn put_addr(out: &mut BytesMut, addr: Addr) {
    out.put_slice(&addr.ip().octets());
    out.put_u16(addr.port());
}

/// The caller has checked that the list is not longer than [`LIST_LEN_MAX`], which fits two bytes.
pub(super) fn put_list(out: &mut BytesMut, list: &[Addr]) {
    const { assert!(LIST_LEN_MAX <= u16::MAX as usize) };
    out.reserve(2 + list.len() * ADDR_LEN);
    out.put_u16(u16::try_from(list.len()).unwrap_or(u16::MAX));
    for addr in list {
        put_addr(out, *addr);
    }
}

pub(super) fn put_extras(out: &mut BytesMut, extras: Option<&ProbeExtras>) {
    let Some(extras) = extras else { return out.put_u8(0) };
    let kind = match extras.root {
        RootNews::Nothing => 1,
        RootNews::Beacon(_) => 2,
        RootNews::Attested(_) => 3,
    };
    out.put_u8(kind);
    out.put_u16(extras.neighbors);
    match extras.root {
        RootNews::Nothing => {}
        RootNews::Beacon(beacon) => {
            put_addr(out, beacon.root);
            out.put_u64(beacon.fresh.as_micros());
        }
        RootNews::Attested(root) => put_addr(out, root),
    }
}

pub(super) fn put_lowest(out: &mut BytesMut, lowest: Option<Addr>) {
    out.put_u8(u8::from(lowest.is_some()));
    if let Some(lowest) = lowest {
        put_addr(out, lowest);
    }
}

pub(super) fn put_cause(out: &mut BytesMut, cause: Option<DeathCause>) {
    match cause {
        None => out.put_u8(0),
        Some(DeathCause::Misses { misses }) => {
            out.put_u8(1);
            out.put_u32(misses);
        }
        Some(DeathCause::LinkError) => out.put_u8(2),
        Some(DeathCause::Closed) => out.put_u8(3),
        Some(DeathCause::Cut) => out.put_u8(4),
        Some(DeathCause::Lie) => out.put_u8(5),
    }
}

pub(super) const fn role_code(role: Role) -> u8 {
    match role {
        Role::Seed => 0,
        Role::Peer => 1,
    }
}

pub(super) const fn priority_code(priority: Priority) -> u8 {
    match priority {
        Priority::Low => 0,
        Priority::High => 1,
        Priority::Bridge => 2,
    }
}

pub(super) const fn refusal_code(reason: RefusalReason) -> u8 {
    match reason {
        RefusalReason::Full => 0,
        RefusalReason::Cut => 1,
        RefusalReason::Myself => 2,
        RefusalReason::WrongRole => 3,
    }
}

pub(super) const fn goodbye_code(reason: GoodbyeReason) -> u8 {
    match reason {
        GoodbyeReason::Leaving => 0,
        GoodbyeReason::MadeRoom => 1,
        GoodbyeReason::Duplicate => 2,
        GoodbyeReason::Replaced => 3,
    }
}
