//! Channels that the framework would play wrongly.
//!
//! It copies the inputs to the main outputs one after the other and plays there. That is right if each output is the input of the
//! same number or a buffer of its own, and if there are as many buses and channels as the plugin has. Hosts may give others: left
//! and right crossed, an output missing, two outputs that are one, a bus that is switched off. Those are played in memory of our
//! own.

/// The most buses of a side.
pub(super) const MAX_BUSES: usize = 16;
/// The most channels of a bus.
const MAX_CHANNELS: usize = 8;

/// The channels of a bus of a host: valid pointers to as many samples as the block has, or null.
pub(super) type Channels<'a> = &'a [*mut f32];

/// Channels of the main input of a plugin, and of each of its outputs, the main one first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    n_inputs: usize,
    n_outputs: Vec<usize>,
}

impl Shape {
    /// The shape of a plugin whose main input has `n_inputs` channels, and whose outputs have `n_outputs`.
    pub(super) fn new(n_inputs: usize, n_outputs: impl Iterator<Item = usize>) -> Shape {
        let n_outputs = n_outputs.take(MAX_BUSES).map(|count| count.min(MAX_CHANNELS)).collect();
        Shape { n_inputs: n_inputs.min(MAX_CHANNELS), n_outputs }
    }

    /// Whether the framework plays these channels as they should be.
    fn fits(&self, inputs: Channels, outputs: &[Channels]) -> bool {
        let counted = inputs.len() == self.n_inputs && outputs.len() >= self.n_outputs.len();
        let is_there = |channel: &*mut f32| !channel.is_null();
        if !counted || !inputs.iter().all(is_there) {
            return false;
        }
        let mut before: &[Channels] = &[];
        for (bus, (channels, wanted)) in outputs.iter().zip(&self.n_outputs).enumerate() {
            if channels.len() != *wanted || !channels.iter().all(is_there) {
                return false;
            }
            for (index, output) in channels.iter().enumerate() {
                // The other outputs are filled after the inputs were copied to the main one.
                let is_input = |(other, input): (usize, &*mut f32)| other != index && input == output;
                if channels[..index].contains(output)
                    || before.iter().any(|other| other.contains(output))
                    || bus == 0 && inputs.iter().enumerate().any(is_input)
                {
                    return false;
                }
            }
            before = &outputs[..=bus];
        }
        true
    }
}

/// Memory for the channels of all buses, made before sound plays.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    shape: Shape,
    channels: Vec<Vec<f32>>,
    pointers: Vec<*mut f32>,
    /// The first channel of each output; the main input and the main output share theirs.
    starts: Vec<usize>,
}

// SAFETY: the pointers are to the samples in `channels`, which move with it and are nobody else's.
unsafe impl Send for Scratch {}

impl Scratch {
    /// Memory for a plugin of this shape, for blocks of up to `max_samples`.
    pub(super) fn new(shape: Shape, max_samples: usize) -> Scratch {
        let main = shape.n_inputs.max(shape.n_outputs.first().copied().unwrap_or(0));
        let (mut starts, mut count) = (vec![0], main);
        for n_channels in shape.n_outputs.iter().skip(1) {
            starts.push(count);
            count += n_channels;
        }
        let mut channels = vec![vec![0.0; max_samples]; count];
        let pointers = channels.iter_mut().map(Vec::as_mut_ptr).collect();
        Scratch { shape, channels, pointers, starts }
    }

    /// Whether the framework plays these channels as they should be.
    pub(super) fn are_plain(&self, inputs: Channels, outputs: &[Channels]) -> bool {
        self.shape.fits(inputs, outputs)
    }

    /// Channels of the main input.
    pub(super) fn n_inputs(&self) -> usize {
        self.shape.n_inputs
    }

    /// Takes over `count` samples of the inputs; silence where there is none. Returns whether there is room for them.
    ///
    /// # Safety
    ///
    /// The channels are as [`Channels`] says.
    pub(super) unsafe fn take(&mut self, inputs: Channels, count: usize) -> bool {
        if self.channels.iter().any(|channel| channel.len() < count) {
            return false;
        }
        let main = self.starts.get(1).copied().unwrap_or(self.channels.len());
        for (index, channel) in self.channels.iter_mut().enumerate().take(main) {
            let samples = &mut channel[..count];
            match inputs.get(index).filter(|input| !input.is_null()) {
                // SAFETY: the caller promises as many samples, and they are not ours.
                Some(input) => samples.copy_from_slice(unsafe { std::slice::from_raw_parts(*input, count) }),
                None => samples.fill(0.0),
            }
        }
        true
    }

    /// The channels in which the plugin is to play each of its outputs, with their number. The first are also those of the input.
    pub(super) fn outputs(&mut self) -> impl Iterator<Item = (*mut *mut f32, usize)> {
        let all = self.pointers.as_mut_ptr();
        let starts = self.starts.iter().zip(&self.shape.n_outputs);
        starts.map(move |(start, n_channels)| (all.wrapping_add(*start), *n_channels))
    }

