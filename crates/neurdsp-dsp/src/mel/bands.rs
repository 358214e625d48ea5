//! The sparse form of a filterbank: the nonzero weights of each filter.

use neurdsp_simd::Real;

/// The rows of a matrix, each from its first to its last nonzero weight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bands<T> {
    /// First column, and where in `weights` the row begins and ends.
    spans: Vec<(usize, usize, usize)>,
    weights: Vec<T>,
}

/// One row of [`Bands`].
#[derive(Clone, Copy, Debug)]
pub struct Band<'a, T> {
    /// Column of the first weight.
    pub first: usize,
    /// The weights from there on.
    pub weights: &'a [T],
}

impl<T> Bands<T> {
    /// The rows from the first to the last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Band<'_, T>> {
        self.spans.iter().map(|(first, from, to)| Band { first: *first, weights: &self.weights[*from..*to] })
    }

    /// Adds a row of `first` zeros, then `row`; weights are converted by `scaled`.
    pub(super) fn push_row(&mut self, first: usize, row: &[f64], scaled: impl Fn(f64) -> T) {
        let from = row.iter().position(|w| *w != 0.0).unwrap_or(0);
        let to = row.iter().rposition(|w| *w != 0.0).map_or(from, |last| last + 1);
        let start = self.weights.len();
        self.weights.extend(row[from..to].iter().map(|w| scaled(*w)));
        self.spans.push((first + from, start, self.weights.len()));
    }
}

impl Bands<f64> {
    /// The weights rounded to `T`.
    pub(super) fn rounded<T: Real>(&self) -> Bands<T> {
        let weights = self.weights.iter().map(|w| T::from_f64(*w)).collect();
        Bands { spans: self.spans.clone(), weights }
    }
}
