//! Log-mel spectrograms, STFT and inverse on one thread: criterion's elements are frames.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use neurdsp_dsp::{
    Complex, Filterbank, Istft, IstftConfig, LogScale, Magnitude, MelConfig, PadMode, Projection, Sample,
    Spectrogram, Stft, StftConfig,
};

/// Reproducible noise within ±1.
fn noise<T: Sample>(len: usize) -> Vec<T> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        T::of(f64::from(state >> 8) / f64::from(1 << 23) - 1.0)
    };
    (0..len).map(|_| next()).collect()
}

/// Which frames, and what becomes of them.
struct Case {
    name: &'static str,
    seconds: f64,
    sample_rate: f64,
    n_fft: usize,
    hop_length: usize,
    /// Mel bands of the power, or so many bins of the magnitude.
    rows: Result<usize, usize>,
}

impl Case {
    fn run<T: Sample>(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        let Self { sample_rate, n_fft, hop_length, .. } = *self;
        let frames = StftConfig { hop_length, pad_mode: PadMode::Reflect, ..StftConfig::new(n_fft) };
        let (magnitude, projection, log) = match self.rows {
            Ok(n_mels) => {
                let bank =
                    Filterbank::mel(&MelConfig { n_mels, ..MelConfig::new(sample_rate, n_fft) }).unwrap();
                let log = LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 };
                (Magnitude::Power, Projection::Bands(bank), Some(log))
            }
            Err(n_bins) => (Magnitude::Root { eps: 1e-6 }, Projection::Bins(n_bins), None),
        };
        let plan = Spectrogram::<T>::new(frames, magnitude, projection, log).unwrap();
        let samples = noise::<T>((self.seconds * sample_rate) as usize);
        let n_frames = plan.n_frames(samples.len()).unwrap();
        let mut spectrogram = vec![T::default(); plan.n_rows() * n_frames];
        let mut workspace = plan.workspace();
        group.throughput(Throughput::Elements(n_frames as u64));
        group.bench_function(format!("{}/{}", self.name, std::any::type_name::<T>()), |bencher| {
            bencher.iter(|| plan.process_with_scratch(&samples, &mut spectrogram, &mut workspace).unwrap());
        });
    }
}

fn mel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mel");
    let a = Case { name: "a", seconds: 10.0, sample_rate: 32e3, n_fft: 2048, hop_length: 640, rows: Ok(128) };
    a.run::<f32>(&mut group);
    a.run::<f64>(&mut group);
    Case { name: "a-704", rows: Err(704), ..a }.run::<f32>(&mut group);
    let b =
        Case { name: "b", seconds: 2.0, sample_rate: 44.1e3, n_fft: 2048, hop_length: 512, rows: Ok(128) };
    b.run::<f32>(&mut group);
    let c = Case { name: "c", seconds: 30.0, sample_rate: 16e3, n_fft: 400, hop_length: 160, rows: Ok(80) };
    c.run::<f32>(&mut group);
    group.finish();
}

fn stft(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stft");
    let samples = noise::<f32>(30 * 44_100);
    let plan = Stft::<f32>::new(StftConfig::new(2048)).unwrap();
    let n_frames = plan.n_frames(samples.len()).unwrap();
    let mut spectrum = vec![Complex::<f32>::default(); plan.n_bins() * n_frames];
    let mut workspace = plan.workspace();
    group.throughput(Throughput::Elements(n_frames as u64));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| plan.process_with_scratch(&samples, &mut spectrum, &mut workspace).unwrap());
    });
    let inverse = Istft::<f32>::new(IstftConfig::from(plan.config())).unwrap();
    let mut back = vec![0.0_f32; inverse.n_samples(n_frames)];
    group.bench_function("inverse", |bencher| {
        bencher.iter(|| inverse.process_batch(vec![(&spectrum[..], &mut back[..])], 1).unwrap());
    });
    group.finish();
}

criterion_group!(benches, mel, stft);
criterion_main!(benches);
