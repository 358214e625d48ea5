//! Real-time processors: filters, gate, delay, convolution, resampling.
//!
//! Construction may fail and allocate; after that nothing here allocates, locks or panics, so all of it may run on an audio
//! thread. The output does not depend on how the signal is cut into blocks, bit for bit. Samples that are NaN, infinite or
//! beyond [`LIMIT`] count as zero, so that they cannot poison a recursive filter.

mod biquad;
mod block;
mod convolver;
mod dc;
mod delay;
mod gate;
mod kernels;
mod low_delay;
mod partitions;
mod ramp;
mod ratio;
mod resampler;
mod response;
mod sinc;
mod tone;
mod units;

pub use biquad::{Biquad, BiquadCoefficients};
pub use block::{LIMIT, LiveBlock, clean};
pub use convolver::Convolver;
pub use dc::DcBlock;
pub use delay::Delay;
pub use gate::{GateSettings, NoiseGate};
pub use low_delay::LowDelayStft;
pub use ramp::Ramp;
pub use ratio::Ratio;
pub use resampler::{Resampler, resample_clip};
pub use response::resample_response;
pub use sinc::ResampleQuality;
pub use tone::{ToneSettings, ToneStack};
pub use units::{SAMPLE_RATES, db_to_gain};
