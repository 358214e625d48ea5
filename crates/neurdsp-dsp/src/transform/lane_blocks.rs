//! [`LaneFft`] as a transform of blocks.

use super::lane_fft::LaneFft;
use super::magnitude::Magnitude;
use super::seam::{Analysis, BandPlan, Synthesis, TransformScratch};
use crate::kernels::Float;
use crate::mel::Bands;
use neurdsp_simd::{AlignedBuf, Isa};

impl<T: Float> Analysis<T> for LaneFft<T> {
    fn lanes(&self) -> usize {
        self.lanes()
    }

    fn scratch(&self) -> TransformScratch<T> {
        lane_scratch(self)
    }

    fn magnitudes(
        &self,
        samples: &[T],
        stride: usize,
        _count: usize,
        magnitude: Magnitude,
        n_bins: usize,
        to: &mut [T],
        scratch: &mut TransformScratch<T>,
    ) {
        let root = magnitude.root();
        self.magnitudes(samples, stride, n_bins, root, to, &mut scratch.lanes);
        if root.is_none() {
            magnitude.of_squares(&mut to[..n_bins * self.lanes()]);
        }
    }

    fn plan_bands(&self, bands: Bands<T>, magnitude: Magnitude) -> BandPlan<T> {
        let in_registers = !matches!(magnitude, Magnitude::Exponent(_));
        let shares = if in_registers { self.shares(&bands) } else { None };
        BandPlan { bands, magnitude, shares }
    }

    fn bands(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        plan: &BandPlan<T>,
        bins: &mut [T],
        sums: &mut [T],
        scratch: &mut TransformScratch<T>,
    ) {
        if let Some(shares) = &plan.shares {
            return self.bands(samples, stride, shares, plan.magnitude.root(), sums, &mut scratch.lanes);
        }
        let (n_bins, lanes) = (bins.len() / self.lanes(), self.lanes());
        Analysis::magnitudes(self, samples, stride, count, plan.magnitude, n_bins, bins, scratch);
        T::band_sums(Isa::detect(), &plan.bands, bins, lanes, sums);
    }

    fn pull(&self, plan: &BandPlan<T>, gradient: &[T], re: &mut [T], im: &mut [T]) -> bool {
        let shares = plan.shares.as_ref().filter(|_| plan.magnitude == Magnitude::Power);
        shares.is_some_and(|shares| {
            self.pull(shares, gradient, re, im);
            true
        })
    }

    fn spectrum(
        &self,
        samples: &[T],
        stride: usize,
        _count: usize,
        re: &mut [T],
        im: &mut [T],
        step: usize,
        scratch: &mut TransformScratch<T>,
    ) {
        self.spectrum(samples, stride, re, im, step, &mut scratch.lanes);
    }
}

impl<T: Float> Synthesis<T> for LaneFft<T> {
    fn lanes(&self) -> usize {
        self.lanes()
    }

    fn scratch(&self) -> TransformScratch<T> {
        lane_scratch(self)
    }

    fn sums(&self) -> AlignedBuf<T> {
        self.sums()
    }

    fn add(&self, re: &[T], im: &[T], _count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>) {
        self.add(re, im, sums, &mut scratch.lanes);
    }

    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize) {
        self.emit(sums, weights, to, stride);
    }
}

fn lane_scratch<T: Float>(plan: &LaneFft<T>) -> TransformScratch<T> {
    TransformScratch { lanes: plan.scratch(), real: Vec::new(), spectrum: Vec::new(), complex: Vec::new() }
}
