//! The layers on rows against their definitions in double precision, on every instruction set.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_nn::planar::{
    Activation, Affine, AffineShape, Base, Input, PlainLayer, PlainWeights, PlanarBlock, PlanarRing,
    accumulate, blend, modulate, multiply,
};
use neurdsp_nn::{Error, MAX_FRAMES};
use neurdsp_simd::Isa;

/// Numbers without structure in ±`scale`.
struct Random(u64);

impl Random {
    fn next(&mut self, scale: f32) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * scale
    }

    fn list(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| self.next(scale)).collect()
    }
}

/// A layer with random weights, and random signals for it, `[channel][frame]`.
struct Case {
    shape: AffineShape,
    weight: Vec<f32>,
    bias: Vec<f32>,
    mix_weight: Vec<f32>,
    signal: Vec<Vec<f32>>,
    mix: Vec<Vec<f32>>,
    base: Vec<Vec<f32>>,
}

impl Case {
    fn new(shape: AffineShape, frames: usize, seed: u64) -> Case {
        let mut random = Random(seed);
        let AffineShape { inputs, outputs, taps, groups, mix, .. } = shape;
        let scale = 1.0 / ((inputs * taps) as f32).sqrt();
        Case {
            shape,
            weight: random.list(outputs * inputs / groups * taps, scale),
            bias: random.list(outputs, 0.3),
            mix_weight: random.list(outputs * mix, 0.5),
            signal: (0..inputs).map(|_| random.list(frames, 1.0)).collect(),
            mix: (0..mix).map(|_| random.list(frames, 1.0)).collect(),
            base: (0..outputs).map(|_| random.list(frames, 1.0)).collect(),
        }
    }

    /// The definition, with zeros before the signal.
    fn expected(&self, output: usize, frame: usize) -> f64 {
        let AffineShape { inputs, outputs, taps, dilation, groups, mix } = self.shape;
        let (rows, columns) = (outputs / groups, inputs / groups);
        let mut sum = f64::from(self.bias[output]) + f64::from(self.base[output][frame]);
        for tap in 0..taps {
            let Some(at) = frame.checked_sub((taps - 1 - tap) * dilation) else { continue };
            for input in 0..columns {
                let weight = self.weight[(output * columns + input) * taps + tap];
                sum += f64::from(weight) * f64::from(self.signal[output / rows * columns + input][at]);
            }
        }
        for channel in 0..mix {
            let weight = self.mix_weight[output * mix + channel];
            sum += f64::from(weight) * f64::from(self.mix[channel][frame]);
        }
        sum
    }

    /// What the kernel gives with blocks of these lengths, over and over: `[channel][frame]`.
    fn run(&self, isa: Isa, blocks: &[usize]) -> Vec<Vec<f32>> {
        let shape = &self.shape;
        let layer = Affine::new(shape, &self.weight, &self.bias, &self.mix_weight, isa).unwrap();
        let mut ring = PlanarRing::new(shape.inputs, shape.history()).unwrap();
        let (mut mix, mut base) = (PlanarBlock::new(shape.mix), PlanarBlock::new(shape.outputs));
        let mut output = PlanarBlock::new(shape.outputs);
        let mut result = vec![Vec::new(); shape.outputs];
        let frames = self.signal[0].len();
        let (mut at, mut turn) = (0, 0);
        while at < frames {
            let n = blocks[turn % blocks.len()].min(frames - at);
            let fill = |rows: &mut neurdsp_nn::planar::RowsMut<'_>, from: &[Vec<f32>]| {
                for (channel, from) in from.iter().enumerate() {
                    let row = rows.row_mut(channel);
                    row[n..].fill(f32::NAN); // must not matter
                    row[..n].copy_from_slice(&from[at..at + n]);
                }
            };
            fill(&mut ring.incoming(), &self.signal);
            fill(&mut mix.rows_mut(), &self.mix);
            ring.commit(n);
            let mixed = (shape.mix > 0).then(|| mix.rows());
            if turn % 2 == 0 {
                fill(&mut base.rows_mut(), &self.base);
                layer.run(Input::Ring(&ring), mixed, Base::Rows(base.rows()), &mut output.rows_mut(), n);
            } else {
                fill(&mut output.rows_mut(), &self.base);
                layer.run(Input::Ring(&ring), mixed, Base::Output, &mut output.rows_mut(), n);
            }
            for (channel, result) in result.iter_mut().enumerate() {
                result.extend(&output.rows().row(channel)[..n]);
            }
            ring.advance(n);
            (at, turn) = (at + n, turn + 1);
        }
        result
    }
}

