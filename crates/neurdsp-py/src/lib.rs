//! The Python binding `neurdsp._core`: it borrows arrays, calls the core and wraps results. Defaults and arithmetic are
//! elsewhere. The Python package is its only user; it adds names, defaults and checks:
//!
//! ```python
//! from neurdsp.amp import AmpModel
//!
//! amp = AmpModel.load("ts9")  # holds a `_core.AmpModel`
//! wet = amp.render(dry, 48_000)
//! ```
//!
//! `_core.pyi` beside the package declares what this crate exports; a test compares the two.

use pyo3::prelude::*;

mod amp;
mod bench;
mod cache;
mod chain;
mod drumsep;
mod dsp;
mod errors;
mod files;
mod groove;
mod kick;
mod kick_mel;
mod midi;
mod modelfile;
mod music;
mod operation;
mod scan;
mod tonal;
mod train;
mod worker;

#[pymodule(gil_used = false)]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::amp::{AmpModel, AmpStream};
    #[pymodule_export]
    use crate::bench::{bench_amp, bench_model, instruction_sets};
    #[pymodule_export]
    use crate::cache::{PyFeatures, PyMelCache};
    #[pymodule_export]
    use crate::chain::{
        AmpChain, ChainBlock, chain_parameters, level_gains_db, prepare_cabinet, select_response,
    };
    #[pymodule_export]
    use crate::drumsep::{PyBandSplit, PyBandSplitStream, PyTfcTdf};
    #[pymodule_export]
    use crate::dsp::{
        PyIstft, PySpectrogram, PyStft, PyStream, hz_to_mel, limit_range, mel_filterbank, mel_frequencies,
        mel_to_hz, window,
    };

    #[pymodule_export]
    use crate::groove::{PyDynamicsCalls, PyGrooveBars, PyGrooveCalls, groove_constants};

    #[pymodule_export]
    use crate::files::{blake2b_128, publish_files};
    #[pymodule_export]
    use crate::kick::{PyKickHybrid, kick_canonical, kick_key, kick_render};
    #[pymodule_export]
    use crate::kick_mel::PyKickMel;
    #[pymodule_export]
    use crate::midi::{PyMidiFile, PyTempoMap};
    #[pymodule_export]
    use crate::modelfile::{
        amp_json_format, describe_model, is_model_file, lstm_to_json, model_file_layout, model_to_nam,
        nam_to_model_file, read_amp_json, read_model_file, read_nam_as_amp, verify_model_file,
        write_amp_json, write_model_file,
    };

    #[pymodule_export]
    use crate::music::PyMusicNetwork;
    #[pymodule_export]
    use crate::scan::{gated_scan, gated_scan_backward};
    #[pymodule_export]
    use crate::tonal::{
        PySegments, chord_index, chord_names, estimate_key, key_facts, melody_conditions, melody_continue,
        melody_memory, melody_notes, melody_tokens, memory_weights, parse_key,
    };
    #[pymodule_export]
    use crate::train::PyWavenetTrainer;
    #[pymodule_export]
    use crate::worker::PyMusicWorker;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
