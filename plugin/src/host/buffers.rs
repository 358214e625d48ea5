//! Channels that the framework would play wrongly.
//!
//! It copies the inputs to the outputs one after the other and plays there. That is right if each output is the input of the same
//! number or a buffer of its own, and if there are as many as the plugin has. Hosts may give others: left and right crossed, an
//! output missing, two outputs that are one. Those are played in memory of our own.

/// The most channels of a bus.
const MAX_CHANNELS: usize = 8;

/// Memory for the channels of one bus, made before sound plays.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    channels: Vec<Vec<f32>>,
    pointers: Vec<*mut f32>,
}

// SAFETY: the pointers are to the samples in `channels`, which move with it and are nobody else's.
unsafe impl Send for Scratch {}

/// The channels of a host, on one side: valid pointers to as many samples as the block has, or null.
pub(super) type Channels<'a> = &'a [*mut f32];

/// Whether the framework plays these channels of a plugin with `n_inputs` and `n_outputs` as they should be.
pub(super) fn are_plain(inputs: Channels, outputs: Channels, n_inputs: usize, n_outputs: usize) -> bool {
    let counted = inputs.len() == n_inputs && outputs.len() == n_outputs;
    counted
        && !inputs.iter().chain(outputs).any(|channel| channel.is_null())
        && outputs.iter().enumerate().all(|(index, output)| {
            let is_anothers = |(other, channel): (usize, &*mut f32)| other != index && channel == output;
            !inputs.iter().enumerate().any(is_anothers) && !outputs.iter().enumerate().any(is_anothers)
        })
}

impl Scratch {
    /// Memory for `n_channels` channels of `max_samples`.
    pub(super) fn new(n_channels: usize, max_samples: usize) -> Scratch {
        let mut channels = vec![vec![0.0; max_samples]; n_channels.min(MAX_CHANNELS)];
        let pointers = channels.iter_mut().map(Vec::as_mut_ptr).collect();
        Scratch { channels, pointers }
    }

    /// Takes over `count` samples of the inputs; silence where there is none. Returns the channels in which the plugin is to play,
    /// or none if they are too short.
    ///
    /// # Safety
    ///
    /// The channels are as [`Channels`] says.
    pub(super) unsafe fn take(&mut self, inputs: Channels, count: usize) -> Option<*mut *mut f32> {
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let samples = channel.get_mut(..count)?;
            match inputs.get(index).filter(|input| !input.is_null()) {
                // SAFETY: the caller promises as many samples, and they are not ours.
                Some(input) => samples.copy_from_slice(unsafe { std::slice::from_raw_parts(*input, count) }),
                None => samples.fill(0.0),
            }
        }
        Some(self.pointers.as_mut_ptr())
    }

    /// Gives `count` samples to each of the outputs; silence to those beyond the plugin's.
    ///
    /// # Safety
    ///
    /// The channels are as [`Channels`] says.
    pub(super) unsafe fn give(&self, outputs: Channels, count: usize) {
        for (index, output) in outputs.iter().enumerate().filter(|(_, output)| !output.is_null()) {
            // SAFETY: the caller promises as many samples.
            let output = unsafe { std::slice::from_raw_parts_mut(*output, count) };
            match self.channels.get(index).and_then(|channel| channel.get(..count)) {
                Some(samples) => output.copy_from_slice(samples),
                None => output.fill(0.0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scratch, are_plain};

    #[test]
    fn crossed_missing_and_doubled_channels_are_told_from_plain_ones() {
        let mut channels = [[0.0f32; 4]; 4];
        let [a, b, c, d] = channels.each_mut().map(|channel| channel.as_mut_ptr());
        let null = std::ptr::null_mut();
        let plain = |inputs: &[*mut f32], outputs: &[*mut f32]| are_plain(inputs, outputs, 2, 2);
        assert!(plain(&[a, b], &[a, b]) && plain(&[a, b], &[c, d]) && plain(&[a, a], &[c, d]));
        assert!(!plain(&[a, b], &[b, a]) && !plain(&[a, b], &[b, c]) && !plain(&[a, a], &[a, c]));
        assert!(!plain(&[a, b], &[c, c]) && !plain(&[a, null], &[c, d]) && !plain(&[a, b], &[c, null]));
        assert!(!plain(&[a], &[c, d]) && !plain(&[a, b], &[c]) && !plain(&[a, b, c], &[a, b, c]));
        assert!(are_plain(&[a], &[a, b], 1, 2) && !are_plain(&[a], &[b, a], 1, 2));
    }

    #[test]
    fn crossed_channels_come_back_crossed_and_further_ones_silent() {
        let (mut left, mut right, mut third) = ([1.0f32; 4], [2.0f32; 4], [3.0f32; 4]);
        let [l, r, t] = [&mut left, &mut right, &mut third].map(|channel| channel.as_mut_ptr());
        let mut scratch = Scratch::new(2, 8);
        // SAFETY: the channels have four samples.
        unsafe {
            assert!(scratch.take(&[l, r], 9).is_none());
            scratch.take(&[l, r], 4).unwrap();
            scratch.give(&[r, l, t], 4);
        }
        assert_eq!((left, right, third), ([2.0; 4], [1.0; 4], [0.0; 4]));
    }
}
