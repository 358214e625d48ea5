//! Windows, filterbanks and planned transforms, on arrays that Python allocates.

/// Calls `$plan.process_batch` through `$run` with the element types of the first input and the first output.
macro_rules! process {
    ($py:ident, $planned:expr, $run:ident, $inputs:ident [$i32:ty, $i64:ty], $outputs:ident [$o32:ty, $o64:ty], $n:ident) => {{
        let (Some(input), Some(output)) = ($inputs.first(), $outputs.first()) else { return Ok(()) };
        match ($planned, is_double(input)?, is_double(output)?) {
            (Planned::Single(plan), false, false) => {
                $run::<$i32, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), false, false) => {
                $run::<$i32, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), false, true) => {
                $run::<$i32, $o64>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), true, false) => {
                $run::<$i64, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), true, true) => {
                $run::<$i64, $o64>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Single(_), ..) => {
                Err(refuse("a plan in single precision takes and gives float32 only"))
            }
        }
    }};
}

mod arrays;
mod filters;
mod spectrogram;
mod stft;
mod stream;

pub(crate) use arrays::{is_double, refuse, strided};
pub(crate) use filters::{hz_to_mel, mel_filterbank, mel_frequencies, mel_to_hz, window};
pub(crate) use spectrogram::{PySpectrogram, limit_range};
pub(crate) use stft::{PyIstft, PyStft};
pub(crate) use stream::PyStream;

/// A plan in the precision that was asked for.
pub(crate) enum Planned<Single, Double> {
    Single(Single),
    Double(Double),
}
