//! Spectrogram streams never allocate or free once built, in either precision, and the guard that says so trips.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_dsp::{
    Filterbank, FrameFilter, LogScale, Magnitude, MelConfig, PadMode, Projection, Sample, Spectrogram,
    SpectrogramStream, StftConfig, Window,
};
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

/// Block sizes in turn: single samples, odd ones, one longer than what a stream takes in at once.
const BLOCKS: [usize; 10] = [1, 7, 64, 480, 1, 4096, 3, 513, 9000, 160];

fn noise(length: usize) -> Vec<f32> {
    let mut state = 11u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f32 / (1u32 << 30) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

/// Log-mel as speech and music models take it, magnitudes without mel, Kaldi's frames, and a size without a codelet.
fn plans<T: Sample>() -> Vec<Arc<Spectrogram<T>>> {
    let mel = |rate, n_fft, n_mels| {
        Projection::Bands(Filterbank::mel(&MelConfig { n_mels, ..MelConfig::new(rate, n_fft) }).unwrap())
    };
    let log = Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 });
    let reflect =
        |n_fft, hop_length| StftConfig { hop_length, pad_mode: PadMode::Reflect, ..StftConfig::new(n_fft) };
    let kaldi = StftConfig {
        window: Window::Povey.symmetric(400),
        hop_length: 160,
        pad: 0,
        filter: Some(FrameFilter { remove_mean: true, preemphasis: 0.97 }),
        ..StftConfig::new(512)
    };
    let plan = |config, magnitude, projection, log| {
        Arc::new(Spectrogram::new(config, magnitude, projection, log).unwrap())
    };
    vec![
        plan(reflect(400, 160), Magnitude::Power, mel(16_000.0, 400, 80), log),
        plan(StftConfig::new(2048), Magnitude::Power, mel(44_100.0, 2048, 128), None),
        plan(reflect(1024, 256), Magnitude::Root { eps: 1e-9 }, mel(22_050.0, 1024, 80), log),
        plan(reflect(2048, 640), Magnitude::Root { eps: 1e-6 }, Projection::Bins(704), None),
        plan(kaldi, Magnitude::Power, mel(16_000.0, 512, 80), log),
        plan(
            StftConfig { drop_last: true, ..StftConfig::new(331) },
            Magnitude::Exponent(1.5),
            Projection::Bins(166),
            None,
        ),
    ]
}

fn assert_nothing_is_allocated<T: Sample>()
where
    f32: neurdsp_dsp::Input<T>,
{
    let signal = noise(30_000);
    for plan in plans::<T>() {
        let mut stream = SpectrogramStream::new(&plan).unwrap();
        let (mut n_frames, mut sum) = (0, T::zero());
        let (refused, seen) = count_allocations(|| {
            let mut take = |frame: &[T]| {
                n_frames += 1;
                sum += frame[frame.len() - 1];
            };
            let (mut rest, mut turn) = (&signal[..], 0);
            while !rest.is_empty() {
                let (block, later) = rest.split_at(BLOCKS[turn % BLOCKS.len()].min(rest.len()));
                stream.push(block, &mut take).unwrap();
                (rest, turn) = (later, turn + 1);
            }
            stream.flush(&mut take);
            // A second signal in the same stream, then one that is dropped, and one too short for a frame.
            stream.push(&signal[..5000], &mut take).unwrap();
            stream.reset();
            stream.push(&signal[..3], &mut take).unwrap();
            stream.flush(&mut take);
            stream.push(&[0.5, f32::NAN], &mut take).is_err()
        });
        assert_eq!(seen, Allocations::default(), "{:?}", plan.stft().config());
        assert!(refused);
        assert!(n_frames >= plan.n_frames(signal.len()).unwrap());
        assert!(sum.to_f64().is_finite());
    }
}

#[test]
fn a_stream_never_allocates_or_frees_in_single_precision() {
    assert_nothing_is_allocated::<f32>();
}

#[test]
fn a_stream_never_allocates_or_frees_in_double_precision() {
    assert_nothing_is_allocated::<f64>();
}

#[test]
fn the_guard_sees_a_stream_being_built_and_a_listener_that_keeps_frames() {
    let plan = &plans::<f32>()[0];
    let (stream, seen) = count_allocations(|| SpectrogramStream::new(plan).unwrap());
    assert!(seen.allocations > 0, "{seen:?}");
    let mut stream = stream;
    let (signal, mut kept) = (noise(4000), Vec::new());
    let (_, seen) = count_allocations(|| stream.push(&signal, |frame| kept.push(frame.to_vec())).unwrap());
    assert!(seen.allocations >= kept.len() as u64 && !kept.is_empty(), "{seen:?}");
    let ((), seen) = count_allocations(|| drop(stream));
    assert!(seen.frees > 0, "{seen:?}");
}
