//! The kernels against their definitions, for every instruction set and number of channels.

use super::*;
use crate::Activation;
use neurdsp_simd::Isa;

/// Noise between -1 and 1.
fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

fn worst(found: &[f64], wanted: &[f64]) -> f64 {
    let scale = wanted.iter().fold(1e-9f64, |a, v| a.max(v.abs()));
    found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / scale
}

const LEN: usize = 5 * BLOCK;

/// Outputs, inputs, taps, dilation.
const SHAPES: [[usize; 4]; 9] = [
    [1, 1, 1, 1],
    [8, 8, 6, 3],
    [3, 3, 15, 7],
    [1, 8, 16, 1],
    [16, 1, 1, 1],
    [7, 5, 2, 11],
    [18, 18, 3, 4],
    [12, 6, 3, 1],
    [2, 9, 2, 64],
];

#[test]
fn a_convolution_and_its_two_gradients_are_their_definitions() {
    for isa in Isa::available() {
        for [outputs, inputs, taps, dilation] in SHAPES {
            let reach = (taps - 1) * dilation;
            let stride = LEN + reach;
            let weight = noise(1, outputs * inputs * taps);
            let input = noise(2, inputs * stride);
            let (bias, mixin, signal) = (noise(3, outputs), noise(4, outputs), noise(5, LEN));
            // The gradient over the output stands between as many zeros as the convolution reaches.
            let padded = LEN + 2 * reach;
            let mut gradient = vec![0.0; outputs * padded];
            for (o, row) in noise(6, outputs * LEN).chunks_exact(LEN).enumerate() {
                gradient[o * padded + reach..][..LEN].copy_from_slice(row);
            }

            let mut output = vec![0.0; outputs * LEN];
            let mut input_gradient = vec![0.0; inputs * stride];
            let mut weight_gradient = vec![0.0; weight.len()];
            for o in 0..outputs {
                for t in 0..LEN {
                    output[o * LEN + t] = bias[o] + mixin[o] * signal[t];
                    for i in 0..inputs {
                        for j in 0..taps {
                            let at = (o * inputs + i) * taps + j;
                            let from = i * stride + t + j * dilation;
                            let g = gradient[o * padded + reach + t];
                            output[o * LEN + t] += weight[at] * input[from];
                            input_gradient[from] += weight[at] * g;
                            weight_gradient[at] += g * input[from];
                        }
                    }
                }
            }

            // In double precision, as far as whole blocks go, and in single.
            let whole = stride / BLOCK * BLOCK;
            let mut sums = WeightGradient::new(isa);
            let conv = Convolution::new(&weight, outputs, inputs, taps, dilation, isa);
            let mut found = vec![0.0; outputs * LEN];
            conv.run(
                Rows::new(&input, stride),
                Start::Bias(&bias),
                Some((&mixin, &signal)),
                &mut RowsMut::new(&mut found, LEN),
                LEN,
            );
            assert!(worst(&found, &output) < 1e-13, "{} {:?}", isa.name(), (outputs, inputs, taps));
            let adjoint = Convolution::adjoint(&weight, outputs, inputs, taps, dilation, isa);
            let mut found = vec![0.0; inputs * stride];
            adjoint.run(
                Rows::new(&gradient, padded),
                Start::Output(None),
                None,
                &mut RowsMut::new(&mut found, stride),
                whole,
            );
            for (found, wanted) in found.chunks_exact(stride).zip(input_gradient.chunks_exact(stride)) {
                assert!(worst(&found[..whole], &wanted[..whole]) < 1e-13);
            }
            sums.start(outputs, inputs, taps, dilation);
            for at in [0, 2 * BLOCK] {
                let len = if at == 0 { 2 * BLOCK } else { 3 * BLOCK };
                let gradient = Rows::new(&gradient[reach + at..], padded);
                sums.add(Rows::new(&input[at..], stride), gradient, len);
            }
            let mut found = vec![0.0; weight.len()];
            sums.finish(&mut found);
            assert!(worst(&found, &weight_gradient) < 1e-13);

            let conv = Convolution::new(&single(&weight), outputs, inputs, taps, dilation, isa);
            let (input, base) = (single(&input), single(&output));
            let mut found = vec![0.0f32; outputs * LEN];
            let rows = Start::Rows(Rows::new(&base, LEN), None);
            conv.run(Rows::new(&input, stride), rows, None, &mut RowsMut::new(&mut found, LEN), LEN);
            let twice: Vec<f64> = (0..outputs * LEN)
                .map(|at| 2.0 * output[at] - bias[at / LEN] - mixin[at / LEN] * signal[at % LEN])
                .collect();
            let found: Vec<f64> = found.iter().map(|&v| f64::from(v)).collect();
            assert!(worst(&found, &twice) < 3e-6);
        }
    }
}

/// An activation function and its definition.
type Defined = (Activation, fn(f64) -> f64);

