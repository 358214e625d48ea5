//! The convolution kernel against the definition, in double precision, on every instruction set.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_nn::{Error, FrameRing, MAX_FRAMES, ResidualConv1d, frame_stride};
use neurdsp_simd::Isa;
use proptest::prelude::*;

/// A layer with random parameters, and a random signal of frames.
struct Case {
    channels: usize,
    kernel_size: usize,
    dilation: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    signal: Vec<f32>,
}

impl Case {
    fn random(channels: usize, kernel_size: usize, dilation: usize, frames: usize, mut seed: u64) -> Case {
        let mut uniform = |count: usize, scale: f32| -> Vec<f32> {
            let mut value = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((seed >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * scale
            };
            (0..count).map(|_| value()).collect()
        };
        let scale = 1.0 / ((channels * kernel_size) as f32).sqrt();
        Case {
            channels,
            kernel_size,
            dilation,
            weight: uniform(channels * channels * kernel_size, scale),
            bias: uniform(channels, 0.3),
            signal: uniform(channels * frames, 1.0),
        }
    }

    /// The definition, with zeros before the signal.
    fn expected(&self) -> Vec<f64> {
        let (c, k) = (self.channels, self.kernel_size);
        let mut output = Vec::new();
        for t in 0..self.signal.len() / c {
            for o in 0..c {
                let mut sum = f64::from(self.bias[o]);
                for tap in 0..k {
                    let Some(at) = t.checked_sub((k - 1 - tap) * self.dilation) else { continue };
                    for i in 0..c {
                        sum += f64::from(self.weight[(o * c + i) * k + tap])
                            * f64::from(self.signal[at * c + i]);
                    }
                }
                output.push(f64::from(self.signal[t * c + o]) + sum.tanh());
            }
        }
        output
    }

    /// The kernel's output with blocks of these lengths, over and over.
    fn run(&self, isa: Isa, blocks: &[usize]) -> Vec<f32> {
        let c = self.channels;
        let conv =
            ResidualConv1d::new(c, self.kernel_size, self.dilation, &self.weight, &self.bias, isa).unwrap();
        let stride = frame_stride(c, isa);
        let mut ring = FrameRing::new(stride, conv.history()).unwrap();
        let mut offsets = vec![0; self.kernel_size];
        let mut scratch = vec![f32::NAN; MAX_FRAMES * stride];
        let mut output = Vec::new();
        let (mut rest, mut lengths) = (&self.signal[..], blocks.iter().cycle());
        while !rest.is_empty() {
            let frames = (*lengths.next().unwrap()).min(rest.len() / c);
            for (frame, slot) in rest.chunks(c).zip(ring.incoming(frames).chunks_mut(stride)) {
                slot[..c].copy_from_slice(frame);
                slot[c..].fill(0.0);
            }
            ring.commit(frames);
            conv.run(&ring, &mut offsets, &mut scratch[..frames * stride]);
            ring.advance(frames);
            output.extend(scratch[..frames * stride].chunks(stride).flat_map(|frame| &frame[..c]));
            rest = &rest[frames * c..];
        }
        output
    }
}

fn check(case: &Case, blocks: &[usize]) {
    let expected = case.expected();
    for isa in Isa::available() {
        let whole = case.run(isa, &[MAX_FRAMES]);
        let worst = whole.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 1.5e-6, "{} {}x{}: {worst:e}", isa.name(), case.channels, case.kernel_size);
        assert!(case.run(isa, blocks) == whole, "{}: blocks {blocks:?} change the output", isa.name());
    }
}

#[test]
fn every_tile_shape_matches_the_definition() {
    for channels in [1, 2, 5, 8, 9, 13, 16, 17, 18, 24, 25, 32, 33, 40, 48, 49, 64, 80, 100] {
        check(&Case::random(channels, 3, 2, 150, channels as u64), &[1, 7, 13, 64]);
    }
}

#[test]
fn sizes_that_make_no_kernel_are_refused() {
    let build =
        |c: usize, k: usize, d: usize| ResidualConv1d::new(c, k, d, &[], &[], Isa::Scalar).unwrap_err();
    assert_eq!(build(0, 3, 1), Error::Channels { got: 0 });
    assert_eq!(build(1_000_000_000, 3, 1), Error::Channels { got: 1_000_000_000 });
    assert_eq!(build(1, 0, 1), Error::Kernel { kernel_size: 0, dilation: 1 });
    assert_eq!(build(1, 3, 0), Error::Kernel { kernel_size: 3, dilation: 0 });
    assert_eq!(build(1, 3, usize::MAX), Error::Kernel { kernel_size: 3, dilation: usize::MAX });
    assert_eq!(build(2, 3, 1), Error::Length { name: "weight", expected: 12, got: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn random_layers_match_the_definition_at_random_block_sizes(
        channels in 1usize..60,
        kernel_size in 1usize..7,
        dilation in 1usize..40,
        blocks in prop::collection::vec(1usize..=MAX_FRAMES, 1..6),
        seed in any::<u64>(),
    ) {
        check(&Case::random(channels, kernel_size, dilation, 130, seed), &blocks);
    }
}
