//! What the drawing looks like, and how the selection moves over it.
