//! Bringing frames into the lanes: a signal as a matrix in which every sample of neighbouring frames lies side by side.
//!
//! Frames that are `hop` samples apart overlap: sample `k·hop + s` of frame `f` is sample `s` of the hop at which frame
//! `f + k` begins. So the signal is written once as a matrix with a row for each position `s` in a hop and a column for
//! each hop, its polyphase form. One sample of `LANES` neighbouring frames is then a stretch of a row, and bringing
//! frames in costs a load, not a turn of everything that overlaps.
// Loads and stores are where `Fill` says; whoever makes one vouches for it. The instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::Complex;
use neurdsp_simd::{Lanes, Real, opaque};

/// The shape of the matrix that holds the frames of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phases {
    pub(crate) n_fft: usize,
    /// Positions in a hop that frames reach.
    pub(crate) rows: usize,
    /// Hops that the frames of a block reach.
    columns: usize,
    /// Values from the start of a row to that of the next: four times an odd number, so that no few lines of the cache
    /// have to hold all of the rows.
    pub(crate) width: usize,
}

/// Where a complex number of a frame lies in the matrix, and the window at its two samples.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Tap<T> {
    re: u32,
    im: u32,
    re_weight: T,
    im_weight: T,
}

impl Phases {
    /// For `lanes` frames of `n_fft` samples that begin `stride` samples apart.
    pub(crate) fn new(n_fft: usize, stride: usize, lanes: usize) -> Self {
        let rows = stride.clamp(1, n_fft);
        let columns = lanes + n_fft.div_ceil(rows) - 1;
        Self { n_fft, rows, columns, width: 4 * (columns.div_ceil(4) | 1) }
    }

    /// Values in the matrix.
    pub(crate) fn len(&self) -> usize {
        self.rows * self.width
    }

    /// Whether frames that are `stride` apart have this matrix.
    pub(crate) fn fits(&self, stride: usize) -> bool {
        self.rows == stride || (self.rows == self.n_fft && stride >= self.n_fft)
    }

    /// The tap of complex number `n`, samples `2n` and `2n + 1`, of the frame in the first lane.
    pub(crate) fn tap<T: Real>(&self, n: usize, window: &[f64], scale: f64) -> Tap<T> {
        let at = |sample: usize| (sample % self.rows * self.width + sample / self.rows) as u32;
        let weight = |sample: usize| T::from_f64(window[sample] * scale);
        Tap { re: at(2 * n), im: at(2 * n + 1), re_weight: weight(2 * n), im_weight: weight(2 * n + 1) }
    }

    /// The job that fills the matrix at `to` with the frames at `samples[lane * stride..]`.
    pub(crate) fn fill<T>(&self, samples: &[T], stride: usize, to: &mut [T]) -> Fill<T> {
        let lanes = self.columns + 1 - self.n_fft.div_ceil(self.rows);
        assert!(self.fits(stride), "frames {stride} samples apart were not planned");
        assert!(samples.len() >= (lanes - 1) * stride + self.n_fft, "the block is too short");
        assert!(to.len() >= self.len(), "no room for the matrix of a block");
        let Self { rows, columns, width, .. } = *self;
        // The last hop of the last frame may be short: there are samples only for its first rows.
        let full_rows = self.n_fft - (self.n_fft.div_ceil(rows) - 1) * rows;
        Fill { samples: samples.as_ptr(), stride, rows, full_rows, columns, to: to.as_mut_ptr(), width }
    }
}

/// A matrix to be filled.
#[derive(Clone, Copy, Debug)]
pub struct Fill<T> {
    /// First sample of the first column.
    samples: *const T,
    /// Distance between columns in samples.
    stride: usize,
    rows: usize,
    /// Rows for which the last column has samples.
    full_rows: usize,
    columns: usize,
    to: *mut T,
    width: usize,
}

