//! What the user breaks in words.

use super::{NameOf, Readers, Severity, Words};
use crate::event::FaultEvent;

impl Words for FaultEvent {
    fn readers(&self) -> Readers {
        match self {
            Self::Set { .. } | Self::Cleared { .. } | Self::Lied { .. } => Readers::LOG_FILE.and_user(Severity::Info),
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::Set { fault, .. } => format!("Fault: {}", fault.text(name)),
            Self::Cleared { fault, .. } => format!("No longer: {}", fault.text(name)),
            Self::Lied { about } => format!("Lies to its seeds, as told: {} is dead", name(*about)),
        }
    }
}
