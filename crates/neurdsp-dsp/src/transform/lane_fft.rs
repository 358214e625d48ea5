//! A transform of one length, put together from two codelets.
//!
//! The half length is `m = a·b`. Number `j + b·i` of a frame is element `i` of column `j`; the first pass transforms the
//! columns (`a` points), the second the rows of the result (`b` points), and bin `r + a·c` ends up in row `r` at `c`.
//! There are plans for the lengths whose half is a product of two codelets, among them 256, 320, 400, 480, 512, 640, 800,
//! 960, 1024, 1200, 1280, 1920, 2048, 2400 and 4096.

use super::seam::Shares;
use crate::kernels::Float;
use crate::kernels::fft::bands::{BandSums, Pull, Share};
use crate::kernels::fft::codelet::{Codelet, LENGTHS, Pass};
use crate::kernels::fft::overlap::{Add, Emit};
use crate::kernels::fft::phases::{Phases, Tap};
use crate::kernels::fft::roots::table;
use crate::kernels::fft::split::{Join, Magnitudes, Parts, Split};
use crate::mel::Bands;
use neurdsp_simd::{AlignedBuf, Isa, Real};

/// The windowed real transform of `lanes` frames at once, forward and inverse.
#[derive(Clone, Debug)]
pub(crate) struct LaneFft<T> {
    isa: Isa,
    /// `a` and `b`.
    rows: usize,
    columns: usize,
    column_codelet: Codelet<T>,
    row_codelet: Codelet<T>,
    column_roots: Vec<T>,
    row_roots: Vec<T>,
    /// Rotations of column `j` at output `r`, column after column.
    between: Vec<T>,
    /// Roots of the split in the order in which the rows come.
    split_roots: Vec<T>,
    /// Roots of the join in ascending order.
    join_roots: Vec<T>,
    phases: Phases,
    /// Where the complex numbers of a frame lie, column after column, with the window halved for the split.
    taps: Vec<Tap<T>>,
    /// The window divided by `n_fft`, the scale of the inverse transform.
    inverse_window: Vec<T>,
}

impl<T: Float> LaneFft<T> {
    /// Plans transforms of `window.len()` samples whose frames begin `stride` samples apart, or `None` for a length without
    /// codelets.
    pub(crate) fn new(isa: Isa, window: &[f64], stride: usize) -> Option<Self> {
        let n_fft = window.len();
        let (rows, columns) = factors(n_fft)?;
        let half = rows * columns;
        let (column_codelet, row_codelet) = (T::codelet(rows)?, T::codelet(columns)?);
        let rotations = (0..columns).flat_map(|j| (0..rows).map(move |r| j * r));
        let phases = Phases::new(n_fft, stride, isa.lanes::<T>());
        let numbers = (0..columns).flat_map(|j| (0..rows).map(move |i| j + columns * i));
        Some(Self {
            isa,
            rows,
            columns,
            column_roots: column_codelet.roots(),
            row_roots: row_codelet.roots(),
            column_codelet,
            row_codelet,
            between: table(half, rotations),
            split_roots: table(n_fft, pair_bins(rows, columns)),
            join_roots: table(n_fft, 0..=half / 2),
            phases,
            taps: numbers.map(|n| phases.tap(n, window, 0.5)).collect(),
            inverse_window: window.iter().map(|w| Real::from_f64(w / n_fft as f64)).collect(),
        })
    }

    /// Frames that are transformed at once.
    pub(crate) fn lanes(&self) -> usize {
        self.isa.lanes::<T>()
    }

    fn half(&self) -> usize {
        self.rows * self.columns
    }

    /// Complex numbers from the start of a row to that of the next: one more than there are, since rows a power of
    /// two apart would all map to the same few lines of the cache.
    fn row_step(&self) -> usize {
        self.columns + 1
    }

    /// Working memory for one thread, for both directions.
    pub(crate) fn scratch(&self) -> AlignedBuf<T> {
        let matrix = self.rows * self.row_step();
        let forward = self.phases.len() + 4 * self.lanes() * self.columns;
        AlignedBuf::zeroed(2 * self.lanes() * matrix + forward.max(2 * self.lanes() * self.half()))
    }

