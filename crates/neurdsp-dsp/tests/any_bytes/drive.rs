//! Any bytes as a plan and a signal, driven through every transform: what the fuzzer runs, and the tests for a while.

use neurdsp_dsp::{
    Complex, Error, Filterbank, FrameFilter, Input, Istft, IstftConfig, LogScale, Magnitude, MelConfig,
    MelNorm, MelScale, PadMode, Projection, Sample, Spectrogram, SpectrogramStream, StftConfig, Window,
};
use std::sync::Arc;

/// Numbers from the front of the bytes; zeros when they are used up.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, end: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % end
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Any float at all, or one that parameters usually are.
    fn float(&mut self) -> f64 {
        match self.byte() % 8 {
            0 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            1 => 0.0,
            2 => -1.0,
            _ => f64::from(self.byte()) / 32.0,
        }
    }

    /// The rest: as bits of floats, any there are, or as sixteen-bit audio.
    fn samples(&mut self) -> Vec<f32> {
        if self.flag() {
            return self.0.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        }
        self.0.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect()
    }
}

/// Plans and runs what the bytes say; panics if anything but a result of finite numbers or an error comes of it.
pub(crate) fn drive(bytes: &[u8]) {
    let mut source = Source(bytes);
    let n_fft = source.below(600);
    let (hop_length, pad) = (source.below(300), source.below(400));
    let pad_mode = [PadMode::Constant, PadMode::Reflect, PadMode::Edge, PadMode::Symmetric, PadMode::Wrap]
        [source.below(5)];
    let window = match source.byte() % 4 {
        0 => Window::Kaiser(source.float()).periodic(source.below(700)),
        1 => Window::Gaussian(source.float()).symmetric(source.below(700)),
        _ => Window::Hann.periodic(n_fft),
    };
    let preemphasis = f64::from(source.byte()) / 128.0;
    let filter = source.flag().then_some(FrameFilter { remove_mean: preemphasis > 1.0, preemphasis });
    let config = StftConfig { n_fft, hop_length, window, pad, pad_mode, filter, drop_last: source.flag() };
    let magnitude = match source.byte() % 3 {
        0 => Magnitude::Power,
        1 => Magnitude::Root { eps: f64::from(source.byte()) * 1e-6 },
        _ => match Magnitude::from_power(source.float()) {
            Ok(magnitude) => magnitude,
            Err(error) => return assert!(!error.to_string().is_empty()),
        },
    };
    let projection = if source.flag() {
        Projection::Bins(source.below(400))
    } else {
        let bank = MelConfig {
            sample_rate: 8000.0 * source.float(),
            n_fft,
            n_mels: source.below(40),
            fmin: 100.0 * source.float(),
            fmax: 4000.0 * source.float(),
            scale: if source.flag() { MelScale::Htk } else { MelScale::Slaney },
            norm: if source.flag() { MelNorm::Order(source.float()) } else { MelNorm::Slaney },
            triangles_over_mel: source.flag(),
        };
        match Filterbank::mel(&bank) {
            Ok(bank) => Projection::Bands(bank),
            Err(error) => return assert!(!error.to_string().is_empty()),
        }
    };
    let log = source.flag().then_some(LogScale { floor: 1e-5, offset: 0.0, scale: 10.0 / 10f64.ln() });
    let n_threads = 1 + source.below(3);
    let (length, block) = (source.below(5000), 1 + source.below(700));
    let samples = source.samples();
    in_precision::<f32>(&config, magnitude, &projection, log, n_threads, length, block, &samples);
    in_precision::<f64>(&config, magnitude, &projection, log, n_threads, length, block, &samples);
}

#[allow(clippy::too_many_arguments)]
fn in_precision<T: Sample>(
    config: &StftConfig,
    magnitude: Magnitude,
    projection: &Projection,
    log: Option<LogScale>,
    n_threads: usize,
    length: usize,
    block: usize,
    samples: &[f32],
) where
    f32: Input<T>,
{
    let Ok(plan) = Spectrogram::<T>::new(config.clone(), magnitude, projection.clone(), log) else { return };
    let n_frames = plan.n_frames(samples.len()).unwrap_or(0);
    let mut whole = vec![T::zero(); plan.n_rows() * n_frames];
    let result = plan.process_batch(vec![(samples, &mut whole[..])], 1);
    match &result {
        Ok(()) => assert!(whole.iter().all(|v| v.as_f64().is_finite()), "{config:?} {magnitude:?}"),
        Err(Error::NotFinite { .. }) => assert!(samples.iter().any(|s| !s.is_finite())),
        Err(Error::TooLarge { limit, .. }) => assert!(samples.iter().any(|s| f64::from(s.abs()) > *limit)),
        Err(error) => assert_eq!(n_frames, 0, "{error}"),
    }
    if result.is_ok() {
        let mut threaded = vec![T::zero(); whole.len()];
        plan.process_batch(vec![(samples, &mut threaded[..])], n_threads).unwrap();
        assert!(whole == threaded, "{n_threads} threads, {config:?}");
        backward(&plan, samples, &whole);
    }
    complex(&plan, samples, length, n_threads);
    let plan = Arc::new(plan);
    let Ok(mut stream) = SpectrogramStream::new(&plan) else { return };
    let mut frames = Vec::new();
    let pushed =
        samples.chunks(block).try_for_each(|b| stream.push(b, |frame| frames.extend_from_slice(frame)));
    if result.is_ok() {
        pushed.unwrap();
        stream.flush(|frame| frames.extend_from_slice(frame));
        let columns = (0..n_frames).flat_map(|t| whole.iter().skip(t).step_by(n_frames));
        assert!(frames.iter().eq(columns), "blocks of {block}, {config:?}");
    }
}

fn backward<T: Sample>(plan: &Spectrogram<T>, samples: &[f32], gradient: &[T]) {
    let samples: Vec<T> = samples.iter().map(|s| T::of(f64::from(*s))).collect();
    let mut result = vec![T::zero(); samples.len()];
    plan.backward_batch(vec![(&samples[..], gradient, &mut result[..])], 1).unwrap();
}

/// The complex transform, and what comes back of it, cut or filled to any length.
fn complex<T: Sample>(plan: &Spectrogram<T>, samples: &[f32], length: usize, n_threads: usize)
where
    f32: Input<T>,
{
    let stft = plan.stft();
    let Ok(n_frames) = stft.n_frames(samples.len()) else { return };
    let mut spectrum = vec![Complex::new(T::zero(), T::zero()); stft.n_bins() * n_frames];
    if stft.process_batch(vec![(samples, &mut spectrum[..])], n_threads).is_err() {
        return;
    }
    assert!(
        spectrum.iter().all(|v| v.re.as_f64().is_finite() && v.im.as_f64().is_finite()),
        "{:?}",
        stft.config()
    );
    if let Ok(inverse) = Istft::<T>::new(IstftConfig::from(stft.config())) {
        let mut back = vec![T::zero(); length];
        inverse.process_batch(vec![(&spectrum[..], &mut back[..])], n_threads).unwrap();
    }
}
