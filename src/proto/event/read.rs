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

use super::{DeathEvent, EventKind, FaultEvent, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent};

/// The field that names an event.
const NAME: &str = "event";

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = EventKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut rest: A) -> Result<EventKind, A::Error> {
        let mut before = Vec::new();
        while let Some(key) = rest.next_key::<Cow<'de, str>>()? {
            if key == NAME {
                let name: Cow<'de, str> = rest.next_value()?;
                return NamedFields { name: Some(name), before: before.into_iter(), held: HeldValue::Nothing, rest }
                    .read();
            }
            before.push((key, rest.next_value()?));
        }
        Err(A::Error::missing_field(NAME))
    }
}

/// The fields of an event, with its name first.
struct NamedFields<'de, A> {
    name: Option<Cow<'de, str>>,
    before: vec::IntoIter<(Cow<'de, str>, Value)>,
    held: HeldValue<'de>,
    rest: A,
}

/// The value of the key that was read last, unless it is still in the file.
enum HeldValue<'de> {
    Nothing,
    Name(Cow<'de, str>),
    Value(Value),
}

impl<'de, A: MapAccess<'de>> NamedFields<'de, A> {
    fn read(self) -> Result<EventKind, A::Error> {
        /// The family that knows the name reads the fields.
        macro_rules! first_of {
            ($name:expr, $($family:ty),*) => {
                $(if <$family>::VARIANTS.contains(&$name.as_ref()) {
                    <$family>::deserialize(MapAccessDeserializer::new(self)).map(EventKind::from)
                } else)* {
                    Err(A::Error::custom(format_args!("unknown event `{}`", $name)))
                }
            };
        }
        let name = self.name.clone().unwrap_or_default();
        first_of!(name, GossipEvent, ProbeEvent, LinkEvent, SeedEvent, DeathEvent, NodeEvent, FaultEvent)
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