fn shapes() -> Vec<AffineShape> {
    let mut shapes = Vec::new();
    for channels in [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 18, 33] {
        let point = AffineShape::pointwise(channels, channels);
        shapes.push(AffineShape { taps: 3, dilation: 1 + channels * 7, mix: 1, ..point });
        shapes.push(AffineShape { taps: 6, dilation: 17, mix: 2, ..point });
    }
    for (inputs, outputs, taps, groups, mix) in [
        (1, 16, 1, 1, 0),
        (16, 1, 16, 1, 0),
        (8, 4, 2, 4, 3),
        (12, 18, 3, 3, 1),
        (6, 6, 1, 6, 0),
        (3, 9, 5, 1, 5),
    ] {
        shapes.push(AffineShape { inputs, outputs, taps, dilation: 5, groups, mix });
    }
    shapes
}

#[test]
fn every_shape_matches_the_definition() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let case = Case::new(shape, 300, seed as u64);
        for isa in Isa::available() {
            let got = case.run(isa, &[64, 33, 1, 48, 17]);
            for (output, got) in got.iter().enumerate() {
                for (frame, &got) in got.iter().enumerate() {
                    let expected = case.expected(output, frame);
                    assert!(
                        (f64::from(got) - expected).abs() < 5e-6,
                        "{} {shape:?}: output {output} frame {frame} is {got}, not {expected}",
                        isa.name()
                    );
                }
            }
        }
    }
}

#[test]
fn the_cut_into_blocks_does_not_change_a_bit() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let case = Case::new(shape, 200, seed as u64);
        for isa in Isa::available() {
            let whole = case.run(isa, &[64]);
            for blocks in [&[1][..], &[16], &[15, 2, 47], &[32, 33]] {
                let cut = case.run(isa, blocks);
                let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(
                    whole.iter().zip(&cut).all(|(a, b)| same(a, b)),
                    "{} {shape:?} {blocks:?}",
                    isa.name()
                );
            }
        }
    }
}

#[test]
fn sizes_that_make_no_layer_are_refused() {
    let isa = Isa::Scalar;
    let point = AffineShape::pointwise(2, 4);
    let new = |shape: AffineShape, weight: usize, bias: usize, mix: usize| {
        Affine::new(&shape, &vec![0.0; weight], &vec![0.0; bias], &vec![0.0; mix], isa)
            .map(|_| ())
            .unwrap_err()
    };
    assert!(matches!(new(AffineShape { inputs: 0, ..point }, 0, 4, 0), Error::Channels { got: 0 }));
    assert!(matches!(new(AffineShape { outputs: 1 << 40, ..point }, 8, 4, 0), Error::Channels { .. }));
    assert!(matches!(new(AffineShape { taps: 0, ..point }, 0, 4, 0), Error::Kernel { .. }));
    assert!(matches!(new(AffineShape { dilation: 0, ..point }, 8, 4, 0), Error::Kernel { .. }));
    let far = AffineShape { taps: 3, dilation: usize::MAX / 2, ..point };
    assert!(matches!(new(far, 24, 4, 0), Error::Kernel { .. }));
    assert!(matches!(new(AffineShape { groups: 4, ..point }, 8, 4, 0), Error::Groups { groups: 4, .. }));
    assert!(matches!(new(AffineShape { groups: 0, ..point }, 8, 4, 0), Error::Groups { groups: 0, .. }));
    assert!(matches!(new(point, 7, 4, 0), Error::Length { name: "weight", expected: 8, got: 7 }));
    assert!(matches!(new(point, 8, 3, 0), Error::Length { name: "bias", .. }));
    assert!(matches!(
        new(AffineShape { mix: 2, ..point }, 8, 4, 4),
        Error::Length { name: "mix weight", .. }
    ));
}

