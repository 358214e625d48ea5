//! Random numbers that are counted, not drawn, and spectra of noise made of them.
//!
//! Number `i` of a stream is a hash of `i`, so any of them can be made alone, in any order, on any number of threads. The
//! hash is the "lowbias32" of C. Wellons, twice with a key of 64 bits; keys come from splitmix64 (G. Steele et al., "Fast
//! splittable pseudorandom number generators", OOPSLA 2014).
// Blocks stay within slices whose lengths the entry points check; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Isa, Vector, dispatch};
use std::ops::Range;

/// `sqrt(3) / 2^23`: numbers have variance 1.
const SCALE: f32 = (1.732_050_807_568_877_2 / 8_388_608.0) as f32;

/// The output of splitmix64 for a state: 64 well-mixed bits.
///
/// # Examples
///
/// ```
/// assert_eq!(neurdsp_nn::exact::split(0), 0xe220_a839_7b1d_cdaf);
/// ```
#[must_use]
pub const fn split(state: u64) -> u64 {
    let value = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The two halves of the key of a stream.
#[must_use]
pub const fn mixed(key: u64, stream: u64) -> [u32; 2] {
    let mixed = split(key.wrapping_add(stream));
    [mixed as u32, (mixed >> 32) as u32]
}

#[inline(always)]
const fn hash(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Number `index` of a stream: uniform, of mean 0 and variance 1.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::exact::{counted, mixed};
///
/// let key = mixed(7, 2);
/// let power: f32 = (0..10_000).map(|i| counted(key, i).powi(2)).sum();
/// assert!((power / 10_000.0 - 1.0).abs() < 0.03);
/// ```
#[inline(always)]
#[must_use]
pub fn counted([first, second]: [u32; 2], index: u32) -> f32 {
    let bits = hash(hash(index ^ first).wrapping_add(second));
    (bits.cast_signed() >> 8) as f32 * SCALE
}

/// How the amplitude of a bin follows from those of two neighbouring bands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// The lower band.
    pub band: usize,
    /// Weights of this band and of the next.
    pub weights: [f32; 2],
}

/// Fills the spectra of as many frames as there are lanes, `[bins][lanes]`, with counted numbers times amplitudes.
///
/// The frames are those from `frame` on. Bin `k` of frame `m` takes the numbers `per_frame · m + 2k` and the next as its
/// real and its imaginary part.
///
/// # Parameters
///
/// - `key`: of the stream, from [`mixed`]
/// - `per_frame`: numbers of a frame, used or not
/// - `bins`: the bins to be filled; others stay as they are
/// - `envelopes`: one for each bin from 0 on
/// - `amplitudes`: `[bands][lanes]`
///
/// # Panics
/// If a slice is too short.
#[allow(clippy::too_many_arguments)]
pub fn counted_spectra(
    isa: Isa,
    key: [u32; 2],
    per_frame: u32,
    frame: u32,
    bins: Range<usize>,
    envelopes: &[Envelope],
    amplitudes: &[f32],
    re: &mut [f32],
    im: &mut [f32],
) {
    let lanes = isa.lanes::<f32>();
    let bands = amplitudes.len() / lanes;
    assert!(bins.end <= envelopes.len() && bins.end * lanes <= re.len().min(im.len()), "room for the bins");
    assert!(envelopes[bins.clone()].iter().all(|bin| bin.band + 1 < bands), "amplitudes for each bin");
    fill(isa, key, per_frame, frame, bins, envelopes, amplitudes, re, im);
}

dispatch! {
    fn fill(
        key: [u32; 2],
        per_frame: u32,
        frame: u32,
        bins: Range<usize>,
        envelopes: &[Envelope],
        amplitudes: &[f32],
        re: &mut [f32],
        im: &mut [f32],
    ) = fill_generic
}

#[allow(clippy::too_many_arguments)]
#[inline(always)]
unsafe fn fill_generic<V: Vector<f32>>(
    key: [u32; 2],
    per_frame: u32,
    frame: u32,
    bins: Range<usize>,
    envelopes: &[Envelope],
    amplitudes: &[f32],
    re: &mut [f32],
    im: &mut [f32],
) {
    unsafe {
        for bin in bins {
            let envelope = envelopes.get_unchecked(bin);
            let band = amplitudes.as_ptr().add(envelope.band * V::LANES);
            let amplitude = V::load(band)
                .mul(V::splat(envelope.weights[0]))
                .add(V::load(band.add(V::LANES)).mul(V::splat(envelope.weights[1])));
            let (mut real, mut imaginary) = ([0.0; 16], [0.0; 16]);
            for lane in 0..V::LANES {
                let index = (frame.wrapping_add(lane as u32)).wrapping_mul(per_frame);
                let index = index.wrapping_add(2 * bin as u32);
                real[lane] = counted(key, index);
                imaginary[lane] = counted(key, index.wrapping_add(1));
            }
            V::load(real.as_ptr()).mul(amplitude).store(re.as_mut_ptr().add(bin * V::LANES));
            V::load(imaginary.as_ptr()).mul(amplitude).store(im.as_mut_ptr().add(bin * V::LANES));
        }
    }
}
