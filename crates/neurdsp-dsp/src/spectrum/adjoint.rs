//! The linear part of a gradient: inverse transform, window, overlap-add, padding folded back onto its origins.

use crate::blocks::framing::Framing;
use crate::sample::{Output, Sample};
use crate::transform::{Synthesis, TransformScratch};
use neurdsp_simd::AlignedBuf;

/// The gradient of one signal in progress, and the scratch of its transform.
pub(super) struct Adjoint<T: Sample> {
    framing: Framing,
    pub(super) lanes: usize,
    sums: AlignedBuf<T>,
    scratch: TransformScratch<T>,
    /// Whole frames, one after the other, if each has to be filtered on its own.
    frames: AlignedBuf<T>,
    /// The gradient over the padded signal, and room for the last block.
    padded: Vec<T>,
    /// Hops that are complete.
    done: usize,
}

/// Longer signals give their memory back after each call.
const KEPT_SAMPLES: usize = 1 << 22;

impl<T: Sample> Adjoint<T> {
    pub(super) fn new(framing: Framing, synthesis: &dyn Synthesis<T>) -> Self {
        let lanes = synthesis.lanes();
        let (sums, scratch) = (synthesis.sums(), synthesis.scratch());
        let frames = AlignedBuf::zeroed(if framing.filter.is_some() { framing.n_fft * lanes } else { 0 });
        Self { framing, lanes, sums, scratch, frames, padded: Vec::new(), done: 0 }
    }

    /// Begins the gradient of a signal of `n_samples`.
    pub(super) fn start(&mut self, n_samples: usize) {
        let Framing { n_fft, hop_length, pad, .. } = self.framing;
        self.sums.fill(T::zero());
        self.done = 0;
        self.padded.clear();
        let block = self.lanes * hop_length.max(n_fft);
        self.padded.resize(n_samples + 2 * pad + block + n_fft, T::zero());
    }

    /// Adds the gradient of `count` frames from `first` on; the gradients over their spectra are `re` and `im`,
    /// `[n_bins][lanes]`.
    pub(super) fn add(
        &mut self,
        synthesis: &dyn Synthesis<T>,
        first: usize,
        count: usize,
        re: &mut [T],
        im: &mut [T],
    ) {
        let Framing { n_fft, hop_length, frame_length, filter, .. } = self.framing;
        if count < self.lanes {
            let rows = re.chunks_exact_mut(self.lanes).zip(im.chunks_exact_mut(self.lanes));
            rows.for_each(|(re, im)| {
                re[count..].fill(T::zero());
                im[count..].fill(T::zero());
            });
        }
        // The inverse transform counts every bin twice, for its mirror image; these two have none.
        let last = (n_fft / 2) * self.lanes;
        let twice = |rows: &mut [T]| rows.iter_mut().for_each(|value| *value = *value + *value);
        twice(&mut re[..self.lanes]);
        if n_fft.is_multiple_of(2) {
            twice(&mut re[last..]);
        }
        synthesis.add(re, im, count, &mut self.sums, &mut self.scratch);
        let Some(filter) = &filter else {
            return self.take_hops(synthesis);
        };
        synthesis.emit(&mut self.sums, None, &mut self.frames, n_fft);
        for (lane, frame) in self.frames.chunks_exact_mut(n_fft).take(count).enumerate() {
            let frame = &mut frame[..frame_length];
            filter.apply_adjoint(frame);
            let at = (first + lane) * hop_length;
            for (sum, value) in self.padded[at..at + frame_length].iter_mut().zip(frame) {
                *sum += *value;
            }
        }
    }

    /// Takes the next hops, as many as there are lanes, out of the sums.
    fn take_hops(&mut self, synthesis: &dyn Synthesis<T>) {
        let hop_length = self.framing.hop_length;
        let to = &mut self.padded[self.done * hop_length..];
        synthesis.emit(&mut self.sums, None, to, hop_length);
        self.done += self.lanes;
    }

    /// Folds the padding back onto its origins and writes the gradient.
    pub(super) fn finish<E: Output<T>>(&mut self, synthesis: &dyn Synthesis<T>, gradient: &mut [E]) {
        let (pad, n_samples) = (self.framing.pad, gradient.len());
        let length = n_samples + 2 * pad;
        // The last frames reach over hops in which none begins.
        while self.framing.filter.is_none() && self.done * self.framing.hop_length < length {
            self.take_hops(synthesis);
        }
        for position in (0..pad).chain(pad + n_samples..length) {
            let origin = self.framing.pad_mode.index(position as isize - pad as isize, n_samples);
            if let Some(origin) = origin {
                self.padded[pad + origin] = self.padded[pad + origin] + self.padded[position];
            }
        }
        for (to, value) in gradient.iter_mut().zip(&self.padded[pad..]) {
            *to = E::round_from(*value);
        }
        if self.padded.len() > KEPT_SAMPLES {
            self.padded = Vec::new();
        }
    }
}
