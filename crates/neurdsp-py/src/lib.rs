//! The Python binding: it borrows arrays, calls the core and wraps results. No defaults and no arithmetic here.

use pyo3::prelude::*;

mod amp;
mod bench;
mod cache;
mod chain;
mod dsp;
mod errors;
mod modelfile;
mod train;

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
    use crate::chain::{AmpChain, ChainBlock, chain_parameters, level_gains_db, prepare_cabinet};
    #[pymodule_export]
    use crate::dsp::{PyIstft, PySpectrogram, PyStft, PyStream, limit_range, mel_filterbank, window};

    #[pymodule_export]
    use crate::modelfile::{
        describe_model, is_model_file, model_file_layout, model_to_nam, nam_to_model_file, read_amp_json,
        read_model_file, read_nam_as_amp, verify_model_file, write_amp_json, write_model_file,
    };

    #[pymodule_export]
    use crate::train::PyWavenetTrainer;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
