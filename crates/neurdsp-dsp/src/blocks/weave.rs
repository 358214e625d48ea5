//! Writing spectra to results that are rows of frames: whole lines of memory, past the caches where they would not stay.
//!
//! A long spectrum is larger than the caches, so that its cost is that of memory. A line that is written whole need not be
//! read first, but the rows of a result begin anywhere in a line. So frames that do not fill a line yet wait beside the
//! next frames of their row.

use super::rows::Rows;
use crate::kernels::weave::Weave;
use crate::sample::{Output, Sample, is_direct};
use neurdsp_simd::{Isa, store_fence};
use realfft::num_complex::Complex;

/// Results of more bytes than this bypass the caches.
const STREAMED: usize = 1 << 22;

/// Spectra on their way to the result: `[n_bins][lanes + frames]` real parts and as many imaginary parts. The first `lanes`
/// places of a row are for waiting frames.
pub(crate) struct Staging<'a, T> {
    pub(crate) re: &'a mut [T],
    pub(crate) im: &'a mut [T],
    /// Values in a row.
    pub(crate) width: usize,
    /// Frames in a block.
    pub(crate) lanes: usize,
}

/// Writes the next `count` frames, of which `done` were written or wait, to `rows`. Only the last call may leave a block
/// partly filled.
pub(crate) fn put_spectra<T: Sample, O: Output<T>>(
    staging: &mut Staging<'_, T>,
    done: usize,
    count: usize,
    rows: &mut Rows<'_, Complex<O>>,
) {
    let Staging { re, im, width, lanes } = staging;
    let (n_rows, last) = (rows.n_rows(), done + count == rows.n_frames());
    assert!(
        re.len().min(im.len()) >= n_rows * *width && *lanes + count <= *width,
        "the staging is too small"
    );
    assert!(last || count.is_multiple_of(*lanes), "only the last block may be short");
    if is_direct::<T, O>() {
        let outside = rows.block(0, rows.n_frames()).cast::<T>();
        let large = n_rows * rows.step() * size_of::<Complex<T>>() >= STREAMED;
        let stream = large && (outside as usize).is_multiple_of(size_of::<Complex<T>>());
        let (re, im, step) = (re.as_mut_ptr(), im.as_mut_ptr(), 2 * rows.step());
        let (width, lanes) = (*width, *lanes);
        let weave = Weave { re, im, n_rows, width, lanes, outside, step, done, count, last, stream };
        T::weave(Isa::detect(), weave);
        if stream && last {
            store_fence();
        }
        return;
    }
    for (bin, (re, im)) in re.chunks_exact(*width).zip(im.chunks_exact(*width)).take(n_rows).enumerate() {
        let values = re[*lanes..].iter().zip(&im[*lanes..]);
        for (to, (re, im)) in rows.row(bin)[done..done + count].iter_mut().zip(values) {
            *to = Complex::new(O::round_from(*re), O::round_from(*im));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::weave::LINE;

    /// Writes `n_frames` frames, some blocks at a time, into a result that begins `shift` numbers into a line.
    fn put_all<O: Output<f32> + Default>(n_rows: usize, n_frames: usize, shift: usize) -> Vec<Complex<O>> {
        let (lanes, blocks) = (16, 2);
        let width = lanes * (blocks + 1);
        let (mut re, mut im) = (vec![0.0f32; n_rows * width], vec![0.0f32; n_rows * width]);
        let mut memory = vec![Complex::new(O::default(), O::default()); n_rows * n_frames + 24];
        let first = memory.as_ptr().align_offset(LINE) + shift;
        let result = &mut memory[first..first + n_rows * n_frames];
        let mut rows = Rows::whole(result, n_frames);
        let mut done = 0;
        while done < n_frames {
            let left = n_frames - done;
            let count = left.min((left / lanes).clamp(1, blocks) * lanes);
            for row in 0..n_rows {
                for i in 0..count {
                    re[row * width + lanes + i] = (row * n_frames + done + i) as f32;
                    im[row * width + lanes + i] = -(re[row * width + lanes + i]);
                }
            }
            let mut staging = Staging { re: &mut re, im: &mut im, width, lanes };
            put_spectra(&mut staging, done, count, &mut rows);
            done += count;
        }
        result.to_vec()
    }

    #[test]
    fn spectra_land_in_their_rows_wherever_these_begin() {
        for n_frames in [1, 7, 16, 31, 37, 100] {
            for shift in [0, 1, 2, 7] {
                let single = put_all::<f32>(3, n_frames, shift);
                let double = put_all::<f64>(3, n_frames, 0);
                for (i, (single, double)) in single.iter().zip(&double).enumerate() {
                    assert_eq!((single.re, single.im), (i as f32, -(i as f32)), "{n_frames} {shift} at {i}");
                    assert_eq!((double.re, double.im), (i as f64, -(i as f64)), "{n_frames} at {i}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_past_the_caches_is_the_same() {
        let (n_rows, n_frames) = (2, STREAMED / 16 + 5);
        for shift in [0, 3] {
            for (i, value) in put_all::<f32>(n_rows, n_frames, shift).iter().enumerate() {
                assert_eq!((value.re, value.im), (i as f32, -(i as f32)), "{shift} at {i}");
            }
        }
    }
}
