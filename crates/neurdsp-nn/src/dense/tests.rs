//! Every layer against its formula in double precision, on every instruction set, and rows alone against rows together.

use super::{
    Dense, LayerNorm, Mixer, RingAttention, RmsNorm, gated_step, gelu, padded, power, relu, sigmoid, silu,
    softmax, softmax_row, tanh,
};
use crate::Error;
use neurdsp_simd::Isa;

fn values(n: usize, seed: u32) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 + 1.0) * 1.7 + seed as f32 * 0.9).sin()).collect()
}

fn near(got: f32, wanted: f64, tolerance: f64, what: &str) {
    assert!((f64::from(got) - wanted).abs() <= tolerance, "{what}: {got} is not {wanted}");
}

#[test]
fn a_dense_layer_is_its_product_and_rows_do_not_depend_on_each_other() {
    for isa in Isa::available() {
        for (inputs, outputs) in [(1, 1), (3, 16), (64, 192), (80, 108), (17, 70), (64, 48), (5, 33)] {
            let (weight, bias) = (values(inputs * outputs, 1), values(outputs, 2));
            let layer = Dense::new(&weight, &bias, inputs, isa).unwrap();
            let (stride, step, rows) = (layer.stride(), inputs + 3, 23);
            let from = values(rows * step, 3);
            let mut to = vec![f32::NAN; rows * stride];
            layer.run(&from, step, &mut to, stride, rows, false);
            for (row, to) in to.chunks(stride).enumerate() {
                let x = &from[row * step..][..inputs];
                for (o, y) in to.iter().enumerate().take(outputs) {
                    let products = x.iter().zip(&weight[o * inputs..]);
                    let sum: f64 = products.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                    near(*y, sum + f64::from(bias[o]), 3e-5, isa.name());
                }
                assert!(to[outputs..].iter().all(|y| *y == 0.0), "the padding is zero");
                let mut alone = vec![f32::NAN; stride];
                layer.run(x, step, &mut alone, stride, 1, false);
                assert_eq!(alone, to, "{} a row alone", isa.name());
            }
            let mut twice = to.clone();
            layer.run(&from, step, &mut twice, stride, rows, true);
            assert!(twice.iter().zip(&to).all(|(a, b)| *a == 2.0 * b), "what is there is added");
        }
    }
}

#[test]
fn a_mixer_maps_rows_to_rows() {
    for isa in Isa::available() {
        for (inputs, outputs, width) in [(1, 1, 16), (32, 64, 64), (7, 5, 80), (3, 9, 128)] {
            let (weight, bias, from) =
                (values(inputs * outputs, 4), values(outputs, 5), values(inputs * width, 6));
            for bias in [None, Some(&bias[..])] {
                let mixer = Mixer::new(&weight, bias, inputs, isa).unwrap();
                let mut to = vec![1.0; outputs * width];
                mixer.run(&from, &mut to, width, true);
                for (at, y) in to.iter().enumerate() {
                    let (o, c) = (at / width, at % width);
                    let sum: f64 = (0..inputs)
                        .map(|i| f64::from(weight[o * inputs + i]) * f64::from(from[i * width + c]))
                        .sum();
                    near(*y, 1.0 + sum + bias.map_or(0.0, |b| f64::from(b[o])), 1e-5, isa.name());
                }
            }
        }
    }
}

#[test]
fn a_norm_gives_rows_of_one_size() {
    for isa in Isa::available() {
        for width in [1, 5, 64, 70] {
            let (weight, stride) = (values(width, 7), padded(width));
            let norm = RmsNorm::new(&weight, 1e-5, isa).unwrap();
            let mut from = values(3 * stride, 8);
            from.chunks_mut(stride).for_each(|row| row[width..].fill(0.0));
            let mut to = vec![f32::NAN; 3 * stride];
            norm.run(&from, &mut to);
            for (from, to) in from.chunks(stride).zip(to.chunks(stride)) {
                let mean = from.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / width as f64;
                for ((x, y), w) in from.iter().zip(to).zip(&weight) {
                    near(*y, f64::from(*x) / (mean + 1e-5).sqrt() * f64::from(*w), 1e-6, isa.name());
                }
                assert!(to[width..].iter().all(|y| *y == 0.0));
            }
        }
    }
}

