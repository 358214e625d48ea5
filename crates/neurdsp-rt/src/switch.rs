//! A stage of the chain that can be switched on and off while it plays.

use crate::planes::Planes;
use neurdsp_dsp::live::Ramp;

/// How much of a stage is heard, from 0 to 1.
#[derive(Debug)]
pub(crate) struct Switch(Ramp);

impl Switch {
    /// A switch at `share`, which takes `ramp_samples` for a change.
    pub(crate) fn new(share: f32, ramp_samples: u32) -> Switch {
        Switch(Ramp::new(share, ramp_samples))
    }

    /// Completes the change in progress.
    pub(crate) fn finish(&mut self) {
        self.0.snap(self.0.target());
    }

    pub(crate) fn set(&mut self, share: f32) {
        self.0.set(share);
    }

    /// How many of the next `len` samples need the stage at all.
    pub(crate) fn needed(&self, len: usize) -> usize {
        if self.0.target() > 0.0 { len } else { len.min(self.0.remaining()) }
    }

    /// Mixes the signal before the stage into the one after it.
    pub(crate) fn blend(&mut self, before: &Planes, after: &mut Planes) {
        if self.0.remaining() == 0 && self.0.target() == 1.0 {
            return;
        }
        let start = self.0.clone();
        for (index, wet) in after.channels_mut().enumerate() {
            self.0 = start.clone();
            for (wet, dry) in wet.iter_mut().zip(before.channel(index)) {
                let share = self.0.step();
                *wet = *wet * share + *dry * (1.0 - share);
            }
        }
    }
}
