//! Layers whose weights are 8-bit integers, and which round what they take to 8 bits too.
//!
//! Each row of a matrix has a scale of its own, and so has each vector that is multiplied with it: its largest magnitude over
//! 127. Both are rounded to whole numbers within ±127; their products are summed up in 32 bits, exactly, so that every
//! instruction set gives the same integers. What is computed in floating point before and after is multiplied and added in
//! one order, without fused operations, so that a layer gives the same bits everywhere, too.
//!
//! Source: B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
//! arXiv 1712.05877; here without zero points, and with scales that are found for each vector as it comes.

mod dense;
mod lstm;
mod product;
mod row;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use dense::Int8Dense;
pub use lstm::{Int8Lstm, Rows};

#[cfg(test)]
mod tests;
