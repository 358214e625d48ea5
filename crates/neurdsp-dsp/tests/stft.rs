//! The STFT against the definition of the Fourier transform, and the laws that it must keep.

use neurdsp_dsp::{
    Complex, Error, Filterbank, Istft, IstftConfig, LogScale, Magnitude, MelConfig, PadMode, Projection,
    Spectrogram, Stft, StftConfig, Window,
};
use std::f64::consts::TAU;

/// Noise by a linear congruence, in -1 to 1.
fn noise(length: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn config(n_fft: usize, hop_length: usize, win_length: usize, pad_mode: PadMode) -> StftConfig {
    StftConfig {
        hop_length,
        window: Window::Hamming.periodic(win_length),
        pad_mode,
        ..StftConfig::new(n_fft)
    }
}

#[test]
fn each_bin_is_the_fourier_sum_of_its_windowed_frame() {
    for (n_fft, hop, win, mode) in [
        (16, 4, 16, PadMode::Constant),
        (15, 4, 9, PadMode::Reflect),
        (1, 1, 1, PadMode::Edge),
        (2, 3, 2, PadMode::Symmetric),
        (30, 100, 30, PadMode::Wrap),
    ] {
        let signal = noise(333, 1);
        let stft = Stft::<f64>::new(config(n_fft, hop, win, mode)).unwrap();
        let spectrum = stft.process(&signal).unwrap();
        let n_frames = stft.n_frames(333).unwrap();
        let window = neurdsp_dsp::pad_center(&stft.config().window, n_fft).unwrap();
        for frame in 0..n_frames {
            for bin in 0..=n_fft / 2 {
                let mut sum = Complex::new(0.0, 0.0);
                for (i, weight) in window.iter().enumerate() {
                    let position = (frame * hop + i) as isize - (n_fft / 2) as isize;
                    let sample = mode.index(position, 333).map_or(0.0, |index| signal[index]);
                    sum += Complex::from_polar(sample * weight, -TAU * (bin * i) as f64 / n_fft as f64);
                }
                let got = spectrum[bin * n_frames + frame];
                assert!(
                    (got - sum).norm() < 1e-12,
                    "n_fft {n_fft}, bin {bin}, frame {frame}: {got} for {sum}"
                );
            }
        }
    }
}

#[test]
fn the_inverse_gives_the_signal_back() {
    for (n_fft, hop, win) in [(64, 16, 64), (63, 20, 50), (1, 1, 1), (128, 64, 128)] {
        let signal = noise(1000, 2);
        let stft = Stft::<f64>::new(config(n_fft, hop, win, PadMode::Reflect)).unwrap();
        let spectrum = stft.process(&signal).unwrap();
        let inverse = Istft::new(IstftConfig::from(stft.config())).unwrap();
        let mut back = vec![0.0f64; 1000];
        inverse.process_batch(vec![(&spectrum[..], &mut back[..])], 1).unwrap();
        // The last samples lie in no frame if the hop does not divide the length.
        let covered = inverse.n_samples(stft.n_frames(1000).unwrap()).min(1000);
        for i in 0..covered {
            assert!((back[i] - signal[i]).abs() < 1e-12, "n_fft {n_fft}, sample {i}");
        }
        assert!(covered > 1000 - hop);
    }
}

#[test]
fn threads_and_batches_change_no_bit() {
    let signal: Vec<f32> = noise(40_000, 3).iter().map(|s| *s as f32).collect();
    let bank = Filterbank::mel(&MelConfig { n_mels: 40, ..MelConfig::new(16_000.0, 256) }).unwrap();
    let log = Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 });
    let plan = Spectrogram::<f32>::new(StftConfig::new(256), Magnitude::Power, Projection::Bands(bank), log)
        .unwrap();
    let alone = plan.process(&signal).unwrap();
    for n_threads in [1, 2, 3, 8] {
        let mut first = vec![0.0f32; alone.len()];
        let mut second = first.clone();
        plan.process_batch(vec![(&signal[..], &mut first[..]), (&signal[..], &mut second[..])], n_threads)
            .unwrap();
        assert!(first == alone && second == alone, "{n_threads} threads");
    }
    let stft = Stft::<f32>::new(StftConfig::new(256)).unwrap();
    let spectrum = stft.process(&signal).unwrap();
    let inverse = Istft::<f32>::new(IstftConfig::from(stft.config())).unwrap();
    let back = inverse.process(&spectrum).unwrap();
    for n_threads in [2, 5] {
        let mut threaded = vec![Complex::new(0.0f32, 0.0); spectrum.len()];
        stft.process_batch(vec![(&signal[..], &mut threaded[..])], n_threads).unwrap();
        assert!(threaded == spectrum);
        let mut samples = vec![0.0f32; back.len()];
        inverse.process_batch(vec![(&spectrum[..], &mut samples[..])], n_threads).unwrap();
        assert!(samples == back);
    }
}

#[test]
fn single_precision_in_double_precision_is_rounded_once() {
    let signal: Vec<f32> = noise(2000, 4).iter().map(|s| *s as f32).collect();
    let wide: Vec<f64> = signal.iter().map(|s| f64::from(*s)).collect();
    let stft = Stft::<f64>::new(StftConfig::new(128)).unwrap();
    let exact = stft.process(&wide).unwrap();
    let mut rounded = vec![Complex::new(0.0f32, 0.0); exact.len()];
    stft.process_with_scratch(&signal, &mut rounded, &mut stft.workspace()).unwrap();
    assert!(exact.iter().zip(&rounded).all(|(e, r)| e.re as f32 == r.re && e.im as f32 == r.im));
}

#[test]
fn bad_input_is_refused() {
    let stft = Stft::<f32>::new(StftConfig::new(64)).unwrap();
    assert_eq!(stft.process(&[]), Err(Error::Empty));
    let mut signal = vec![0.0; 100];
    signal[37] = f32::INFINITY;
    assert_eq!(stft.process(&signal), Err(Error::NotFinite { index: 37, value: f64::INFINITY }));
    let bare = Stft::<f32>::new(StftConfig { pad: 0, ..StftConfig::new(64) }).unwrap();
    assert_eq!(bare.process(&[0.0; 63]), Err(Error::TooShort { got: 63, needed: 64 }));
    for bad in [
        StftConfig { n_fft: 0, ..StftConfig::new(64) },
        StftConfig { n_fft: usize::MAX, ..StftConfig::new(64) },
        StftConfig { hop_length: 0, ..StftConfig::new(64) },
        StftConfig { window: vec![1.0; 65], ..StftConfig::new(64) },
        StftConfig { window: vec![f64::NAN; 64], ..StftConfig::new(64) },
    ] {
        assert!(Stft::<f32>::new(bad).is_err());
    }
}
