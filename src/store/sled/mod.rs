//! The sled engine: the embedded default.

/// The embedded store.
pub struct SledStore;
