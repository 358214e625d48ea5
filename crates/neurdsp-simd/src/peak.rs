//! The yardstick for every kernel: how fast this machine multiplies and adds.
// One block of arithmetic on a vector type; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::dispatch;
use crate::vector::Vector;

/// Independent chains: enough to cover a latency of five cycles on two ports, few enough to stay in 16 registers.
const CHAINS: usize = 12;

dispatch! {
    /// Runs `rounds` rounds of twelve independent fused multiply-adds and returns how many floating-point operations
    /// that was (two for each lane), with a number that depends on all of them.
    ///
    /// Time it to find the peak against which kernels are measured.
    ///
    /// ```
    /// use neurdsp_simd::{Isa, fma_burst};
    ///
    /// let (operations, _) = fma_burst(Isa::Scalar, 10);
    /// assert_eq!(operations, 10 * 12 * 2);
    /// ```
    pub fn fma_burst(rounds: u64) -> (u64, f32) = burst
}

#[inline(always)]
unsafe fn burst<V: Vector<f32>>(rounds: u64) -> (u64, f32) {
    unsafe {
        // Hidden from the optimiser, which would compute the result at compile time.
        let factor = V::splat(std::hint::black_box(0.999));
        let term = V::splat(std::hint::black_box(0.001));
        let mut sums = [V::splat(std::hint::black_box(0.1)); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = crate::math::fma(*sum, factor, term);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = total.add(*sum);
        }
        (rounds * (CHAINS * V::LANES * 2) as u64, total.sum_lanes())
    }
}
