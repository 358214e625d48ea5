//! A hash of everything that the values of a plan depend on.

use crate::sample::Sample;
use neurdsp_simd::Isa;
use std::fmt::{self, Write};

/// A hash of what is written to it.
#[derive(Default)]
pub(crate) struct Hashing(blake3::Hasher);

impl Hashing {
    /// Hashes bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all so far.
    pub(crate) fn finish(self) -> [u8; 16] {
        let mut hash = [0; 16];
        self.0.finalize_xof().fill(&mut hash);
        hash
    }
}

impl Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// A hash of all that the values of a plan depend on.
///
/// The debug output of the parts holds every field and every coefficient to its last bit, and will hold fields that are
/// added later. The version and the instruction set are included because they may change the last bits.
pub(super) fn fingerprint<T: Sample>(parts: &[&dyn fmt::Debug]) -> [u8; 16] {
    let mut hash = Hashing::default();
    let (version, isa) = (env!("CARGO_PKG_VERSION"), Isa::detect().name());
    // Writing to a hash cannot fail.
    let _ = write!(hash, "neurdsp {version} {isa} {} {parts:?}", std::any::type_name::<T>());
    hash.finish()
}
