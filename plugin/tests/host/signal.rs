//! Signals, and how they differ.

use std::cell::RefCell;

thread_local! {
    /// The state of a random number generator for signals.
    static SEED: RefCell<u32> = const { RefCell::new(1) };
}

/// Noise between -amplitude and amplitude, another each time. The first of a thread is always the same.
pub fn noise(length: usize, amplitude: f32) -> Vec<f32> {
    SEED.with_borrow_mut(|seed| {
        (0..length)
            .map(|_| {
                *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                amplitude * ((*seed >> 8) as f32 / 8_388_608.0 - 1.0)
            })
            .collect()
    })
}

/// The level of the difference, relative to what is expected, in dB.
pub fn null_db(played: &[f32], expected: &[f32]) -> f64 {
    let energy = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>();
    let error = energy(&mut played.iter().zip(expected).map(|(a, b)| f64::from(a - b)));
    10.0 * (error / energy(&mut expected.iter().map(|x| f64::from(*x))) + 1e-30).log10()
}

/// The largest step from one sample to the next.
pub fn steepest(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}
