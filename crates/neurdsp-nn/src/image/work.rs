//! The threads and the memory that layers share.
//!
//! Images of a network are large, and the system clears every page of a new one. So images go back to [`Work`] when they
//! are read for the last time, and later ones take their place.

use super::pixels::{Image, LANES};
use neurdsp_simd::parallel::{Idle, for_each_in};
use neurdsp_simd::{AlignedBuf, Team};
use std::sync::{Mutex, PoisonError};

/// Values that a thread takes at a time where nothing else divides them.
const PART: usize = 1 << 16;

/// Memory that one layer leaves for the next, and one call for the next if it is kept in between.
#[derive(Default)]
pub struct Memory {
    scratch: Idle<Scratch>,
    images: Mutex<Vec<AlignedBuf>>,
}

/// The threads of a call, and the memory of its layers.
#[derive(Default)]
pub struct Work {
    team: Team,
    memory: Memory,
}

impl Work {
    /// Threads for all layers of a call, and no memory yet.
    #[must_use]
    pub fn new(n_threads: usize) -> Self {
        Self::with_memory(n_threads, Memory::default())
    }

    /// As [`new`](Self::new), with the memory of an earlier call.
    #[must_use]
    pub fn with_memory(n_threads: usize, memory: Memory) -> Self {
        Self { team: Team::new(n_threads), memory }
    }

    /// The memory, for a later call.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    pub(super) fn n_threads(&self) -> usize {
        self.team.n_threads()
    }

    /// An image of any values, in memory of its own or in that of an image that was [kept](Self::keep).
    #[must_use]
    pub fn image(&self, channels: usize, height: usize, width: usize) -> Image {
        let len = channels.div_ceil(LANES) * height * width * LANES;
        let mut images = self.memory.images.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough.
        let fits = (0..images.len()).filter(|i| images[*i].len() >= len).min_by_key(|i| images[*i].len());
        match fits {
            Some(index) => Image::over(images.swap_remove(index), channels, height, width),
            None => Image::new(channels, height, width),
        }
    }

    /// Takes the memory of an image for later ones.
    pub fn keep(&self, image: Image) {
        self.memory.images.lock().unwrap_or_else(PoisonError::into_inner).push(image.into_data());
    }

    /// Memory for other things than images: at least so many values, and any.
    pub(super) fn floats(&self, len: usize) -> AlignedBuf {
        self.image(LANES, 1, len.div_ceil(LANES)).into_data()
    }

    /// Takes such memory back.
    pub(super) fn keep_floats(&self, floats: AlignedBuf) {
        self.memory.images.lock().unwrap_or_else(PoisonError::into_inner).push(floats);
    }

    /// Multiplies each value of an image by that of another.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn multiply(&self, image: &mut Image, factors: &Image) {
        assert_eq!(image.data().len(), factors.data().len(), "images of one size");
        let parts = image.data_mut().chunks_mut(PART).zip(factors.data().chunks(PART)).collect();
        self.for_each(parts, |_, (values, factors): (&mut [f32], &[f32])| {
            values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
        });
    }

    /// Runs `work` on every item, each thread with its own scratch memory.
    pub(super) fn for_each<Item: Send>(&self, items: Vec<Item>, work: impl Fn(&mut Scratch, Item) + Sync) {
        for_each_in(&self.team, items, &self.memory.scratch, Scratch::default, work);
    }
}

/// Working memory of a thread, which grows with the largest layer.
#[derive(Default)]
pub(super) struct Scratch([AlignedBuf; 3]);

impl Scratch {
    /// Memory of any values, so many of them.
    pub(super) fn take<const N: usize>(&mut self, lens: [usize; N]) -> [&mut [f32]; N] {
        for (buffer, len) in self.0.iter_mut().zip(lens) {
            if buffer.len() < len {
                *buffer = AlignedBuf::default();
                *buffer = AlignedBuf::zeroed(len);
            }
        }
        let mut buffers = self.0.iter_mut();
        lens.map(|len| match buffers.next() {
            Some(buffer) => &mut buffer[..len],
            None => &mut [],
        })
    }
}
