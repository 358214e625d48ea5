//! From a code to audio, at any sample rate and of any length.

use neurdsp_nn::exact::functions::{cos_turns, exp};
use neurdsp_nn::exact::split;
use neurdsp_simd::Isa;

use super::code::{KickCode, Part};
use super::noise::{NoiseLayers, RATE};
use super::partials::{Setting, add_partials};
use super::resample::add_resampled;
use super::time::Time;
use super::transient::add_transient;
use crate::error::{Error, Result};

/// The peak of a kick: −1 dBFS.
const CEILING: f32 = 0.891_250_9;
/// How long a kick takes to end, in seconds.
const CLOSING: f64 = 0.005;
/// What no longer rises above the first of these parts of the peak, -60 dB, fades; below the second, -66 dB, is nothing.
const ENDING: [f32; 2] = [1e-3, 5e-4];

/// The key of kick `index` of a seed: all its noise follows from it.
///
/// # Example
/// ```
/// use neurdsp_models::kick::kick_key;
/// assert_ne!(kick_key(7, 0), kick_key(7, 1));
/// ```
#[must_use]
pub fn kick_key(seed: u64, index: u64) -> u64 {
    split(split(seed).wrapping_add(index))
}

/// How a code is rendered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenderSpec {
    /// In Hz, 8,000 to 192,000.
    pub sample_rate: u32,
    /// In samples, 64 to ten seconds.
    pub length: usize,
    /// Semitones by which the partials are moved, −48 to 48.
    pub tune_semitones: f64,
    /// Factor by which everything after the first 18 ms is stretched, 0.1 to 10.
    pub decay: f64,
    /// Whether the peak is brought to −1 dBFS, and what stays 60 dB below it fades to nothing.
    pub level: bool,
    /// Which parts to render: partials, transient, low layer, noise, fine noise.
    pub layers: [bool; 5],
}

impl Default for RenderSpec {
    /// Two seconds at 44,100 Hz, as the code has them.
    fn default() -> Self {
        Self {
            sample_rate: 44_100,
            length: 88_200,
            tune_semitones: 0.0,
            decay: 1.0,
            level: true,
            layers: [true; 5],
        }
    }
}

impl RenderSpec {
    /// Checks all ranges.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the name of the value.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name: &str, got: String, expected: String| {
            Err(Error::OutOfRange { name: name.to_owned(), got, expected })
        };
        if !(8_000..=192_000).contains(&self.sample_rate) {
            return refuse("sample_rate", self.sample_rate.to_string(), "from 8000 to 192000 Hz".to_owned());
        }
        let longest = 10 * self.sample_rate as usize;
        if !(64..=longest).contains(&self.length) {
            let expected = format!("from 64 to {longest} samples, ten seconds");
            return refuse("length", self.length.to_string(), expected);
        }
        if !(-48.0..=48.0).contains(&self.tune_semitones) {
            let expected = "from -48 to 48 semitones".to_owned();
            return refuse("tune", self.tune_semitones.to_string(), expected);
        }
        if !(0.1..=10.0).contains(&self.decay) {
            return refuse("decay", self.decay.to_string(), "from 0.1 to 10".to_owned());
        }
        Ok(())
    }
}

/// Renders codes; it keeps its working memory from kick to kick.
pub struct KickRenderer {
    noise: NoiseLayers,
    /// The noise at 44,100 Hz.
    layers: Vec<f32>,
    isa: Isa,
}

impl Default for KickRenderer {
    fn default() -> Self {
        Self::new(Isa::detect())
    }
}

impl KickRenderer {
    /// A renderer for an instruction set; all of them give the same bytes.
    #[must_use]
    pub fn new(isa: Isa) -> KickRenderer {
        KickRenderer { noise: NoiseLayers::new(isa), layers: Vec::new(), isa }
    }

