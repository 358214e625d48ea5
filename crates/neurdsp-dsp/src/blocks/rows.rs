//! Results laid out as rows over frames, whole or split among threads.
// A task writes to a stretch of every row: disjoint parts of one slice that no safe split can express.
#![allow(clippy::undocumented_unsafe_blocks)]

use std::marker::PhantomData;

/// The frames of one task: a stretch of every row of a result, to which it has exclusive access.
pub(crate) struct Rows<'a, E> {
    /// The first frame of the first row.
    start: *mut E,
    /// Distance between rows.
    step: usize,
    n_rows: usize,
    n_frames: usize,
    result: PhantomData<&'a mut [E]>,
}

// SAFETY: it is a set of exclusive slices, which may go to another thread if their elements may.
unsafe impl<E: Send> Send for Rows<'_, E> {}

impl<'a, E> Rows<'a, E> {
    /// All of a result of rows of `n_frames`.
    pub(crate) fn whole(data: &'a mut [E], n_frames: usize) -> Self {
        let n_rows = data.len() / n_frames.max(1);
        Self { start: data.as_mut_ptr(), step: n_frames, n_rows, n_frames, result: PhantomData }
    }

    /// Frames of this task.
    pub(crate) fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// Rows of the result.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Distance between rows in memory.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// The task's stretch of a row.
    #[inline(always)]
    pub(crate) fn row(&mut self, index: usize) -> &mut [E] {
        assert!(index < self.n_rows, "there is no row {index} of {}", self.n_rows);
        // SAFETY: the stretch lies in the result, and no other task has these frames.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(index * self.step), self.n_frames) }
    }

    /// The first of `count` frames from `first` on, in the first row; the next row's is [`step`](Self::step) values
    /// further.
    pub(crate) fn block(&mut self, first: usize, count: usize) -> *mut E {
        assert!(first + count <= self.n_frames && self.n_rows > 0, "the block is outside of the task");
        self.start.wrapping_add(first)
    }
}

/// Splits a result of rows of `n_frames` into `pieces` stretches of frames, each with the number of its first frame.
pub(crate) fn split_frames<E>(
    data: &mut [E],
    n_frames: usize,
    pieces: usize,
) -> impl Iterator<Item = (usize, Rows<'_, E>)> {
    // Lines of 64 bytes hold at most sixteen values: stretches that begin on one do not fight over it.
    let length = n_frames.div_ceil(pieces.max(1)).next_multiple_of(16);
    let whole = Rows::whole(data, n_frames);
    (0..n_frames).step_by(length.max(1)).map(move |first| {
        let start = whole.start.wrapping_add(first);
        let n_frames = length.min(n_frames - first);
        (first, Rows { start, n_frames, step: whole.step, n_rows: whole.n_rows, result: PhantomData })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_frame_of_every_row_once() {
        for (n_frames, pieces) in [(1, 1), (16, 4), (100, 3), (1000, 7)] {
            let mut data = vec![0; 3 * n_frames];
            for (first, mut rows) in split_frames(&mut data, n_frames, pieces) {
                assert_eq!((rows.n_rows(), rows.step()), (3, n_frames));
                for row in 0..3 {
                    for (frame, value) in rows.row(row).iter_mut().enumerate() {
                        *value += 1 + row * n_frames + first + frame;
                    }
                }
            }
            assert!(data.iter().enumerate().all(|(i, value)| *value == i + 1), "{n_frames} in {pieces}");
        }
    }
}
