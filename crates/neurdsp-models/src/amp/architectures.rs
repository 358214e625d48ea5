//! The architectures of amp models that a model file can name.

use std::sync::Arc;

use crate::amp::knobs::AMP_PARAMETRIC;
use crate::amp::nam::{self, NamOptions};
use crate::amp::playable::Playable;
use crate::amp::residual::{self, AMP_WAVENET};
use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::Result;

/// Takes a network out of a model file, and prepares it.
type Read = fn(&ModelFile, &Header, &NamOptions) -> Result<Arc<dyn Playable>>;

/// An architecture, and how a model file of it is read.
pub(crate) struct Architecture {
    pub(crate) name: &'static str,
    pub(crate) read: Read,
}

/// The architectures whose weights stand in the file as they play.
pub(crate) const ARCHITECTURES: [Architecture; 6] = [
    Architecture { name: AMP_WAVENET, read: residual::read },
    Architecture { name: "nam.wavenet", read: nam::read },
    Architecture { name: "nam.lstm", read: nam::read },
    Architecture { name: "nam.convnet", read: nam::read },
    Architecture { name: "nam.linear", read: nam::read },
    Architecture { name: "nam.container", read: nam::read },
];

/// The names of all architectures: the one with knobs, which holds one of the others, and the others.
pub(crate) const NAMES: [&str; 1 + ARCHITECTURES.len()] = {
    let mut names = [AMP_PARAMETRIC; 1 + ARCHITECTURES.len()];
    names[0] = ARCHITECTURES[0].name;
    let mut i = 1;
    while i < ARCHITECTURES.len() {
        names[1 + i] = ARCHITECTURES[i].name;
        i += 1;
    }
    names
};