    /// The magnitudes of the first bins, `[bins][lanes]`, of the frames at `samples[lane * stride..]`: squared, or with
    /// `root` added to the squares and roots taken.
    ///
    /// # Panics
    ///
    /// If a slice is too short for `lanes` frames.
    pub(crate) fn magnitudes(
        &self,
        samples: &[T],
        stride: usize,
        bins: usize,
        root: Option<T>,
        to: &mut [T],
        scratch: &mut [T],
    ) {
        let bins = bins.min(self.half() + 1);
        assert!(to.len() >= bins * self.lanes(), "no room for {bins} bins of {} frames", self.lanes());
        let out = Magnitudes { to: to.as_mut_ptr(), bins, root };
        self.forward(samples, stride, scratch, |split, _| T::split_magnitudes(self.isa, split, out));
    }

    /// What [`bands`](Self::bands) needs, or `None` if a bin belongs to more than two bands.
    pub(crate) fn shares(&self, bands: &Bands<T>) -> Option<Shares<T>> {
        let n_bands = bands.iter().len() as u32;
        let none = Share { bands: [n_bands; 2], weights: [Real::from_f64(0.0); 2] };
        let mut of_bins = vec![(0, none); self.half() + 1];
        for (index, band) in bands.iter().enumerate() {
            for (bin, weight) in (band.first..).zip(band.weights) {
                let (count, share) = of_bins.get_mut(bin)?;
                *share.bands.get_mut(*count)? = index as u32;
                share.weights[*count] = *weight;
                *count += 1;
            }
        }
        let half = self.half();
        // The bin in the middle is its own opposite, and counts once.
        let both = |k: usize| [of_bins[k].1, if 2 * k == half { none } else { of_bins[half - k].1 }];
        let of_pairs = pair_bins(self.rows, self.columns).map(both).collect();
        let of_bins = of_bins.into_iter().map(|(_, share)| share).collect();
        Some(Shares { of_pairs, of_bins, n_sums: n_bands as usize + 1 })
    }

    /// Sums of magnitudes over bands, `[bands + 1][lanes]`, of the frames at `samples[lane * stride..]`; the last row is
    /// undefined. The shares are those of this transform.
    ///
    /// # Panics
    ///
    /// If a slice is too short for `lanes` frames.
    pub(crate) fn bands(
        &self,
        samples: &[T],
        stride: usize,
        shares: &Shares<T>,
        root: Option<T>,
        sums: &mut [T],
        scratch: &mut [T],
    ) {
        let Shares { of_pairs, n_sums, .. } = shares;
        assert!(of_pairs.len() == self.split_roots.len() / 2, "the shares are those of another transform");
        assert!(sums.len() >= n_sums * self.lanes(), "no room for {n_sums} sums of {} frames", self.lanes());
        sums.fill(Real::from_f64(0.0));
        let sums = sums.as_mut_ptr();
        self.forward(samples, stride, scratch, |split, pair| {
            let shares = of_pairs[pair..pair + split.count].as_ptr();
            T::split_bands(self.isa, split, BandSums { shares, sums, root });
        });
    }

    /// Multiplies spectra, `[bins][lanes]`, by twice the gradients over their powers, from those over bands,
    /// `[bands + 1][lanes]`, of which the last row is zero.
    ///
    /// # Panics
    ///
    /// If a slice is too short for `lanes` frames.
    pub(crate) fn pull(&self, shares: &Shares<T>, gradient: &[T], re: &mut [T], im: &mut [T]) {
        let Shares { of_bins, n_sums, .. } = shares;
        assert!(re.len().min(im.len()) >= of_bins.len() * self.lanes(), "too few bins for the shares");
        assert!(gradient.len() >= n_sums * self.lanes(), "there are fewer than {n_sums} gradients");
        let (shares, gradient) = (of_bins.as_ptr(), gradient.as_ptr());
        let (re, im) = (re.as_mut_ptr(), im.as_mut_ptr());
        T::pull(self.isa, Pull { shares, bins: of_bins.len(), gradient, re, im });
    }