#[test]
fn a_layer_norm_gives_rows_of_one_mean_and_size() {
    for isa in Isa::available() {
        for width in [2, 5, 64, 70] {
            let (weight, bias, stride) = (values(width, 7), values(width, 9), padded(width));
            let norm = LayerNorm::new(&weight, &bias, 1e-5, isa).unwrap();
            let mut from: Vec<f32> = values(3 * stride, 8).iter().map(|x| x + 2.0).collect();
            from.chunks_mut(stride).for_each(|row| row[width..].fill(0.0));
            let mut to = vec![f32::NAN; 3 * stride];
            norm.run(&from, &mut to);
            for (from, to) in from.chunks(stride).zip(to.chunks(stride)) {
                let row: Vec<f64> = from[..width].iter().map(|x| f64::from(*x)).collect();
                let mean = row.iter().sum::<f64>() / width as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
                for (i, x) in row.iter().enumerate() {
                    let wanted = (x - mean) / (variance + 1e-5).sqrt() * f64::from(weight[i]);
                    near(to[i], wanted + f64::from(bias[i]), 5e-6, isa.name());
                }
                assert!(to[width..].iter().all(|y| *y == 0.0));
            }
        }
    }
}

#[test]
fn attention_sees_the_steps_of_its_window_and_no_other() {
    for isa in Isa::available() {
        for (heads, width, window) in [(1, 1, 1), (4, 32, 64), (3, 5, 7), (2, 20, 70)] {
            let attention = RingAttention::new(heads, width, window, isa).unwrap();
            let (inner, mut memory) = (heads * width, vec![0.0; attention.memory()]);
            let steps = 2 * window + 3;
            let [query, key, value] = [1, 2, 3].map(|seed| values(steps * inner, seed));
            for step in 0..steps {
                let of = step * inner..(step + 1) * inner;
                let mut to = vec![f32::NAN; inner];
                // Past twice the window the number of the step may go back.
                let told = if step < 2 * window { step } else { step - window };
                attention.step(&query[of.clone()], &key[of.clone()], &value[of], told, &mut memory, &mut to);
                for (at, got) in to.iter().enumerate() {
                    let head = at / width * width;
                    let seen = (step + 1).saturating_sub(window)..step + 1;
                    let scores: Vec<f64> = seen
                        .clone()
                        .map(|past| {
                            let pairs = (head..head + width).map(|i| {
                                f64::from(query[step * inner + i]) * f64::from(key[past * inner + i])
                            });
                            (pairs.sum::<f64>() / (width as f64).sqrt()).exp()
                        })
                        .collect();
                    let weighted = seen.zip(&scores).map(|(past, s)| s * f64::from(value[past * inner + at]));
                    near(*got, weighted.sum::<f64>() / scores.iter().sum::<f64>(), 2e-6, isa.name());
                }
            }
        }
    }
}

#[test]
fn a_gated_step_follows_its_formula_and_long_memories_keep_their_digits() {
    for isa in Isa::available() {
        let units = 32;
        let gates: Vec<f32> = values(2 * 3 * units, 9).iter().map(|x| 12.0 * x).collect();
        let before = values(2 * units, 10);
        let (mut state, mut output) = (before.clone(), vec![f32::NAN; 2 * units]);
        gated_step(isa, &gates, &mut state, &mut output, units);
        for at in 0..2 * units {
            let (row, u) = (at / units, at % units);
            let gate = |i: usize| f64::from(gates[(3 * row + i) * units + u]);
            let before = f64::from(before[at]);
            let change = (gate(1).tanh() - before) / (1.0 + gate(0).exp());
            near(state[at], before + change, 5e-7, isa.name());
            near(output[at], (before + change) * gate(2) / (1.0 + (-gate(2)).exp()), 1e-5, isa.name());
        }
        // From zero the first step is the share of the candidate that is let in, one in 160 thousand.
        let (mut state, mut output) = ([0.0; 16], [0.0; 16]);
        gated_step(isa, &[[12.0; 16], [20.0; 16], [0.0; 16]].concat(), &mut state, &mut output, 16);
        let wanted = 1.0 / (1.0 + 12f64.exp());
        near(state[0], wanted, wanted * 6e-7, isa.name());
    }
}

