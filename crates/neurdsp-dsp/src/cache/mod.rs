//! A cache of computed features.
//!
//! A [`Key`] is a BLAKE3 hash of the samples and one of everything that was done to them, so a cache needs no
//! invalidation. BLAKE3 rather than a faster hash without cryptography: a folder may be shared, audio comes from
//! anywhere, and nobody must be able to craft two recordings with the same key.

mod disk;
mod features;
mod key;
mod mel_cache;
mod memory;

pub use features::{Features, Values};
pub use key::Key;
pub use mel_cache::{CacheStats, MelCache};