    /// Real and imaginary parts of the frames at `samples[lane * stride..]`; those of two bins are `step` values apart.
    ///
    /// # Panics
    ///
    /// If a slice is too short for `lanes` frames.
    pub(crate) fn spectrum(
        &self,
        samples: &[T],
        stride: usize,
        re: &mut [T],
        im: &mut [T],
        step: usize,
        scratch: &mut [T],
    ) {
        let enough = re.len().min(im.len()) >= self.half() * step + self.lanes() && step >= self.lanes();
        assert!(enough, "no room for the spectra of {} frames", self.lanes());
        let out = Parts { re: re.as_mut_ptr(), im: im.as_mut_ptr(), step };
        self.forward(samples, stride, scratch, |split, _| T::split_spectrum(self.isa, split, out));
    }

    fn bins_len(&self) -> usize {
        (self.half() + 1) * self.lanes()
    }

    /// Hands the pairs of bins to `split`, some at a time, with the number of earlier pairs.
    fn forward(
        &self,
        samples: &[T],
        stride: usize,
        scratch: &mut [T],
        mut split: impl FnMut(Split<T>, usize),
    ) {
        let Self { rows, columns, .. } = *self;
        let number = 2 * self.lanes();
        let (matrix, beside) = scratch.split_at_mut(number * rows * self.row_step());
        let (frames, transformed) = beside.split_at_mut(self.phases.len());
        assert!(transformed.len() >= 2 * number * columns, "no room for two rows");
        T::fill(self.isa, self.phases.fill(samples, stride, frames));
        let by_columns = Pass {
            count: columns,
            from: frames.as_ptr(),
            from_stride: 0,
            from_step: 0,
            taps: self.taps.as_ptr(),
            to: matrix.as_mut_ptr(),
            to_stride: self.row_step(),
            to_step: 1,
            inner: self.column_roots.as_ptr(),
            outer: self.between.as_ptr(),
        };
        (self.column_codelet.framed)(self.isa, by_columns);
        let (near, far) = transformed.split_at_mut(number * columns);
        let mut before = 0;
        for row in 0..=rows / 2 {
            self.transform_row(matrix, row, near);
            let count = pairs(row, rows, columns);
            let opposite = (rows - row) % rows;
            let descending = if row == 0 {
                // Z[m - k] is one place to the left of its place in other rows. The first pair has only one bin.
                near[number..].as_ptr().wrapping_add(number * (columns - 1))
            } else if row == opposite {
                near[number * (columns - 1)..].as_ptr()
            } else {
                self.transform_row(matrix, opposite, far);
                far[number * (columns - 1)..].as_ptr()
            };
            let pairs = Split {
                count,
                ascending: near.as_ptr(),
                descending,
                roots: self.split_roots[2 * before..2 * (before + count)].as_ptr(),
                first: row,
                step: rows,
                length: self.half(),
            };
            split(pairs, before);
            before += count;
        }
    }

    fn transform_row(&self, matrix: &[T], row: usize, to: &mut [T]) {
        let from = &matrix[2 * self.lanes() * row * self.row_step()..][..2 * self.lanes() * self.columns];
        let pass = Pass {
            count: 1,
            from: from.as_ptr(),
            from_stride: 1,
            from_step: 0,
            taps: std::ptr::null(),
            to: to[..from.len()].as_mut_ptr(),
            to_stride: 1,
            to_step: 0,
            inner: self.row_roots.as_ptr(),
            outer: self.row_roots.as_ptr(),
        };
        (self.row_codelet.plain)(self.isa, pass);
    }

    /// Empty sums for [`add`](Self::add).
    pub(crate) fn sums(&self) -> AlignedBuf<T> {
        AlignedBuf::zeroed(self.phases.len())
    }

