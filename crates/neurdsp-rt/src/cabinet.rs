//! Impulse responses of loudspeaker cabinets and rooms: loading, preparing, playing.

use crate::bank::Bank;
use crate::error::{Error, Result};
use crate::levels::ModelLevels;
use neurdsp_dsp::live::{Convolver, LiveBlock, resample_clip};
use neurdsp_models::StreamingModel;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// The most channels of a file; a chain of several channels uses more than one.
const MAX_CHANNELS: u16 = 64;
/// The most samples of a file, all channels together.
const MAX_SAMPLES: u32 = 1 << 23;

/// A recorded impulse response: one or several channels of the same length.
///
/// # Example
///
/// ```
/// use neurdsp_rt::ImpulseResponse;
///
/// let response = ImpulseResponse::new(vec![vec![0.5, 0.25]], 48_000.0)?;
/// let mut bank = response.bank(48_000.0, 1, true)?; // for a slot, or a chain
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ImpulseResponse {
    channels: Vec<Vec<f32>>,
    sample_rate: f64,
}

impl ImpulseResponse {
    /// A response from samples, `sample_rate` in Hz.
    ///
    /// # Errors
    /// A response without samples, with a sample that is not finite, with channels of different lengths, or too long.
    pub fn new(channels: Vec<Vec<f32>>, sample_rate: f64) -> Result<ImpulseResponse> {
        let length = channels.first().map_or(0, Vec::len);
        if length == 0 {
            return Err(neurdsp_dsp::Error::Empty.into());
        }
        if let Some(other) = channels.iter().find(|channel| channel.len() != length) {
            let allowed = format!("all must have the length of the first, {length}");
            return Err(Error::parameter("the length of a channel", other.len(), allowed));
        }
        if length > Convolver::MAX_TAPS {
            let allowed = format!("it must be at most {}; shorten it", Convolver::MAX_TAPS);
            return Err(Error::parameter("the length of the impulse response", length, allowed));
        }
        if let Some(index) = channels.iter().flatten().position(|sample| !sample.is_finite()) {
            let value = f64::NAN;
            return Err(neurdsp_dsp::Error::NotFinite { index: index % length, value }.into());
        }
        Ok(ImpulseResponse { channels, sample_rate })
    }

    /// Reads a WAV file: integers of 8 to 32 bits or floats.
    ///
    /// # Errors
    /// A file that is missing, not a WAV file, empty, damaged or too long.
    pub fn load(path: impl AsRef<Path>) -> Result<ImpulseResponse> {
        let path = path.as_ref();
        let in_file = |reason: String| Error::AudioFile { path: path.to_owned(), reason };
        let file = std::fs::File::open(path).map_err(|error| in_file(format!("{error}; give a WAV file")))?;
        read_wav(BufReader::new(file)).map_err(in_file)
    }

    /// Reads the bytes of a WAV file, as [`load`](Self::load) does: one embedded in a project, for example.
    ///
    /// # Errors
    /// As [`load`](Self::load); the path of the error is empty.
    pub fn from_wav(bytes: &[u8]) -> Result<ImpulseResponse> {
        read_wav(Cursor::new(bytes)).map_err(|reason| Error::AudioFile { path: PathBuf::new(), reason })
    }

    /// Length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.channels[0].len() as f64 / self.sample_rate
    }

    /// The responses at another sample rate, with the same gain at every frequency that both rates can represent.
    ///
    /// With `normalise` all are scaled by one factor, so that white noise keeps its level through the loudest of them.
    ///
    /// # Errors
    /// The rates are too far apart, or the result too long.
    pub fn prepared(&self, sample_rate: f64, normalise: bool) -> Result<Vec<Vec<f32>>> {
        // A response is a density: more samples per second are each smaller.
        let density = (self.sample_rate / sample_rate) as f32;
        let resampled = |channel: &Vec<f32>| Ok(resample_clip(channel, self.sample_rate, sample_rate)?);
        let mut channels = self.channels.iter().map(resampled).collect::<Result<Vec<_>>>()?;
        let energy = |channel: &Vec<f32>| channel.iter().map(|h| f64::from(*h).powi(2)).sum::<f64>();
        let loudest = channels.iter().map(energy).fold(0.0, f64::max).sqrt();
        let scale = if normalise && loudest > 0.0 { (1.0 / loudest) as f32 } else { density };
        channels.iter_mut().flatten().for_each(|sample| *sample *= scale);
        Ok(channels)
    }

    /// The bank for a slot: channel `i` of the chain through channel `i` of the response, or through its last one.
    ///
    /// # Errors
    /// As [`prepared`](Self::prepared).
    pub fn bank(&self, sample_rate: f64, n_channels: usize, normalise: bool) -> Result<Bank> {
        let responses = self.prepared(sample_rate, normalise)?;
        let stream = |index: usize| {
            let response = &responses[index.min(responses.len() - 1)];
            Ok(Box::new(Cabinet(Convolver::new(response)?)) as Box<dyn StreamingModel>)
        };
        Bank::new((0..n_channels).map(stream).collect::<Result<_>>()?, ModelLevels::default())
    }
}

/// The response in a WAV file, or what is wrong with it.
fn read_wav(file: impl Read) -> std::result::Result<ImpulseResponse, String> {
    let unreadable = |error: hound::Error| format!("{error}; give a WAV file");
    let mut reader = hound::WavReader::new(file).map_err(unreadable)?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.channels > MAX_CHANNELS || reader.len() > MAX_SAMPLES {
        let (channels, samples) = (spec.channels, reader.len());
        return Err(format!(
            "it has {samples} samples in {channels} channels, but at most {MAX_SAMPLES} in {MAX_CHANNELS} can be used"
        ));
    }
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<hound::Result<_>>(),
        hound::SampleFormat::Int => {
            let scale = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader.samples::<i32>().map(|sample| Ok(sample? as f32 / scale)).collect()
        }
    }
    .map_err(unreadable)?;
    let n = usize::from(spec.channels);
    let channel = |index: usize| samples.iter().skip(index).step_by(n).copied().collect();
    ImpulseResponse::new((0..n).map(channel).collect(), f64::from(spec.sample_rate))
        .map_err(|error| error.to_string())
}

/// A convolver as a stream.
struct Cabinet(Convolver);

impl StreamingModel for Cabinet {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn prewarm(&mut self) {
        self.0.reset();
    }

    fn receptive_field(&self) -> usize {
        self.0.n_taps()
    }

    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let length = input.len().min(output.len());
        output[..length].copy_from_slice(&input[..length]);
        self.0.process(&mut output[..length]);
    }
}