/// Complex number `tap` of the frames in the lanes.
#[inline(always)]
pub(super) unsafe fn weighted<V: Lanes>(
    matrix: *const V::Element,
    tap: *const Tap<V::Element>,
) -> Complex<V> {
    unsafe {
        let Tap { re, im, re_weight, im_weight } = *tap;
        Complex {
            re: V::load(matrix.add(re as usize)).mul(V::splat(re_weight)),
            im: V::load(matrix.add(im as usize)).mul(V::splat(im_weight)),
        }
    }
}

#[inline(always)]
pub(crate) unsafe fn fill<V: Lanes>(fill: Fill<V::Element>) {
    unsafe {
        fill_rows::<V>(&fill, 0, fill.full_rows, fill.columns);
        fill_rows::<V>(&fill, fill.full_rows, fill.rows, fill.columns - 1);
    }
}

/// Rows `first..end` of the first `columns` columns. What a row holds after them is undefined but finite.
#[inline(always)]
unsafe fn fill_rows<V: Lanes>(fill: &Fill<V::Element>, first: usize, end: usize, columns: usize) {
    unsafe {
        let mut row = first;
        while row + 16 <= end {
            fill_stretch::<V, 4>(fill, row, columns);
            row += 16;
        }
        while row + 4 <= end {
            fill_stretch::<V, 1>(fill, row, columns);
            row += 4;
        }
        if row < end && end - first >= 4 {
            return fill_stretch::<V, 1>(fill, end - 4, columns);
        }
        for row in row..end {
            for column in 0..columns {
                *fill.to.add(row * fill.width + column) = *fill.samples.add(column * fill.stride + row);
            }
        }
    }
}

/// `4 CHUNKS` rows from `row` on: a line of every column while it is in the cache.
#[inline(always)]
unsafe fn fill_stretch<V: Lanes, const CHUNKS: usize>(fill: &Fill<V::Element>, row: usize, columns: usize) {
    unsafe {
        let Fill { stride, width, .. } = *fill;
        let (from, to) = (fill.samples.add(row), fill.to.add(row * width));
        let mut column = 0;
        while column + V::LANES <= columns {
            let stride = opaque(stride);
            for chunk in 0..CHUNKS {
                let turned = V::load_chunk(from.add(column * stride + 4 * chunk), stride);
                for (i, values) in turned.into_iter().enumerate() {
                    values.store(to.add((4 * chunk + i) * width + column));
                }
            }
            column += V::LANES;
        }
        while column < columns {
            // A column past the last one repeats it: a row has room for that.
            let last = columns - 1 - column;
            let signal = |lane: usize| from.wrapping_add((column + lane.min(last)) * stride);
            for chunk in 0..CHUNKS {
                let signals = [signal(0), signal(1), signal(2), signal(3)];
                V::turn_quad(
                    signals.map(|signal| signal.add(4 * chunk)),
                    to.add(4 * chunk * width + column),
                    width,
                );
            }
            column += 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Kernels;
    use neurdsp_simd::Isa;

    #[test]
    fn every_sample_of_every_frame_stands_where_its_tap_says() {
        for isa in Isa::available() {
            let lanes = isa.lanes::<f32>();
            for (n_fft, stride) in
                [(32, 1), (32, 3), (32, 5), (64, 16), (64, 31), (64, 33), (400, 160), (64, 64), (64, 100)]
            {
                let phases = Phases::new(n_fft, stride, lanes);
                let samples: Vec<f32> = (0..(lanes - 1) * stride + n_fft).map(|i| i as f32).collect();
                let mut matrix = vec![f32::NAN; phases.len()];
                f32::fill(isa, phases.fill(&samples, stride, &mut matrix));
                for n in 0..n_fft / 2 {
                    let tap: Tap<f32> = phases.tap(n, &vec![1.0; n_fft], 0.5);
                    assert_eq!((tap.re_weight, tap.im_weight), (0.5, 0.5));
                    for lane in 0..lanes {
                        let sample = (lane * stride + 2 * n) as f32;
                        let got = (matrix[tap.re as usize + lane], matrix[tap.im as usize + lane]);
                        assert_eq!(got, (sample, sample + 1.0), "{} {n_fft} {stride}", isa.name());
                    }
                }
            }
        }
    }
}
