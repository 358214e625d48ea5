//! Impulse responses of loudspeaker cabinets and rooms: loading, preparing, playing.

use crate::bank::Bank;
use crate::error::{Error, Result};
use crate::levels::ModelLevels;
use neurdsp_dsp::live::{Convolver, LIMIT, LiveBlock, resample_response};
use neurdsp_models::StreamingModel;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// The most channels of a file; a chain of several channels uses more than one.
const MAX_CHANNELS: u16 = 64;
/// The most samples of a file, all channels together.
const MAX_SAMPLES: u32 = 1 << 23;
/// A channel whose peak is below this is silent.
const SILENT: f32 = 1e-9;
/// So is one whose peak is this much smaller than that of the loudest channel: the noise of 16 bits.
const SILENT_BESIDE: f32 = 1e-4;
/// Normalised responses keep the level of white noise up to half of this rate, whatever the rates of file and chain.
const REFERENCE_RATE: f64 = 48_000.0;

/// Which channels of an impulse response play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseChannel {
    /// Channel `i` of the chain plays through channel `i` of the response, or through its last one.
    #[default]
    Each,
    /// All play through the mean of the response's channels.
    Mean,
    /// All play through this channel of the response, counted from 0: the left is 0, the right is 1.
    One(usize),
}

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

    /// The samples of each channel.
    #[must_use]
    pub fn channels(&self) -> &[Vec<f32>] {
        &self.channels
    }

    /// The number of channels.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.channels.len()
    }

    /// The channels that a chain of `n_channels` plays through.
    ///
    /// # Errors
    /// A channel that the response lacks, or one that is silent: its peak is below −180 dB, or 80 dB below that of the
    /// loudest channel.
    ///
    /// # Example
    ///
    /// ```
    /// use neurdsp_rt::{ImpulseResponse, ResponseChannel};
    ///
    /// let response = ImpulseResponse::new(vec![vec![0.0, 0.0], vec![0.5, 0.25]], 48_000.0)?;
    /// assert!(response.select(ResponseChannel::Each, 1).is_err()); // the left channel is silent
    /// assert_eq!(response.select(ResponseChannel::One(1), 1)?.n_channels(), 1);
    /// # Ok::<(), neurdsp_rt::Error>(())
    /// ```
    pub fn select(&self, choice: ResponseChannel, n_channels: usize) -> Result<ImpulseResponse> {
        let n = self.channels.len();
        let floor = SILENT.max(SILENT_BESIDE * peak(self.channels.iter().flatten()));
        let is_silent = |channel: &[f32]| peak(channel) < floor;
        let channels = match choice {
            ResponseChannel::Each => self.channels[..n.min(n_channels.max(1))].to_vec(),
            ResponseChannel::One(index) if index < n => vec![self.channels[index].clone()],
            ResponseChannel::One(index) => {
                let allowed = match n {
                    1 => "it is mono: the only channel is 0 (left)".to_owned(),
                    _ => format!("it must be 0 to {}: the response has {n} channels", n - 1),
                };
                return Err(Error::parameter("the channel of the impulse response", index, allowed));
            }
            ResponseChannel::Mean => {
                let sum = |i: usize| self.channels.iter().map(|channel| f64::from(channel[i])).sum::<f64>();
                vec![(0..self.channels[0].len()).map(|i| (sum(i) / n as f64) as f32).collect()]
            }
        };
        let Some(silent) = channels.iter().position(|channel| is_silent(channel)) else {
            return Ok(ImpulseResponse { channels, sample_rate: self.sample_rate });
        };
        let audible = self.channels.iter().position(|channel| !is_silent(channel));
        let (name, allowed) = match (choice, audible) {
            (_, None) => ("the impulse response".to_owned(), "give another file".to_owned()),
            (ResponseChannel::Mean, _) => (
                "the mean of the impulse response's channels".to_owned(),
                "choose one of them: left, right or a number".to_owned(),
            ),
            (ResponseChannel::One(index), Some(other)) => {
                (channel_name(index, n), format!("choose another: {} is not", channel_name(other, n)))
            }
            (ResponseChannel::Each, Some(other)) => (
                format!("{}, which the chain plays through,", channel_name(silent, n)),
                format!("choose another: {} is not", channel_name(other, n)),
            ),
        };
        Err(Error::parameter(name, "silent", format!("it must carry sound; {allowed}")))
    }

    /// The responses at another sample rate, with the same gain at every frequency that both rates can represent.
    ///
    /// With `normalise` all are scaled by one factor, so that white noise up to 24 kHz keeps its level through the loudest of
    /// them. The factor does not depend on `sample_rate`: the gain is the same at every rate.
    ///
    /// # Errors
    /// A response that is silent, or without `normalise` one of more than 120 dB of gain; rates that are too far apart, or too
    /// long a result.
    pub fn prepared(&self, sample_rate: f64, normalise: bool) -> Result<Vec<Vec<f32>>> {
        let peak = peak(self.channels.iter().flatten());
        if peak < SILENT {
            let allowed = "it must carry sound; give another file";
            return Err(Error::parameter("the impulse response", "silent", allowed));
        }
        // Near full scale, where the filters take any sample; a power of two changes no digit.
        let unit = f64::from(peak).log2().floor().exp2();
        let at = |rate: f64| -> Result<Vec<Vec<f32>>> {
            let near = |h: &f32| (f64::from(*h) / unit) as f32;
            let channels: Vec<Vec<f32>> =
                self.channels.iter().map(|channel| channel.iter().map(near).collect()).collect();
            Ok(resample_response(&channels, self.sample_rate, rate)?)
        };
        // White noise through the loudest, where white noise is 0 dB.
        let noise_gain = |channels: &[Vec<f32>]| {
            let energy = |channel: &Vec<f32>| channel.iter().map(|h| f64::from(*h).powi(2)).sum::<f64>();
            channels.iter().map(energy).fold(0.0, f64::max).sqrt()
        };
        let mut channels = at(sample_rate)?;
        // A response is a density: more samples per second are each smaller.
        let scale = if normalise {
            let reference = if sample_rate == REFERENCE_RATE {
                noise_gain(&channels)
            } else {
                noise_gain(&at(REFERENCE_RATE)?)
            };
            REFERENCE_RATE / sample_rate / reference
        } else {
            unit * self.sample_rate / sample_rate
        };
        let gain = scale * noise_gain(&channels);
        if gain.is_nan() || gain > f64::from(LIMIT) {
            let allowed = "it must be at most 120; normalise the response, or scale the file down";
            let gain_db = format!("{:.0}", 20.0 * gain.log10());
            return Err(Error::parameter("the gain of the impulse response in dB", gain_db, allowed));
        }
        channels.iter_mut().flatten().for_each(|sample| *sample = (f64::from(*sample) * scale) as f32);
        Ok(channels)
    }

    /// The bank for a slot: channel `i` of the chain through channel `i` of the response, or through its last one.
    ///
    /// # Errors
    /// As [`select`](Self::select) and [`prepared`](Self::prepared).
    pub fn bank(&self, sample_rate: f64, n_channels: usize, normalise: bool) -> Result<Bank> {
        let used = self.select(ResponseChannel::Each, n_channels)?;
        let responses = used.prepared(sample_rate, normalise)?;
        let stream = |index: usize| {
            let response = &responses[index.min(responses.len() - 1)];
            Ok(Box::new(Cabinet(Convolver::new(response)?)) as Box<dyn StreamingModel>)
        };
        Bank::new((0..n_channels).map(stream).collect::<Result<_>>()?, ModelLevels::default())
    }
}

fn peak<'a>(samples: impl IntoIterator<Item = &'a f32>) -> f32 {
    samples.into_iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// A channel of a response with `n` of them, in words.
fn channel_name(index: usize, n: usize) -> String {
    match (index, n) {
        (_, 1) => "the impulse response".to_owned(),
        (0, 2) => "the left channel of the impulse response".to_owned(),
        (1, 2) => "the right channel of the impulse response".to_owned(),
        _ => format!("channel {index} of the impulse response, counted from 0,"),
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
