//! What a layer holds.

use neurdsp_simd::{AlignedBuf, Isa};

/// `c' = σ(f) · c + σ(i) · tanh(g)`, `h' = σ(o) · tanh(c')` with `[i, f, g, o] = weight · [x, h] + bias`.
///
/// It holds parameters only, so that any number of streams can share it, each with its own cell state and hidden frames.
///
/// The state stays finite whatever the input: a gate that is NaN counts as fully open.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::{Lstm, frame_stride};
/// use neurdsp_simd::Isa;
///
/// let isa = Isa::detect();
/// // One input, one unit; all gates are half open, and the cell takes tanh of the input.
/// let lstm = Lstm::new(1, 1, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], &[0.0; 4], isa)?;
/// let stride = frame_stride(1, isa);
/// let mut hidden = vec![0.0; 2 * stride]; // the frame before, then one new
/// let mut cell = vec![0.0; stride];
/// lstm.run(&[1.0], 1, &mut hidden, &mut cell);
/// assert!((cell[0] - 0.5 * 1f32.tanh()).abs() < 1e-6);
/// assert!((hidden[stride] - 0.5 * (0.5 * 1f32.tanh()).tanh()).abs() < 1e-6);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lstm {
    pub(super) packed: Packed,
    pub(super) isa: Isa,
}

/// The parameters of a layer, in the order in which the kernel reads them.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// For each group of units, each input and then each hidden column: the weights of the four gates of these units.
    ///
    /// Those of the three sigmoid gates are halved, since σ(x) = ½ tanh(½ x) + ½.
    pub(super) weight: AlignedBuf,
    /// For each group of units: the biases of the four gates, halved likewise.
    pub(super) bias: AlignedBuf,
    pub(super) inputs: usize,
    /// Hidden columns, rounded up to the step of the inner loop; the weights of those beyond the units are zero.
    pub(super) columns: usize,
    /// Values from one hidden frame to the next.
    pub(super) stride: usize,
}
