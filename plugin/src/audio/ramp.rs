//! A value that moves in a straight line.

/// Moves to its target over a fixed number of samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    target: f32,
    slope: f32,
    left: u32,
    length: u32,
}

impl Ramp {
    /// Rests at `value`; changes take `length` samples.
    pub(crate) fn new(value: f32, length: u32) -> Ramp {
        Ramp { target: value, slope: 0.0, left: 0, length: length.max(1) }
    }

    /// Moves to `target` from now on.
    pub(crate) fn set(&mut self, target: f32) {
        if target != self.target {
            self.slope = (target - self.value()) / self.length as f32;
            (self.target, self.left) = (target, self.length);
        }
    }

    /// Jumps to the target.
    pub(crate) fn finish(&mut self) {
        self.left = 0;
    }

    /// The value of the next sample.
    pub(crate) fn step(&mut self) -> f32 {
        self.left = self.left.saturating_sub(1);
        self.value()
    }

    fn value(&self) -> f32 {
        if self.left == 0 { self.target } else { self.target - self.slope * self.left as f32 }
    }

    /// Whether it stays at this value.
    pub(crate) fn rests_at(&self, value: f32) -> bool {
        self.rests() && self.target == value
    }

    /// Whether it has reached its target.
    pub(crate) fn rests(&self) -> bool {
        self.left == 0
    }
}