    /// Gives `count` samples to each channel of the outputs; silence to those beyond the plugin's.
    ///
    /// # Safety
    ///
    /// The channels are as [`Channels`] says.
    pub(super) unsafe fn give(&self, outputs: &[Channels], count: usize) {
        for (bus, channels) in outputs.iter().enumerate() {
            let start = self.starts.get(bus).copied();
            let n_channels = self.shape.n_outputs.get(bus).copied().unwrap_or(0);
            for (index, output) in channels.iter().enumerate().filter(|(_, output)| !output.is_null()) {
                // SAFETY: the caller promises as many samples.
                let output = unsafe { std::slice::from_raw_parts_mut(*output, count) };
                let own = start.filter(|_| index < n_channels);
                match own.and_then(|start| self.channels.get(start + index)?.get(..count)) {
                    Some(samples) => output.copy_from_slice(samples),
                    None => output.fill(0.0),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scratch, Shape};

    #[test]
    fn crossed_missing_and_doubled_channels_are_told_from_plain_ones() {
        let mut channels = [[0.0f32; 4]; 4];
        let [a, b, c, d] = channels.each_mut().map(|channel| channel.as_mut_ptr());
        let null = std::ptr::null_mut();
        let shape = Shape::new(2, [2].into_iter());
        let plain = |inputs: &[*mut f32], outputs: &[*mut f32]| shape.fits(inputs, &[outputs]);
        assert!(plain(&[a, b], &[a, b]) && plain(&[a, b], &[c, d]) && plain(&[a, a], &[c, d]));
        assert!(!plain(&[a, b], &[b, a]) && !plain(&[a, b], &[b, c]) && !plain(&[a, a], &[a, c]));
        assert!(!plain(&[a, b], &[c, c]) && !plain(&[a, null], &[c, d]) && !plain(&[a, b], &[c, null]));
        assert!(!plain(&[a], &[c, d]) && !plain(&[a, b], &[c]) && !plain(&[a, b, c], &[a, b, c]));
        assert!(!plain(&[], &[c, d]) && !shape.fits(&[a, b], &[]));
        let mono = Shape::new(1, [2].into_iter());
        assert!(mono.fits(&[a], &[&[a, b]]) && !mono.fits(&[a], &[&[b, a]]));
    }

    #[test]
    fn further_outputs_are_plain_while_they_are_there_and_nobody_elses() {
        let mut channels = [[0.0f32; 4]; 6];
        let [a, b, c, d, e, f] = channels.each_mut().map(|channel| channel.as_mut_ptr());
        let null = std::ptr::null_mut();
        let shape = Shape::new(2, [2, 2].into_iter());
        let plain = |outputs: &[&[*mut f32]]| shape.fits(&[a, b], outputs);
        assert!(plain(&[&[a, b], &[c, d]]) && plain(&[&[c, d], &[e, f]]) && plain(&[&[c, d], &[a, b]]));
        assert!(plain(&[&[a, b], &[c, d], &[]]));
        assert!(!plain(&[&[a, b]]) && !plain(&[&[a, b], &[]]) && !plain(&[&[a, b], &[c, null]]));
        assert!(!plain(&[&[a, b], &[c]]) && !plain(&[&[a, b], &[c, c]]) && !plain(&[&[c, d], &[d, e]]));
    }

    #[test]
    fn crossed_channels_come_back_crossed_and_further_ones_silent() {
        let (mut left, mut right, mut third) = ([1.0f32; 4], [2.0f32; 4], [3.0f32; 4]);
        let [l, r, t] = [&mut left, &mut right, &mut third].map(|channel| channel.as_mut_ptr());
        let mut scratch = Scratch::new(Shape::new(2, [2].into_iter()), 8);
        // SAFETY: the channels have four samples.
        unsafe {
            assert!(!scratch.take(&[l, r], 9) && scratch.take(&[l, r], 4));
            scratch.give(&[&[r, l, t]], 4);
        }
        assert_eq!((left, right, third), ([2.0; 4], [1.0; 4], [0.0; 4]));
    }

    #[test]
    fn every_output_has_memory_of_its_own_and_is_given_to_the_host_that_wants_it() {
        let (mut left, mut side, mut more) = ([1.0f32; 4], [3.0f32; 4], [4.0f32; 4]);
        let [l, s, m] = [&mut left, &mut side, &mut more].map(|channel| channel.as_mut_ptr());
        let mut scratch = Scratch::new(Shape::new(1, [2, 1, 2].into_iter()), 4);
        // SAFETY: the channels have four samples, as has the memory.
        unsafe {
            assert!(scratch.take(&[l], 4));
            let outputs: Vec<_> = scratch.outputs().collect();
            assert_eq!(outputs.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1, 2]);
            for (value, (pointers, count)) in [10.0, 20.0, 30.0].into_iter().zip(outputs) {
                for index in 0..count {
                    *(*pointers.add(index)) += value + index as f32;
                }
            }
            scratch.give(&[&[l], &[s], &[std::ptr::null_mut(), m], &[]], 4);
        }
        assert_eq!([left[0], side[0], more[0]], [11.0, 20.0, 31.0]);
    }
}
