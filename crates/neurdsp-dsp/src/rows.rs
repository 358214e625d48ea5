//! Results laid out as rows over frames, whole or split among threads.

/// The frames of one task: a stretch of every row of a result.
pub(crate) enum Rows<'a, E> {
    /// All frames: rows of `n_frames`, one after the other.
    Whole { data: &'a mut [E], n_frames: usize },
    /// Some frames: a slice of each row.
    Part(Vec<&'a mut [E]>),
}

impl<'a, E> Rows<'a, E> {
    pub(crate) fn whole(data: &'a mut [E], n_frames: usize) -> Self {
        Self::Whole { data, n_frames }
    }

    /// Frames of this task.
    pub(crate) fn n_frames(&self) -> usize {
        match self {
            Self::Whole { n_frames, .. } => *n_frames,
            Self::Part(rows) => rows.first().map_or(0, |row| row.len()),
        }
    }

    /// The task's stretch of a row.
    #[inline(always)]
    pub(crate) fn row(&mut self, index: usize) -> &mut [E] {
        match self {
            Self::Whole { data, n_frames } => &mut data[index * *n_frames..(index + 1) * *n_frames],
            Self::Part(rows) => rows[index],
        }
    }
}

/// Splits a result of rows of `n_frames` into `pieces` stretches of frames, each with the number of its first frame.
pub(crate) fn split_frames<E>(
    data: &mut [E],
    n_frames: usize,
    pieces: usize,
) -> impl Iterator<Item = (usize, Rows<'_, E>)> {
    // Lines of 64 bytes hold at least four values: stretches that begin on one do not fight over it.
    let length = n_frames.div_ceil(pieces.max(1)).next_multiple_of(16);
    let n_pieces = n_frames.div_ceil(length);
    if n_pieces <= 1 {
        return vec![(0, Rows::whole(data, n_frames))].into_iter();
    }
    let mut parts: Vec<Vec<&mut [E]>> = (0..n_pieces).map(|_| Vec::new()).collect();
    for row in data.chunks_exact_mut(n_frames) {
        for (part, stretch) in parts.iter_mut().zip(row.chunks_mut(length)) {
            part.push(stretch);
        }
    }
    let numbered = parts.into_iter().enumerate().map(|(i, part)| (i * length, Rows::Part(part)));
    numbered.collect::<Vec<_>>().into_iter()
}