    /// Renders a code; `key` decides on its noise.
    ///
    /// # Errors
    /// What [`RenderSpec::validate`] refuses.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::kick::{CODE_SIZE, KickCode, KickRenderer, RenderSpec, kick_key};
    /// let code = KickCode::new(&[0.0; CODE_SIZE])?;
    /// let spec = RenderSpec { length: 1000, ..RenderSpec::default() };
    /// let audio = KickRenderer::default().render(&code, kick_key(7, 0), &spec)?;
    /// assert_eq!((audio.len(), audio[999]), (1000, 0.0));
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn render(&mut self, code: &KickCode, key: u64, spec: &RenderSpec) -> Result<Vec<f32>> {
        let mut audio = vec![0.0; spec.length];
        self.render_into(code, key, spec, &mut audio)?;
        Ok(audio)
    }

    /// Renders a code over what `audio` holds.
    ///
    /// # Errors
    /// As [`render`](Self::render), or a slice of another length than the kick's.
    pub fn render_into(
        &mut self,
        code: &KickCode,
        key: u64,
        spec: &RenderSpec,
        audio: &mut [f32],
    ) -> Result<()> {
        spec.validate()?;
        if audio.len() != spec.length {
            return Err(Error::OutOfRange {
                name: "the room for a kick".to_owned(),
                got: audio.len().to_string(),
                expected: format!("{} samples, its length", spec.length),
            });
        }
        let rate = f64::from(spec.sample_rate);
        let duration = spec.length as f64 / rate;
        let time = Time::new(duration, spec.decay);
        let [partials, transient, noise @ ..] = spec.layers;
        audio.fill(0.0);
        if partials {
            let tune = exp(spec.tune_semitones / 12.0 * std::f64::consts::LN_2);
            add_partials(&Setting { code, time, rate, tune, isa: self.isa }, audio);
        }
        if transient {
            add_transient(code, rate, audio);
        }
        let sounds = |part: Part| code.part(part).iter().any(|level| *level > part.bounds().0);
        let [low, slow, fine] = noise;
        let wanted = [low && sounds(Part::Low), slow && sounds(Part::Noise), fine && sounds(Part::Fine)];
        if spec.sample_rate == 44_100 {
            self.noise.add(code, key, &time, wanted, audio);
        } else if wanted.contains(&true) {
            // As long, and somewhat longer, for the filter to see.
            self.layers.clear();
            self.layers.resize((duration * RATE).ceil() as usize + 64, 0.0);
            self.noise.add(code, key, &time, wanted, &mut self.layers);
            add_resampled(&self.layers, spec.sample_rate, audio);
        }
        close(rate, audio);
        if spec.level {
            bring_to_ceiling(audio);
        }
        Ok(())
    }
}

impl std::fmt::Debug for KickRenderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KickRenderer").field("isa", &self.isa).finish_non_exhaustive()
    }
}

/// Ends a kick with half a period of a cosine, exactly at 0.
fn close(rate: f64, audio: &mut [f32]) {
    let length = audio.len();
    let closing = (length as f64 / 4.0).min(CLOSING * rate);
    for (left, sample) in audio.iter_mut().rev().enumerate() {
        if left as f64 >= closing {
            break;
        }
        *sample *= (0.5 - 0.5 * cos_turns(0.5 * left as f64 / closing)) as f32;
    }
}

/// One gain that brings the peak to the ceiling, and an end where nothing is left to hear; silence stays silent.
fn bring_to_ceiling(audio: &mut [f32]) {
    let peak = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if peak > 0.0 {
        let gain = CEILING / peak;
        if gain.is_finite() {
            audio.iter_mut().for_each(|sample| *sample *= gain);
            end(audio);
        }
    }
}

/// Fades the tail by how loud the loudest of what is still to come is.
fn end(audio: &mut [f32]) {
    let [full, none] = ENDING.map(|share| share * CEILING);
    let mut to_come = 0.0_f32;
    for sample in audio.iter_mut().rev() {
        to_come = to_come.max(sample.abs());
        if to_come >= full {
            break;
        }
        *sample *= ((to_come - none) / (full - none)).max(0.0);
    }
}
