//! `pickle.dumps` and `pickle.loads` of a list of address tuples, protocol 4, as `CPython` has them.

use gossipctl::proto::addr::Addr;

pub(crate) fn dumps(list: &[Addr]) -> Vec<u8> {
    let mut body = b"]\x94".to_vec();
    // CPython begins a new batch after 1,000 entries; long before that no reader can take the list.
    match list {
        [] => {}
        [only] => {
            put(&mut body, *only);
            body.push(b'a');
        }
        _ => {
            body.push(b'(');
            for addr in list {
                put(&mut body, *addr);
            }
            body.push(b'e');
        }
    }
    body.push(b'.');
    let mut bytes = b"\x80\x04".to_vec();
    // No frame around less than four bytes.
    if body.len() >= 4 {
        bytes.push(0x95);
        bytes.extend((body.len() as u64).to_le_bytes());
    }
    bytes.extend(body);
    bytes
}

fn put(body: &mut Vec<u8>, addr: Addr) {
    let ip = addr.ip().to_string();
    body.extend([0x8c, u8::try_from(ip.len()).unwrap()]);
    body.extend(ip.as_bytes());
    body.push(0x94);
    if let Ok(port) = u8::try_from(addr.port()) {
        body.extend([b'K', port]);
    } else {
        body.push(b'M');
        body.extend(addr.port().to_le_bytes());
    }
    body.extend(b"\x86\x94");
}

/// The list, if these bytes are one whole pickle and nothing else.
pub(crate) fn loads(bytes: &[u8]) -> Result<Vec<Addr>, &'static str> {
    let mut reader = Reader(bytes);
    if reader.take(2)? != b"\x80\x04" {
        return Err("invalid load key");
    }
    if reader.0.first() == Some(&0x95) {
        let frame = reader.take(9)?;
        let len = u64::from_le_bytes(frame[1..].try_into().unwrap());
        if len != reader.0.len() as u64 {
            return Err("pickle data was truncated");
        }
    }
    reader.list()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("pickle data was truncated")?;
        self.0 = rest;
        Ok(taken)
    }

    fn list(&mut self) -> Result<Vec<Addr>, &'static str> {
        if self.take(2)? != b"]\x94" {
            return Err("no list");
        }
        let mut list = Vec::new();
        loop {
            match self.take(1)? {
                b"." if self.0.is_empty() => return Ok(list),
                b"(" | b"a" | b"e" => {}
                b"\x8c" => list.push(self.pair()?),
                _ => return Err("an opcode that no list of addresses has"),
            }
        }
    }

    fn pair(&mut self) -> Result<Addr, &'static str> {
        let len = usize::from(self.take(1)?[0]);
        let ip = std::str::from_utf8(self.take(len)?).map_err(|_| "no text")?;
        let ip = ip.parse().map_err(|_| "no address")?;
        self.memoized()?;
        let port = match self.take(1)? {
            b"K" => u16::from(self.take(1)?[0]),
            b"M" => u16::from_le_bytes(self.take(2)?.try_into().unwrap()),
            _ => return Err("no port"),
        };
        if self.take(1)? != b"\x86" {
            return Err("no pair");
        }
        self.memoized()?;
        Ok(Addr::new(ip, port))
    }

    fn memoized(&mut self) -> Result<(), &'static str> {
        if self.take(1)? == b"\x94" { Ok(()) } else { Err("not as CPython writes it") }
    }
}
