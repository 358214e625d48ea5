//! Keeps the output below full scale.

use super::ramp::Ramp;

/// Up to here, -3 dB of full scale, a sample stays as it is.
const KNEE: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Bends what is above the knee, so that nothing reaches full scale. It has no latency and no memory, and can be switched off.
#[derive(Debug)]
pub(crate) struct Ceiling(Ramp);

impl Ceiling {
    /// A ceiling that takes `ramp_samples` to come and go.
    pub(crate) fn new(ramp_samples: u32) -> Ceiling {
        Ceiling(Ramp::new(0.0, ramp_samples))
    }

    /// Whether it is there.
    pub(crate) fn set(&mut self, is_on: bool) {
        self.0.set(f32::from(u8::from(is_on)));
    }

    /// Completes the change in progress.
    pub(crate) fn finish(&mut self) {
        self.0.finish();
    }

    /// Plays channels of one length in place.
    pub(crate) fn process(&mut self, channels: &mut [&mut [f32]]) {
        if self.0.rests_at(0.0) {
            return;
        }
        let start = self.0;
        for channel in channels {
            self.0 = start;
            for sample in channel.iter_mut() {
                let share = self.0.step();
                if sample.abs() > KNEE {
                    let bent = bent(*sample);
                    *sample = if share == 1.0 { bent } else { *sample + share * (bent - *sample) };
                }
            }
        }
    }
}

/// A straight line up to the knee, and from there a curve that begins with the same slope and never reaches 1.
fn bent(sample: f32) -> f32 {
    const ROOM: f32 = 1.0 - KNEE;
    let over = (sample.abs() - KNEE) / ROOM;
    // The last step of the 32-bit floats below 1, since the curve is rounded.
    (KNEE + ROOM * over.tanh()).min(1.0 - f32::EPSILON).copysign(sample)
}

#[cfg(test)]
mod tests {
    use super::{Ceiling, KNEE};

    /// Values from -4 to 4.
    fn values() -> Vec<f32> {
        (-4000..=4000).map(|i| i as f32 / 1000.0).collect()
    }

    fn played(ceiling: &mut Ceiling) -> Vec<f32> {
        let mut samples = values();
        ceiling.process(&mut [&mut samples]);
        samples
    }

    #[test]
    fn nothing_reaches_full_scale_and_what_is_below_the_knee_stays() {
        let mut ceiling = Ceiling::new(10);
        assert_eq!(played(&mut ceiling), values());
        ceiling.set(true);
        ceiling.finish();
        let output = played(&mut ceiling);
        assert!(output.iter().all(|x| x.abs() < 1.0));
        assert!(output.is_sorted() && output[8000] > 0.999);
        for (input, output) in values().iter().zip(&output) {
            assert!(input.abs() > KNEE || input == output);
        }
        // The slope does not jump at the knee: 0.001 further there is 0.001 higher.
        let steepest = output.windows(3).map(|x| (x[2] - 2.0 * x[1] + x[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 1e-5, "{steepest}");
    }

    #[test]
    fn it_comes_and_goes_without_a_step() {
        let mut ceiling = Ceiling::new(1000);
        ceiling.set(true);
        let mut samples = [2.0f32; 2000];
        let mut copy = samples;
        ceiling.process(&mut [&mut samples, &mut copy]);
        let step = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.0011 && samples[1999] < 1.0 && samples == copy, "{step}");
    }
}
