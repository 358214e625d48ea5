//! A stream gives the frames of the whole signal, bit for bit, whatever the blocks.

use neurdsp_dsp::{
    Filterbank, FrameFilter, LogScale, Magnitude, MelConfig, PadMode, Projection, Spectrogram,
    SpectrogramStream, StftConfig, Window,
};
use std::sync::Arc;

fn noise(length: usize) -> Vec<f32> {
    let mut state = 5u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f32 / (1u32 << 30) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

/// All frames of a stream, side by side, with blocks of the given sizes in turn.
fn streamed(stream: &mut SpectrogramStream<f32>, signal: &[f32], blocks: &[usize]) -> Vec<Vec<f32>> {
    let mut frames = Vec::new();
    let (mut rest, mut sizes) = (signal, blocks.iter().cycle());
    while !rest.is_empty() {
        let (block, later) = rest.split_at((*sizes.next().expect("blocks go on and on")).min(rest.len()));
        stream.push(block, |frame| frames.push(frame.to_vec())).expect("the samples are finite");
        rest = later;
    }
    stream.flush(|frame| frames.push(frame.to_vec()));
    frames
}

fn plans() -> Vec<Arc<Spectrogram<f32>>> {
    let mut plans = Vec::new();
    for pad_mode in [PadMode::Constant, PadMode::Reflect, PadMode::Edge, PadMode::Symmetric] {
        for (n_fft, hop_length, pad) in
            [(512, 128, 256), (511, 100, 255), (256, 300, 0), (400, 160, 200), (64, 16, 24)]
        {
            for drop_last in [false, true] {
                let stft = StftConfig {
                    hop_length,
                    pad,
                    pad_mode,
                    drop_last,
                    window: Window::Hann.periodic(n_fft),
                    ..StftConfig::new(n_fft)
                };
                let bank = MelConfig { n_mels: 12, ..MelConfig::new(16_000.0, n_fft) };
                let mel = Projection::Bands(Filterbank::mel(&bank).expect("the filters are sound"));
                let log = Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 });
                plans.push(Arc::new(
                    Spectrogram::new(stft, Magnitude::Power, mel, log).expect("the plan is sound"),
                ));
            }
        }
    }
    let filter = Some(FrameFilter { remove_mean: true, preemphasis: 0.97 });
    let window = Window::Povey.symmetric(400);
    let kaldi = StftConfig { window, hop_length: 160, pad: 0, filter, ..StftConfig::new(512) };
    plans.push(Arc::new(
        Spectrogram::new(kaldi, Magnitude::Power, Projection::Bins(257), None).expect("the plan is sound"),
    ));
    plans
}

#[test]
fn blocks_change_no_bit() {
    let signal = noise(9000);
    for plan in plans() {
        let mut stream = SpectrogramStream::new(&plan).unwrap();
        for length in [1, 15, 129, 257, 300, 1023, 9000] {
            let signal = &signal[..length];
            let (whole, n_frames) = match plan.n_frames(length) {
                Ok(n_frames) => (plan.process(signal).unwrap(), n_frames),
                Err(_) => (Vec::new(), 0),
            };
            for blocks in [&[1][..], &[7], &[64], &[512], &[100_000], &[3, 500, 1, 77]] {
                if blocks == [1] && length > 2000 {
                    continue;
                }
                let frames = streamed(&mut stream, signal, blocks);
                assert_eq!(frames.len(), n_frames, "{:?}", plan.stft().config());
                for (t, frame) in frames.iter().enumerate() {
                    for (row, value) in frame.iter().enumerate() {
                        let wanted = whole[row * n_frames + t];
                        assert!(
                            value.to_bits() == wanted.to_bits(),
                            "row {row}, frame {t}: {value} for {wanted}"
                        );
                    }
                }
            }
        }
    }
}

/// The same as rows, one stretch for each block.
fn stretches(stream: &mut SpectrogramStream<f32>, signal: &[f32], block: usize) -> Vec<Vec<f32>> {
    let mut stretches = Vec::new();
    for samples in signal.chunks(block) {
        let mut rows = vec![0.0; stream.n_rows() * stream.n_ready(samples.len())];
        stream.push_rows(samples, &mut rows).expect("the samples are finite, and there is room");
        stretches.push(rows);
    }
    let mut rows = vec![0.0; stream.n_rows() * stream.n_left()];
    stream.flush_rows(&mut rows).expect("there is room");
    stretches.push(rows);
    stretches
}

#[test]
fn stretches_of_rows_are_the_frames_turned_round() {
    let signal = noise(9000);
    for plan in plans() {
        let mut stream = SpectrogramStream::new(&plan).unwrap();
        for (length, block) in [(1, 1), (300, 7), (9000, 512), (9000, 4001), (9000, 9000)] {
            let frames = streamed(&mut stream, &signal[..length], &[block]);
            let mut got: Vec<Vec<f32>> = vec![Vec::new(); frames.len()];
            let mut first = 0;
            for rows in stretches(&mut stream, &signal[..length], block) {
                let n_frames = rows.len() / plan.n_rows();
                for (t, frame) in got.iter_mut().skip(first).take(n_frames).enumerate() {
                    frame.extend(rows.iter().skip(t).step_by(n_frames));
                }
                first += n_frames;
            }
            assert_eq!(got, frames, "{:?}", plan.stft().config());
        }
    }
}

#[test]
fn rows_of_a_wrong_length_are_refused_and_nothing_is_taken() {
    let mut stream = SpectrogramStream::new(&plans()[0]).unwrap();
    assert!(stream.push_rows(&noise(1000), &mut [0.0f32; 5]).is_err());
    assert_eq!(stream.n_left(), 0);
    assert_eq!(streamed(&mut stream, &noise(1000), &[1000]).len(), 8);
}

#[test]
fn frames_come_as_soon_as_they_are_settled() {
    let plan = &plans()[0];
    let mut stream = SpectrogramStream::new(plan).unwrap();
    let mut n_frames = 0;
    stream.push(&noise(255), |_| n_frames += 1).unwrap();
    assert_eq!(n_frames, 0);
    stream.push(&[0.0f32], |_| n_frames += 1).unwrap();
    assert_eq!(n_frames, 1);
}

#[test]
fn a_bad_block_is_refused_and_the_stream_goes_on() {
    let plan = &plans()[0];
    let mut stream = SpectrogramStream::new(plan).unwrap();
    let signal = noise(2000);
    let mut frames = Vec::new();
    stream.push(&signal[..900], |frame| frames.push(frame.to_vec())).unwrap();
    assert!(stream.push(&[0.0, f32::NAN], |_| unreachable!()).is_err());
    stream.push(&signal[900..], |frame| frames.push(frame.to_vec())).unwrap();
    stream.flush(|frame| frames.push(frame.to_vec()));
    assert_eq!(frames.len(), plan.n_frames(2000).unwrap());
    assert_eq!(frames, streamed(&mut stream, &signal, &[2000]));
}

#[test]
fn wrapped_padding_cannot_be_streamed() {
    let stft = StftConfig { pad_mode: PadMode::Wrap, ..StftConfig::new(64) };
    let plan = Spectrogram::<f32>::new(stft, Magnitude::Power, Projection::Bins(33), None).unwrap();
    assert!(SpectrogramStream::new(&Arc::new(plan)).is_err());
}
