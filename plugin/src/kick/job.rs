//! What the worker is asked to make: which kick, how it is rendered, and whether its variations are.

use neurdsp_models::kick::RenderSpec;

use super::wishes::Wishes;

/// The lowest and the highest rate of the renderer, in Hz.
const RATES: (u32, u32) = (8_000, 192_000);

/// One job. It follows from the parameters alone, so the audio thread can tell when there is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) wishes: Wishes,
    pub(super) look: Look,
    pub(super) amount_percent: u8,
    pub(super) round_robin: bool,
}

/// How a kick is rendered. In whole numbers, as [`Wishes`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) tune_cents: i32,
    pub(super) decay_percent: u32,
    pub(super) duration_ms: u32,
}

impl Look {
    /// What the renderer is told, at a rate of the host in Hz.
    pub(super) fn spec(&self, host_rate: f64) -> RenderSpec {
        let sample_rate = render_rate(host_rate);
        let length = (f64::from(self.duration_ms) * f64::from(sample_rate) / 1000.0).round() as usize;
        RenderSpec {
            sample_rate,
            length: length.clamp(64, 10 * sample_rate as usize),
            tune_semitones: f64::from(self.tune_cents) / 100.0,
            decay: f64::from(self.decay_percent) / 100.0,
            ..RenderSpec::default()
        }
    }
}

/// The rate at which kicks are rendered for a host: its own, if the renderer has it.
fn render_rate(host_rate: f64) -> u32 {
    (host_rate.round() as u32).clamp(RATES.0, RATES.1)
}

#[cfg(test)]
mod tests {
    use super::Look;

    #[test]
    fn every_rate_and_duration_becomes_one_that_the_renderer_takes() {
        for duration_ms in [0, 50, 4000, u32::MAX] {
            for host_rate in [1.0, 44_100.0, 45_678.9, 192_000.0, 1e9] {
                let look = Look { tune_cents: -1200, decay_percent: 25, duration_ms };
                look.spec(host_rate).validate().unwrap();
            }
        }
        let look = Look { tune_cents: 150, decay_percent: 125, duration_ms: 500 };
        let spec = look.spec(48_000.0);
        assert_eq!((spec.length, spec.tune_semitones, spec.decay), (24_000, 1.5, 1.25));
    }
}
