//! What a user or a neighbor would notice of the two dialects.

mod classic;
mod docs;
mod framed;
mod limits;
mod pickle;
mod properties;