/// Every function, with its definition for channel `c`.
#[allow(clippy::type_complexity)]
fn functions() -> Vec<(Activation, fn(f64, usize) -> f64)> {
    fn leaky(x: f64, slope: f64) -> f64 {
        if x > 0.0 { x } else { slope * x }
    }
    vec![
        (Activation::Identity, |x, _| x),
        (Activation::Tanh, |x, _| x.tanh()),
        (Activation::HardTanh, |x, _| x.clamp(-1.0, 1.0)),
        (Activation::Relu, |x, _| x.max(0.0)),
        (Activation::LeakyRelu { slope: 0.25 }, |x, _| leaky(x, 0.25)),
        (Activation::LeakyRelu { slope: -0.5 }, |x, _| leaky(x, -0.5)),
        (Activation::LeakyRelu { slope: 3.0 }, |x, _| leaky(x, 3.0)),
        (Activation::PRelu { slopes: vec![0.5, 2.0, -1.0] }, |x, c| leaky(x, [0.5, 2.0, -1.0][c])),
        (Activation::Sigmoid, |x, _| 1.0 / (1.0 + (-x).exp())),
        (Activation::Silu, |x, _| x / (1.0 + (-x).exp())),
        (Activation::HardSwish, |x, _| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        (Activation::LeakyHardTanh { min: -0.5, max: 2.0, min_slope: 0.125, max_slope: 0.25 }, |x, _| {
            x.clamp(-0.5, 2.0) + 0.125 * (x.min(-0.5) + 0.5) + 0.25 * (x.max(2.0) - 2.0)
        }),
        (Activation::Softsign, |x, _| x / (1.0 + x.abs())),
        (Activation::FastTanh, |x, _| {
            // The constants of NAM Core's `fast_tanh`.
            let (a, b) = (x.abs(), 2.45550750702956);
            let top = x * (b + b * a + (0.893229853513558 + 0.821226666969744 * a) * x * x);
            top / (2.44506634652299 + (2.44506634652299 + x * x) * (x + 0.814642734961073 * x * a).abs())
        }),
    ]
}

#[test]
fn every_activation_matches_its_definition_and_its_sum_its_base() {
    let mut random = Random(5);
    let x: Vec<Vec<f32>> = (0..3).map(|_| random.list(MAX_FRAMES, 6.0)).collect();
    let base: Vec<Vec<f32>> = (0..3).map(|_| random.list(MAX_FRAMES, 1.0)).collect();
    for (activation, definition) in functions() {
        for isa in Isa::available() {
            for frames in [64, 1, 37] {
                let (mut rows, mut sums) = (PlanarBlock::new(3), PlanarBlock::new(3));
                for c in 0..3 {
                    rows.rows_mut().row_mut(c).copy_from_slice(&x[c]);
                    sums.rows_mut().row_mut(c).copy_from_slice(&base[c]);
                }
                activation.run(isa, &mut rows.rows_mut(), Some((Base::Output, &mut sums.rows_mut())), frames);
                for c in 0..3 {
                    for t in 0..frames {
                        let expected = definition(f64::from(x[c][t]), c);
                        let (y, sum) = (f64::from(rows.rows().row(c)[t]), f64::from(sums.rows().row(c)[t]));
                        assert!((y - expected).abs() < 2e-6, "{activation:?} {}: {y} {expected}", isa.name());
                        assert!((sum - y - f64::from(base[c][t])).abs() < 1e-6, "{activation:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn slopes_that_are_not_one_a_channel_are_refused() {
    let slopes = Activation::PRelu { slopes: vec![0.1; 3] };
    assert!(slopes.check(3).is_ok());
    assert!(matches!(slopes.check(4), Err(Error::Length { expected: 4, got: 3, .. })));
}

#[test]
fn rows_are_joined_element_by_element() {
    for isa in Isa::available() {
        let block = |value: f32| {
            let mut block = PlanarBlock::new(2);
            for c in 0..2 {
                block
                    .rows_mut()
                    .row_mut(c)
                    .iter_mut()
                    .enumerate()
                    .for_each(|(t, x)| *x = value + c as f32 + t as f32 * 0.5);
            }
            block
        };
        let (a, b) = (block(2.0), block(-1.0));
        let mut x = block(0.5);
        let expect = |x: &PlanarBlock, of: &dyn Fn(f32, f32, f32) -> f32| {
            for c in 0..2 {
                for t in 0..50 {
                    let old = 0.5 + c as f32 + t as f32 * 0.5;
                    let want = of(old, a.rows().row(c)[t], b.rows().row(c)[t]);
                    assert!(
                        (x.rows().row(c)[t] - want).abs() <= 1e-3 * want.abs().max(1.0),
                        "{}",
                        isa.name()
                    );
                }
            }
        };
        modulate(isa, &mut x.rows_mut(), a.rows(), Some(b.rows()), 50);
        expect(&x, &|x, a, b| x * a + b);
        let mut x = block(0.5);
        modulate(isa, &mut x.rows_mut(), a.rows(), None, 50);
        expect(&x, &|x, a, _| x * a);
        let mut x = block(0.5);
        multiply(isa, &mut x.rows_mut(), b.rows(), 50);
        expect(&x, &|x, _, b| x * b);
        let mut x = block(0.5);
        accumulate(isa, &mut x.rows_mut(), a.rows(), 0.25, 50);
        expect(&x, &|x, a, _| x + 0.25 * a);
        let mut x = block(0.5);
        blend(isa, &mut x.rows_mut(), a.rows(), b.rows(), 50);
        expect(&x, &|x, a, b| b * x + (1.0 - b) * a);
    }
}

/// A whole layer at once against the three steps that it stands for.
#[test]
fn a_plain_layer_is_its_convolution_its_activation_and_its_matrix() {
    let mut random = Random(9);
    for channels in [2, 3, 4, 8] {
        for (activation, taps) in
            [(Activation::Tanh, 3), (Activation::LeakyRelu { slope: 0.01 }, 6), (Activation::Relu, 1)]
        {
            let c = channels;
            let (conv, bias) = (random.list(c * c * taps, 0.5), random.list(c, 0.3));
            let (mix, matrix) = (random.list(c, 0.5), random.list(c * c, 0.5));
            let matrix_bias = random.list(c, 0.3);
            let weights = PlainWeights {
                conv: &conv,
                bias: &bias,
                mix: &mix,
                matrix: &matrix,
                matrix_bias: &matrix_bias,
            };
            for isa in Isa::available() {
                let whole = PlainLayer::new(c, (taps, 7), &weights, &activation, isa).unwrap();
                let Some(whole) = whole else {
                    assert_eq!(c, 8, "{} leaves only eight channels to the general layers", isa.name());
                    continue;
                };
                let shape = AffineShape { taps, dilation: 7, mix: 1, ..AffineShape::pointwise(c, c) };
                let first = Affine::new(&shape, &conv, &bias, &mix, isa).unwrap();
                let last =
                    Affine::new(&AffineShape::pointwise(c, c), &matrix, &matrix_bias, &[], isa).unwrap();
                let mut ring = PlanarRing::new(c, shape.history()).unwrap();
                let mut condition = PlanarBlock::new(1);
                let [mut sum, mut next, mut z, mut want_sum, mut want] = [0; 5].map(|_| PlanarBlock::new(c));
                for (turn, frames) in [64, 5, 33, 64, 17, 48].into_iter().enumerate() {
                    for channel in 0..c {
                        ring.incoming().row_mut(channel).copy_from_slice(&random.list(MAX_FRAMES, 1.0));
                    }
                    condition.rows_mut().row_mut(0).copy_from_slice(&random.list(MAX_FRAMES, 1.0));
                    ring.commit(frames);
                    let (begins, base) = if turn == 0 { (true, Base::Zero) } else { (false, Base::Output) };
                    let next_rows = &mut next.rows_mut();
                    whole.run(&ring, condition.rows(), &mut sum.rows_mut(), begins, Some(next_rows), frames);
                    first.run(
                        Input::Ring(&ring),
                        Some(condition.rows()),
                        Base::Zero,
                        &mut z.rows_mut(),
                        frames,
                    );
                    activation.run(isa, &mut z.rows_mut(), Some((base, &mut want_sum.rows_mut())), frames);
                    let residual = Base::Rows(ring.present());
                    last.run(Input::Rows(z.rows()), None, residual, &mut want.rows_mut(), frames);
                    for channel in 0..c {
                        for t in 0..frames {
                            let (a, b) = (next.rows().row(channel)[t], want.rows().row(channel)[t]);
                            assert!((a - b).abs() < 1e-5, "{} {c} channels: {a} {b}", isa.name());
                        }
                        if frames == 64 {
                            let (a, b) = (sum.rows().row(channel), want_sum.rows().row(channel));
                            // Beyond the end of a short block the sums hold what was never meant.
                            assert!(turn > 0 || a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5));
                        }
                    }
                    ring.advance(frames);
                }
            }
        }
    }
}

#[test]
fn layers_that_gain_nothing_or_do_not_fit_are_not_made_whole() {
    let zeros = [0.0; 36];
    let new = |channels: usize, conv: usize, activation: Activation| {
        let weights = PlainWeights {
            conv: &zeros[..conv],
            bias: &zeros[..channels],
            mix: &zeros[..channels],
            matrix: &zeros[..channels * channels],
            matrix_bias: &zeros[..channels],
        };
        PlainLayer::new(channels, (3, 1), &weights, &activation, Isa::detect())
    };
    assert!(new(3, 27, Activation::Tanh).unwrap().is_some());
    assert!(new(5, 27, Activation::Tanh).unwrap().is_none());
    assert!(new(3, 27, Activation::Softsign).unwrap().is_none());
    assert!(matches!(
        new(3, 26, Activation::Tanh),
        Err(Error::Length { name: "conv", expected: 27, got: 26 })
    ));
}
