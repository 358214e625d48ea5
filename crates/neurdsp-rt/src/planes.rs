//! A chunk of several channels in preallocated memory.

use neurdsp_dsp::live::{Ramp, clean};

/// The most samples of a channel that are processed at a time.
pub const MAX_CHUNK: usize = 256;

/// Up to [`MAX_CHUNK`] samples of each channel.
///
/// # Example
///
/// ```
/// use neurdsp_rt::Planes;
///
/// let mut planes = Planes::new(2);
/// planes.set_len(3);
/// planes.channel_mut(1).copy_from_slice(&[1.0, 2.0, 3.0]);
/// assert_eq!(planes.channel(0), [0.0; 3]);
/// ```
#[derive(Clone, Debug)]
pub struct Planes {
    samples: Vec<f32>,
    n_channels: usize,
    len: usize,
}

impl Planes {
    /// Silence of length 0.
    #[must_use]
    pub fn new(n_channels: usize) -> Planes {
        Planes { samples: vec![0.0; n_channels * MAX_CHUNK], n_channels, len: 0 }
    }

    /// How many channels there are.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Uses only the first `n_channels` from now on, or more again: at most as many as it was made for.
    pub(crate) fn set_n_channels(&mut self, n_channels: usize) {
        self.n_channels = n_channels.min(self.samples.len() / MAX_CHUNK);
    }

    /// Samples in each channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets the number of samples, at most [`MAX_CHUNK`].
    pub fn set_len(&mut self, len: usize) {
        self.len = len.min(MAX_CHUNK);
    }

    /// The samples of a channel, which must exist.
    #[must_use]
    pub fn channel(&self, index: usize) -> &[f32] {
        &self.samples[index * MAX_CHUNK..index * MAX_CHUNK + self.len]
    }

    /// The samples of a channel, which must exist.
    pub fn channel_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.samples[index * MAX_CHUNK..index * MAX_CHUNK + self.len]
    }

    /// Two different channels, which must exist.
    pub(crate) fn pair_mut(&mut self, first: usize, second: usize) -> [&mut [f32]; 2] {
        let (low, high) = (first.min(second), first.max(second));
        let (before, after) = self.samples.split_at_mut(high * MAX_CHUNK);
        let low = &mut before[low * MAX_CHUNK..low * MAX_CHUNK + self.len];
        let high = &mut after[..self.len];
        if first < second { [low, high] } else { [high, low] }
    }

    /// The channels one after the other.
    pub fn channels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let (len, n_channels) = (self.len, self.n_channels);
        self.samples.chunks_exact_mut(MAX_CHUNK).take(n_channels).map(move |channel| &mut channel[..len])
    }

    /// Copies the samples of another chunk that was made for as many channels.
    pub fn copy_from(&mut self, other: &Planes) {
        self.len = other.len;
        self.set_n_channels(other.n_channels);
        for (index, channel) in self.channels_mut().enumerate() {
            channel.copy_from_slice(other.channel(index));
        }
    }

    /// Takes the only channel of `other` off every channel.
    pub(crate) fn subtract(&mut self, other: &Planes) {
        for channel in self.channels_mut() {
            channel.iter_mut().zip(other.channel(0)).for_each(|(sample, offset)| *sample -= *offset);
        }
    }

    /// Puts zero in place of samples that are not valid, and returns their number.
    pub(crate) fn clean(&mut self) -> usize {
        let mut bad = 0;
        for sample in self.channels_mut().flatten() {
            let valid = clean(*sample);
            bad += usize::from(valid != *sample);
            *sample = valid;
        }
        bad
    }

    /// Scales all channels by the same ramp.
    pub(crate) fn scale(&mut self, gain: &mut Ramp) {
        let start = gain.clone();
        for channel in self.channels_mut() {
            *gain = start.clone();
            gain.scale(channel);
        }
    }
}
