//! A band-split network as a model: from its file, and what it does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use neurdsp_simd::Isa;

use super::config::{BAND_SPLIT, BandSplitConfig};
use super::network::{CHANNELS, Network};
use super::stream::BandSplitStream;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::parity::Parity;
use crate::error::{Error, Result};
use crate::kinds::{Model, StreamSource, StreamingModel};

/// Values of a parity vector: verifying must not take longer than separating some seconds.
const MAX_PARITY_VALUES: usize = 1 << 20;
const PARITY_PREFIX: &str = "parity.";

/// A band-split network: a stereo recording in, the stems and the residual out, two hops later.
///
/// The outputs of a stream are `stem × 2 + channel`, in the order of the config, the residual last. A mono recording is two
/// equal channels, and costs half: as long as both are equal to the bit, one of them is computed.
pub struct BandSplit {
    network: Arc<Network>,
    metadata: BTreeMap<String, String>,
    /// None before the test vectors of a new file are made.
    parity: Option<Parity>,
}

impl BandSplit {
    /// Takes a network out of a model file, after checking its config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<Self> {
        BandSplit::for_isa(file, header, Isa::detect())
    }

    /// As [`from_file`](Self::from_file), for a given instruction set.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn for_isa(file: &ModelFile, header: &Header, isa: Isa) -> Result<Self> {
        let config: BandSplitConfig = header.typed_config()?;
        config.validate()?;
        let audio = AudioSpec { sample_rate: f64::from(config.sample_rate), channels: CHANNELS };
        if audio != header.audio {
            return Err(Error::OutOfRange {
                name: "neurdsp.audio".to_owned(),
                got: format!("{} Hz, {} channels", header.audio.sample_rate, header.audio.channels),
                expected: format!("{} Hz as the config has it, {CHANNELS} channels", audio.sample_rate),
            });
        }
        let shapes: BTreeMap<String, Vec<usize>> = config.parameter_shapes().into_iter().collect();
        let unknown =
            file.tensors.keys().find(|name| !name.starts_with(PARITY_PREFIX) && !shapes.contains_key(*name));
        if let Some(name) = unknown {
            return Err(Error::UnexpectedTensor {
                name: crate::container::json::one_line(name),
                architecture: format!(
                    "a {BAND_SPLIT} model of {} bands and {} blocks",
                    config.bands.len(),
                    config.n_blocks
                ),
            });
        }
        let has_parity = file.tensors.keys().any(|name| name.starts_with(PARITY_PREFIX));
        let parity = || Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES);
        let parity = if has_parity { Some(parity()?) } else { None };
        let network = Arc::new(Network::new(&config, &file.tensors, isa)?);
        Ok(BandSplit { network, metadata: file.metadata.clone(), parity })
    }

    /// The shape of the network.
    #[must_use]
    pub fn config(&self) -> &BandSplitConfig {
        &self.network.config
    }

    /// A new stream, in the state at the start of a recording.
    ///
    /// # Errors
    /// A transform that cannot be planned; the bounds of [`BandSplitConfig::validate`] exclude it.
    pub fn stream(&self) -> Result<BandSplitStream> {
        BandSplitStream::new(Arc::clone(&self.network))
    }
}

impl fmt::Debug for BandSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BandSplit").field("config", self.config()).finish_non_exhaustive()
    }
}

impl Model for BandSplit {
    fn architecture(&self) -> &str {
        BAND_SPLIT
    }

    fn audio(&self) -> AudioSpec {
        AudioSpec { sample_rate: f64::from(self.config().sample_rate), channels: CHANNELS }
    }

    fn n_parameters(&self) -> usize {
        self.config().n_parameters()
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    fn parity(&self) -> Option<&Parity> {
        self.parity.as_ref()
    }
}

impl StreamSource for BandSplit {
    fn receptive_field(&self) -> usize {
        self.network.receptive_field()
    }

    fn latency(&self) -> usize {
        self.config().latency()
    }

    fn build_stream(&self) -> Result<Box<dyn StreamingModel>> {
        Ok(Box::new(self.stream()?))
    }
}