#[test]
fn single_values_follow_their_formulas() {
    for isa in Isa::available() {
        let x: Vec<f32> = values(160, 11).iter().map(|x| 30.0 * x).collect();
        let mut y = x.clone();
        silu(isa, &mut y);
        for (x, y) in x.iter().zip(&y) {
            let x = f64::from(*x);
            near(*y, x / (1.0 + (-x).exp()), 4e-7 * (1.0 + x.abs()), isa.name());
        }
        for (function, exact) in [
            (tanh as fn(Isa, &mut [f32]), f64::tanh as fn(f64) -> f64),
            (sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (relu, |x| x.max(0.0)),
            (gelu, |x| 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh())),
        ] {
            let mut y = x.clone();
            function(isa, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let x = f64::from(*x);
                near(*y, exact(x), 5e-7 * (1.0 + x.abs()), isa.name());
            }
        }
        let mut row = x.clone();
        softmax_row(isa, &mut row, 150, 0.5);
        let sum: f64 = x[..150].iter().map(|x| f64::from(0.5 * x).exp()).sum();
        for (x, y) in x[..150].iter().zip(&row) {
            near(*y, f64::from(0.5 * x).exp() / sum, 1e-6, isa.name());
        }
        assert!(row[150..].iter().all(|y| *y == 0.0), "the others are zero");
        let x: Vec<f32> = (0..160).map(|i| 1e-5 * 1.2f32.powi(i)).collect();
        let mut y = x.clone();
        power(isa, &mut y, 0.3);
        for (x, y) in x.iter().zip(&y) {
            let wanted = f64::from(*x).powf(0.3);
            near(*y, wanted, 1e-6 * wanted, isa.name());
        }
        let x: Vec<f32> = values(6 * 48, 12).iter().map(|x| 9.0 * x).collect();
        let mut y = x.clone();
        softmax(isa, &mut y, 6, 4.0);
        for column in 0..48 {
            let of = |row: usize| 4.0 * f64::from(x[row * 48 + column]);
            let sum: f64 = (0..6).map(|row| of(row).exp()).sum();
            (0..6).for_each(|row| near(y[row * 48 + column], of(row).exp() / sum, 2e-6, isa.name()));
        }
    }
}

#[test]
fn lengths_that_do_not_agree_are_refused() {
    let isa = Isa::Scalar;
    let wrong = |expected, got| Error::Length { name: "weight", expected, got };
    assert_eq!(Dense::new(&[0.0; 5], &[0.0; 2], 3, isa).unwrap_err(), wrong(6, 5));
    assert_eq!(Dense::new(&[], &[], 3, isa).unwrap_err(), Error::Channels { got: 0 });
    assert_eq!(Mixer::new(&[0.0; 5], None, 3, isa).unwrap_err(), wrong(3, 5));
    assert_eq!(Mixer::new(&[0.0; 2], None, 3, isa).unwrap_err(), Error::Channels { got: 0 });
    assert_eq!(RmsNorm::new(&[], 0.0, isa).unwrap_err(), Error::Channels { got: 0 });
    let bias = Error::Length { name: "bias", expected: 2, got: 1 };
    assert_eq!(LayerNorm::new(&[1.0; 2], &[0.0], 0.0, isa).unwrap_err(), bias);
    assert_eq!(RingAttention::new(2, 0, 4, isa).unwrap_err(), Error::Channels { got: 0 });
    assert_eq!(RingAttention::new(64, 64, 4, isa).unwrap_err(), Error::Channels { got: 4096 });
}