    /// Windows the frames whose real and imaginary parts are given, `[n_fft / 2 + 1][lanes]`, and adds them to `sums`.
    ///
    /// The imaginary parts of the first and the last bin count as zero.
    ///
    /// # Panics
    ///
    /// If a slice is too short for `lanes` frames.
    pub(crate) fn add(&self, re: &[T], im: &[T], sums: &mut [T], scratch: &mut [T]) {
        let Self { rows, columns, .. } = *self;
        let (half, number) = (self.half(), 2 * self.lanes());
        assert!(re.len().min(im.len()) >= self.bins_len(), "too few bins for {} frames", self.lanes());
        assert!(sums.len() >= self.phases.len(), "the sums are those of another transform");
        assert!(scratch.len() >= number * (rows * self.row_step() + half));
        let (matrix, joined) = scratch.split_at_mut(number * rows * self.row_step());
        let roots = self.join_roots.as_ptr();
        let to = joined.as_mut_ptr();
        T::join(self.isa, Join { length: half, roots, re: re.as_ptr(), im: im.as_ptr(), to });
        let by_columns = Pass {
            count: columns,
            from: joined.as_ptr(),
            from_stride: columns,
            from_step: 1,
            taps: std::ptr::null(),
            to: matrix.as_mut_ptr(),
            to_stride: self.row_step(),
            to_step: 1,
            inner: self.column_roots.as_ptr(),
            outer: self.between.as_ptr(),
        };
        (self.column_codelet.rotated)(self.isa, by_columns);
        let by_rows = Pass {
            count: rows,
            from: matrix.as_ptr(),
            from_stride: 1,
            from_step: self.row_step(),
            taps: std::ptr::null(),
            to: joined.as_mut_ptr(),
            to_stride: rows,
            to_step: 1,
            inner: self.row_roots.as_ptr(),
            outer: self.row_roots.as_ptr(),
        };
        (self.row_codelet.plain)(self.isa, by_rows);
        let Phases { n_fft, rows, width, .. } = self.phases;
        let window = self.inverse_window.as_ptr();
        let sums = sums.as_mut_ptr();
        T::overlap_add(self.isa, Add { from: joined.as_ptr(), n_fft, window, sums, rows, width });
    }

    /// Takes as many hops as there are lanes out of the sums, times `weights`: to `to[lane * stride..]`, of each the first
    /// positions, of which there are `stride` or, if they are fewer, `n_fft`.
    ///
    /// # Panics
    ///
    /// If a slice is too short.
    pub(crate) fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize) {
        let Phases { rows, width, .. } = self.phases;
        assert!(sums.len() >= self.phases.len(), "the sums are those of another transform");
        assert!(weights.is_none_or(|weights| weights.len() >= rows), "there are too few weights");
        assert!(to.len() >= (self.lanes() - 1) * stride + rows, "no room for the hops of a block");
        let weights = weights.map_or(std::ptr::null(), <[T]>::as_ptr);
        let (sums, to) = (sums.as_mut_ptr(), to.as_mut_ptr());
        T::overlap_emit(self.isa, Emit { sums, rows, width, weights, to, stride });
    }
}

/// Pairs of bins whose lower one is in this row.
fn pairs(row: usize, rows: usize, columns: usize) -> usize {
    match row {
        0 => columns / 2 + 1,
        _ if 2 * row == rows => columns / 2,
        _ => columns,
    }
}

/// The lower bins of all pairs, in the order in which the rows come.
fn pair_bins(rows: usize, columns: usize) -> impl Iterator<Item = usize> {
    (0..=rows / 2).flat_map(move |r| (0..pairs(r, rows, columns)).map(move |c| r + rows * c))
}

/// The two codelets of a transform of `n_fft` samples: the pair closest in size, with an even number of columns.
fn factors(n_fft: usize) -> Option<(usize, usize)> {
    let half = n_fft / 2;
    let of = |rows: usize| (rows, half / rows);
    let fits = |(rows, columns): &(usize, usize)| {
        2 * rows * columns == n_fft && columns % 2 == 0 && LENGTHS.contains(columns)
    };
    LENGTHS.iter().copied().map(of).filter(fits).min_by_key(|(rows, columns)| rows + columns)
}

#[cfg(test)]
mod tests;
