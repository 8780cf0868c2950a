//! `text.split(':')` and `eval`, which take one whole message and nothing else.

use gossipctl::proto::addr::Addr;
use gossipctl::proto::time::ClockTime;

/// What a message says, as far as anybody looks at it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Address(Addr),
    Gossip,
    Request { time: &'a str, sender: &'a str },
    Reply { asker: Addr, answerer: Addr },
    Dead(Addr),
}

/// The message that this is, or the name of the exception.
pub(super) fn parse(text: &str) -> Result<Said<'_>, &'static str> {
    let fields: Vec<&str> = text.split(':').collect();
    match fields[..] {
        [address] => eval_address(address).map(Said::Address),
        ["Liveness Request", time, sender] => {
            clock(time)?;
            eval_address(sender)?;
            Ok(Said::Request { time, sender })
        }
        ["Liveness Reply", time, asker, answerer] => {
            clock(time)?;
            Ok(Said::Reply { asker: eval_address(asker)?, answerer: eval_address(answerer)? })
        }
        ["Dead Node", dead, time, reporter] => {
            clock(time)?;
            eval_address(reporter)?;
            eval_address(dead).map(Said::Dead)
        }
        [time, origin, body] if !body.is_empty() && !body.contains("('") => {
            clock(time)?;
            eval_address(origin)?;
            Ok(Said::Gossip)
        }
        _ => Err("ValueError"),
    }
}

fn clock(text: &str) -> Result<ClockTime, &'static str> {
    ClockTime::parse(text.as_bytes()).ok_or("ValueError")
}

/// `eval` of a printed tuple: the whole text and nothing else.
pub(super) fn eval_address(text: &str) -> Result<Addr, &'static str> {
    let parts = text.strip_prefix("('").and_then(|rest| rest.strip_suffix(')')).and_then(|rest| rest.split_once("', "));
    let (ip, port) = parts.ok_or("SyntaxError")?;
    match (ip.parse(), port.parse()) {
        (Ok(ip), Ok(port)) => Ok(Addr::new(ip, port)),
        _ => Err("SyntaxError"),
    }
}