/// All that have a derivative; their parameters are exact in single precision.
fn activations() -> Vec<Defined> {
    let bounded = Activation::LeakyHardTanh { min: -1.0, max: 0.5, min_slope: 0.125, max_slope: 0.25 };
    vec![
        (Activation::Identity, |x| x),
        (Activation::Tanh, f64::tanh),
        (Activation::HardTanh, |x| x.clamp(-1.0, 1.0)),
        (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        (Activation::Relu, |x| x.max(0.0)),
        (Activation::LeakyRelu { slope: 0.0625 }, |x| if x > 0.0 { x } else { 0.0625 * x }),
        (Activation::PRelu { slopes: vec![9.0, -0.5] }, |x| if x > 0.0 { x } else { -0.5 * x }),
        (
            bounded,
            |x| if x < -1.0 { -1.0 + 0.125 * (x + 1.0) } else { x.min(0.5) + 0.25 * (x - 0.5).max(0.0) },
        ),
        (Activation::Silu, |x| x / (1.0 + (-x).exp())),
        (Activation::HardSwish, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        (Activation::Softsign, |x| x / (1.0 + x.abs())),
    ]
}

#[test]
fn activations_and_their_derivatives_are_their_definitions() {
    // Off the kinks by more than the step of the difference quotient; 37 values end in no whole vector.
    let x: Vec<f64> = (0..37).map(|i| -4.37 + 0.2413 * f64::from(i)).collect();
    let step = 1e-6;
    for isa in Isa::available() {
        for (activation, definition) in activations() {
            let activation = Differentiable::new(activation).unwrap();
            let mut values = x.clone();
            activation.apply(1, &mut values, isa);
            let mut singles = single(&x);
            activation.apply(1, &mut singles, isa);
            let kept = if activation.keeps_argument() { x.clone() } else { values.clone() };
            let mut gradient = vec![2.0; x.len()];
            activation.differentiate(1, &kept, &mut gradient, isa);
            for (i, &x) in x.iter().enumerate() {
                let slope = (definition(x + step) - definition(x - step)) / (2.0 * step);
                assert!((values[i] - definition(x)).abs() < 1e-14, "{activation:?} at {x}");
                assert!((f64::from(singles[i]) - definition(x)).abs() < 2e-6, "{activation:?} at {x}");
                assert!((gradient[i] - 2.0 * slope).abs() < 1e-8, "{activation:?} at {x}");
            }
        }
    }
}

#[test]
fn a_fast_tanh_is_not_trained() {
    assert_eq!(Differentiable::new(Activation::FastTanh), None);
}

#[test]
fn products_and_sums_go_value_by_value() {
    let (a, b) = (noise(1, 45), noise(2, 45));
    for isa in Isa::available() {
        let mut to = vec![7.0; 45];
        multiply(&a, &b, &mut to, isa);
        accumulate(&a, &mut to, isa);
        let wanted: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a * b + a).collect();
        assert!(worst(&to, &wanted) < 1e-15);
    }
}

#[test]
fn a_scan_and_its_gradients_are_their_definitions() {
    for isa in Isa::available() {
        for [steps, width] in [[1, 1], [7, 3], [5, 40], [33, 17]] {
            let len = steps * width;
            let forget: Vec<f64> = noise(1, len).iter().map(|v| 0.5 + 0.5 * v).collect();
            let (candidate, gradient) = (noise(2, len), noise(3, len));
            let mut wanted = vec![0.0; len];
            for at in 0..len {
                let before = if at < width { 0.0 } else { wanted[at - width] };
                wanted[at] = forget[at] * before + (1.0 - forget[at]) * candidate[at];
            }
            let (mut to_forget, mut to_candidate) = (vec![0.0; len], vec![0.0; len]);
            let mut carry = vec![0.0; width];
            for at in (0..len).rev() {
                let before = if at < width { 0.0 } else { wanted[at - width] };
                let through = gradient[at] + carry[at % width];
                to_forget[at] = through * (before - candidate[at]);
                to_candidate[at] = through * (1.0 - forget[at]);
                carry[at % width] = through * forget[at];
            }

            let mut states = vec![0.0; len];
            scan(&forget, &candidate, &mut states, width, isa);
            assert!(worst(&states, &wanted) < 1e-14);
            let (mut found_f, mut found_c) = (vec![0.0; len], vec![0.0; len]);
            let kept = [&forget[..], &candidate, &states, &gradient];
            scan_backward(kept, &mut found_f, &mut found_c, width, isa);
            assert!(worst(&found_f, &to_forget) < 1e-14);
            assert!(worst(&found_c, &to_candidate) < 1e-14);

            let mut rounded = vec![0.0f32; len];
            scan(&single(&forget), &single(&candidate), &mut rounded, width, isa);
            let rounded: Vec<f64> = rounded.iter().map(|&v| v.into()).collect();
            assert!(worst(&rounded, &wanted) < 1e-6);
        }
    }
}
