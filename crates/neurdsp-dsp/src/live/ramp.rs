//! A parameter that moves linearly to its target, sample by sample.

/// Moves from its current value to its target over a fixed number of samples.
///
/// Each value is computed from the target and the number of samples left, so no error accumulates and the division into
/// blocks changes nothing.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::Ramp;
///
/// let mut gain = Ramp::new(0.0, 4);
/// gain.set(1.0);
/// assert_eq!([gain.step(), gain.step(), gain.step(), gain.step(), gain.step()], [0.25, 0.5, 0.75, 1.0, 1.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Ramp {
    target: f32,
    slope: f32,
    left: u32,
    length: u32,
}

impl Ramp {
    /// Rests at `value`; later changes take `length` samples, at least one.
    #[must_use]
    pub fn new(value: f32, length: u32) -> Ramp {
        Ramp { target: value, slope: 0.0, left: 0, length: length.max(1) }
    }

    /// Starts to move to `target` from the current value. A target that is not finite is ignored.
    pub fn set(&mut self, target: f32) {
        if target == self.target || !target.is_finite() {
            return;
        }
        let value = self.value();
        self.target = target;
        self.left = self.length;
        self.slope = (target - value) / self.length as f32;
    }

    /// Jumps to `value`.
    pub fn snap(&mut self, value: f32) {
        (self.target, self.left) = (value, 0);
    }

    /// The current value.
    #[must_use]
    pub fn value(&self) -> f32 {
        if self.left == 0 { self.target } else { self.target - self.slope * self.left as f32 }
    }

    /// The value that it moves to.
    #[must_use]
    pub fn target(&self) -> f32 {
        self.target
    }

    /// Samples until it reaches its target.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.left as usize
    }

    /// Moves on by one sample and returns the new value.
    #[inline]
    pub fn step(&mut self) -> f32 {
        self.left = self.left.saturating_sub(1);
        self.value()
    }

    /// Multiplies the samples by the next values.
    pub fn scale(&mut self, samples: &mut [f32]) {
        let moving = samples.len().min(self.remaining());
        let (moving, resting) = samples.split_at_mut(moving);
        for sample in moving {
            *sample *= self.step();
        }
        if self.target != 1.0 {
            resting.iter_mut().for_each(|sample| *sample *= self.target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ramp;

    #[test]
    fn it_is_a_straight_line_from_wherever_it_was() {
        let mut ramp = Ramp::new(2.0, 8);
        ramp.set(4.0);
        let first: Vec<f32> = (0..4).map(|_| ramp.step()).collect();
        assert_eq!(first, [2.25, 2.5, 2.75, 3.0]);
        ramp.set(-1.0);
        let rest: Vec<f32> = (0..10).map(|_| ramp.step()).collect();
        assert_eq!(rest, [2.5, 2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0, -1.0, -1.0]);
        assert_eq!(ramp.remaining(), 0);
    }

    #[test]
    fn scaling_in_blocks_is_scaling_at_once() {
        let run = |block: usize| {
            let mut ramp = Ramp::new(1.0, 37);
            ramp.set(0.1);
            let mut samples = vec![0.7f32; 100];
            samples.chunks_mut(block).for_each(|block| ramp.scale(block));
            samples
        };
        for block in [1, 7, 64] {
            assert_eq!(run(block), run(100));
        }
    }

    #[test]
    fn a_target_that_is_not_finite_is_ignored() {
        let mut ramp = Ramp::new(1.0, 4);
        ramp.set(f32::NAN);
        ramp.set(f32::INFINITY);
        assert_eq!(ramp.step(), 1.0);
    }
}
