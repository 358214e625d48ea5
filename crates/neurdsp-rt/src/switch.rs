//! A stage of the chain that can be switched on and off while it plays.

use crate::planes::Planes;
use neurdsp_dsp::live::Ramp;

/// How much of a stage is heard, from 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    share: Ramp,
    /// Samples that the stage runs unheard before it fades in.
    unheard: usize,
}

impl Switch {
    /// A switch at `share`, which takes `ramp_samples` for a change.
    pub(crate) fn new(share: f32, ramp_samples: u32) -> Switch {
        Switch { share: Ramp::new(share, ramp_samples), unheard: 0 }
    }

    /// Completes the change in progress.
    pub(crate) fn finish(&mut self) {
        self.share.snap(self.share.target());
        self.unheard = 0;
    }

    pub(crate) fn set(&mut self, share: f32) {
        self.share.set(share);
        if share == 0.0 {
            self.unheard = 0;
        }
    }

    /// Lets the stage run for so long before it fades in.
    pub(crate) fn listen(&mut self, samples: usize) {
        self.unheard = samples;
    }

    /// Whether nothing of the stage is heard.
    pub(crate) fn is_off(&self) -> bool {
        self.share.target() == 0.0 && self.share.remaining() == 0
    }

    /// How many of the next `len` samples need the stage at all.
    pub(crate) fn needed(&self, len: usize) -> usize {
        if self.share.target() > 0.0 { len } else { len.min(self.share.remaining()) }
    }

    /// Mixes the signal before the stage into the one after it.
    pub(crate) fn blend(&mut self, before: &Planes, after: &mut Planes) {
        if self.share.remaining() == 0 && self.share.target() == 1.0 {
            return;
        }
        let start = self.clone();
        for (index, wet) in after.channels_mut().enumerate() {
            *self = start.clone();
            for (wet, dry) in wet.iter_mut().zip(before.channel(index)) {
                let share = self.step();
                *wet = *wet * share + *dry * (1.0 - share);
            }
        }
    }

    fn step(&mut self) -> f32 {
        if self.unheard > 0 {
            self.unheard -= 1;
            return self.share.value();
        }
        self.share.step()
    }
}
