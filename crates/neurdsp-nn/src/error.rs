//! What can be wrong with the parameters of a layer.

use crate::bounds::{MAX_CHANNELS, MAX_HISTORY};

/// A layer cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of channels is outside the bounds.
    #[error("{got} channels: a layer has 1 to {max}; choose a smaller model", max = MAX_CHANNELS)]
    Channels {
        /// The number requested.
        got: usize,
    },
    /// A kernel without taps, or one that reaches back too far.
    #[error("kernel size {kernel_size} with dilation {dilation}: both must be at least 1, and reach back at most {max} frames", max = MAX_HISTORY)]
    Kernel {
        /// Taps of the kernel.
        kernel_size: usize,
        /// Frames between two taps.
        dilation: usize,
    },
    /// Groups that do not divide the channels.
    #[error(
        "{groups} groups do not divide {inputs} input and {outputs} output channels; choose a divisor of both"
    )]
    Groups {
        /// The number requested.
        groups: usize,
        /// Channels in.
        inputs: usize,
        /// Channels out.
        outputs: usize,
    },
    /// A parameter has the wrong number of values.
    #[error(
        "{name} has {got} values and needs {expected}; check the shapes that the model was exported with"
    )]
    Length {
        /// Which parameter.
        name: &'static str,
        /// Values that the shape asks for.
        expected: usize,
        /// Values that were given.
        got: usize,
    },
}

/// Refuses a number of channels that no layer can have.
pub(crate) fn check_channels(channels: usize) -> Result<(), Error> {
    if (1..=MAX_CHANNELS).contains(&channels) { Ok(()) } else { Err(Error::Channels { got: channels }) }
}

/// Refuses a kernel without taps, or one that reaches back further than can be addressed.
pub(crate) fn check_kernel(kernel_size: usize, dilation: usize) -> Result<(), Error> {
    let reach = kernel_size.checked_sub(1).and_then(|taps| taps.checked_mul(dilation));
    let fits = kernel_size <= MAX_HISTORY && reach.is_some_and(|reach| reach <= MAX_HISTORY);
    if dilation > 0 && fits { Ok(()) } else { Err(Error::Kernel { kernel_size, dilation }) }
}

/// Refuses a parameter of the wrong length.
pub(crate) fn check_len(name: &'static str, got: usize, expected: usize) -> Result<(), Error> {
    if got == expected { Ok(()) } else { Err(Error::Length { name, expected, got }) }
}
