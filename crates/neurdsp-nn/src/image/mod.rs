//! Layers of two-dimensional convolutional networks: images whose channels lie sixteen by sixteen in the lanes.
//!
//! An [`Image`] is `[channels / 16][height][width][16]`. Sixteen channels fill one wide register or two narrow ones, so
//! every layer works on whole vectors: convolutions broadcast a pixel's channel and multiply it with sixteen outputs, norms
//! keep their statistics in the lanes, and a matrix over the width ([`WidthLinear`]) needs no transpose.
//!
//! Layers take the norm and the activation before them along ([`Affine`]): they are applied as the pixels are read.
//!
//! Rows may be computed on several threads. Each output is a sum in an order that no thread changes, and statistics are
//! added up row by row, so results are the same to the bit for any number of threads.

mod attention;
mod conv1d;
mod conv2d;
mod conv3x3;
mod gemm;
mod group_norm;
#[cfg(target_arch = "x86_64")]
mod half;
mod norm;
mod patch;
mod pixels;
mod pointwise;
mod tile;
mod toom;
mod width;
mod winograd;
mod work;

pub use attention::attention;
pub use conv1d::Conv1d;
pub use conv2d::{Conv2d, Window};
pub use conv3x3::Conv3x3;
pub use group_norm::GroupNorm;
pub use norm::{Affine, Moments};
pub use patch::{Downscale, Upscale};
pub use pixels::{Channels, Image, LANES};
pub use pointwise::Pointwise;
pub use tile::Precision;
pub use width::WidthLinear;
pub use work::{Memory, Work};

#[cfg(test)]
mod small_tests;
#[cfg(test)]
mod tests;
