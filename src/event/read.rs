//! Events read from files.
//!
//! The name says which family reads the rest. It stands before the event's own fields in what this
//! program writes; fields that stand before it, in a file that somebody sorted, are held back.

use std::borrow::Cow;
use std::fmt;
use std::vec;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use strum::VariantNames;

use super::Event;
use crate::proto::addr::Addr;
use crate::proto::event::{
    DeathEvent, EventKind, FaultEvent, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent,
};
use crate::proto::time::Time;

/// The field that names an event.
const NAME: &str = "event";

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut rest: A) -> Result<Event, A::Error> {
        let (mut place, mut before) = (EventPlace::default(), Vec::new());
        let name = loop {
            let Some(FieldText(key)) = rest.next_key()? else { return Err(A::Error::missing_field(NAME)) };
            if key == NAME {
                break rest.next_value::<FieldText<'_>>()?.0;
            }
            if !place.take(&key, &mut rest)? {
                before.push((key, rest.next_value()?));
            }
        };
        let held = HeldValue::Nothing;
        let mut fields = NamedFields { name: Some(name.clone()), before: before.into_iter(), held, place, rest };
        let kind = fields.read(&name)?;
        let EventPlace { at, node } = fields.place;
        let at = at.ok_or_else(|| A::Error::missing_field("at"))?;
        let node = node.ok_or_else(|| A::Error::missing_field("node"))?;
        Ok(Event { at, node, kind })
    }
}

/// A text that is not copied if it stands in the file as it is.
#[derive(Deserialize)]
struct FieldText<'a>(#[serde(borrow)] Cow<'a, str>);

/// When and where an event happened.
#[derive(Default)]
struct EventPlace {
    at: Option<Time>,
    node: Option<Addr>,
}

impl EventPlace {
    fn is_known(&self) -> bool {
        self.at.is_some() && self.node.is_some()
    }

    /// Takes the value if the field is one of these.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, rest: &mut A) -> Result<bool, A::Error> {
        match key {
            "at" => self.at = Some(rest.next_value()?),
            "node" => self.node = Some(rest.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The fields of an event but its place, with its name first.
struct NamedFields<'de, A> {
    name: Option<Cow<'de, str>>,
    before: vec::IntoIter<(Cow<'de, str>, Value)>,
    held: HeldValue<'de>,
    place: EventPlace,
    rest: A,
}

/// The value of the key that was read last, unless it is still in the file.
enum HeldValue<'de> {
    Nothing,
    Name(Cow<'de, str>),
    Value(Value),
}

impl<'de, A: MapAccess<'de>> NamedFields<'de, A> {
    /// The family that knows the name reads the fields.
    fn read(&mut self, name: &str) -> Result<EventKind, A::Error> {
        macro_rules! first_of {
            ($($family:ty),*) => {
                $(if <$family>::VARIANTS.contains(&name) {
                    <$family>::deserialize(MapAccessDeserializer::new(self)).map(EventKind::from)
                } else)* {
                    Err(A::Error::custom(format_args!("unknown event `{name}`")))
                }
            };
        }
        first_of!(GossipEvent, ProbeEvent, LinkEvent, SeedEvent, DeathEvent, NodeEvent, FaultEvent)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for NamedFields<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if let Some(name) = self.name.take() {
            self.held = HeldValue::Name(name);
            return seed.deserialize(NAME.into_deserializer()).map(Some);
        }
        if let Some((key, value)) = self.before.next() {
            self.held = HeldValue::Value(value);
            return seed.deserialize(CowStrDeserializer::new(key)).map(Some);
        }
        while !self.place.is_known() {
            let Some(FieldText(key)) = self.rest.next_key()? else { return Ok(None) };
            if !self.place.take(&key, &mut self.rest)? {
                return seed.deserialize(CowStrDeserializer::new(key)).map(Some);
            }
        }
        self.rest.next_key_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match std::mem::replace(&mut self.held, HeldValue::Nothing) {
            HeldValue::Name(name) => seed.deserialize(CowStrDeserializer::new(name)),
            HeldValue::Value(value) => seed.deserialize(value).map_err(A::Error::custom),
            HeldValue::Nothing => self.rest.next_value_seed(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::event::Event;
    use crate::event::samples::{event, one_of_each, peer};

    #[test]
    fn the_fields_of_an_event_may_come_in_any_order() {
        for kind in one_of_each() {
            let event = event(peer(1), kind);
            let fields = serde_json::to_value(&event).unwrap();
            let backwards: Vec<_> =
                fields.as_object().unwrap().iter().rev().map(|(k, v)| format!("\"{k}\":{v}")).collect();
            let line = format!("{{{}}}", backwards.join(","));
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
        }
    }

    #[test]
    fn an_unknown_event_is_named() {
        let read = |name: &str| {
            let line = format!(r#"{{"at":1,"node":"127.0.0.1:1",{name}"peer":"127.0.0.1:2"}}"#);
            serde_json::from_str::<Event>(&line).unwrap_err().to_string()
        };
        assert!(read(r#""event":"link_upp","#).starts_with("unknown event `link_upp` at line 1"));
        assert!(
            serde_json::from_str::<Event>(r#"{"event":"hung","at":1}"#).unwrap_err().to_string().contains("`node`")
        );
        assert!(read("").starts_with("missing field `event` at line 1"));
    }
}
