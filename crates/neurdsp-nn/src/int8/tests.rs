//! The same integers and the same bits on every unit, and each layer against its formula in double precision.

use super::dense::Int8Dense;
use super::lstm::{Int8Lstm, Rows};
use super::product::Unit;
use super::row::Row;
use crate::dense::padded;
use crate::{Error, Lstm, frame_stride};
use neurdsp_simd::Isa;

fn values(n: usize, seed: u32) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 + 1.0) * 1.7 + seed as f32 * 0.9).sin()).collect()
}

/// Integers from −127 to 127.
fn integers(n: usize, seed: u32) -> Vec<i8> {
    values(n, seed).iter().map(|value| (127.0 * value).round() as i8).collect()
}

fn row(values: &[f32]) -> Vec<f32> {
    let mut row = vec![0.0; padded(values.len())];
    row[..values.len()].copy_from_slice(values);
    row
}

fn isa() -> Isa {
    *Isa::available().last().unwrap()
}

#[test]
fn a_row_is_rounded_to_the_nearest_step_with_ties_to_even() {
    for isa in Isa::available() {
        let mut x = vec![0.0; 48];
        x[..6].copy_from_slice(&[254.0, -254.0, 1.0, 3.0, -1.0, 7.2]);
        let rounded = Row::new(isa, &x);
        assert_eq!(rounded.integers[..7], [127, -127, 0, 2, 0, 4, 0], "{}", isa.name());
        assert_eq!(rounded.scale, 2.0);
        for nothing in [0.0, 1e-31] {
            let rounded = Row::new(isa, &[nothing; 16]);
            assert!(rounded.scale == 0.0 && rounded.integers.iter().all(|value| *value == 0));
        }
    }
}

#[test]
fn every_unit_gives_the_exact_integers_and_the_same_bits() {
    for (inputs, outputs) in [(1, 1), (3, 16), (64, 192), (17, 70), (130, 33), (448, 128), (1024, 96)] {
        let weight = integers(inputs * outputs, 1);
        // With ones as scales the outputs are the integers, which are below 2^24.
        let mut x = values(inputs, 3).iter().map(|x| (127.0 * x).round()).collect::<Vec<_>>();
        x[0] = 127.0;
        let exact: Vec<i64> = weight
            .chunks(inputs)
            .map(|row| row.iter().zip(&x).map(|(w, x)| i64::from(*w) * *x as i64).sum())
            .collect();
        let (scales, bias) = (values(outputs, 4), values(outputs, 5));
        let mut bits: Option<Vec<u32>> = None;
        for unit in Unit::available(isa()) {
            let layer = |scales: &[f32], bias: &[f32]| {
                Int8Dense::with_unit(&weight, scales, bias, inputs, isa(), unit).unwrap()
            };
            let whole = layer(&vec![1.0; outputs], &vec![0.0; outputs]);
            let mut y = vec![f32::NAN; whole.stride()];
            whole.run(&row(&x), &mut y, false);
            assert!(y.iter().zip(&exact).all(|(y, exact)| *y as i64 == *exact), "{unit:?} {inputs}");
            assert!(y[outputs..].iter().all(|y| *y == 0.0), "the padding is zero");

            let scaled = layer(&scales, &bias);
            let x = row(&values(inputs, 6));
            scaled.run(&x, &mut y, false);
            scaled.run(&x, &mut y, true);
            let got: Vec<u32> = y.iter().map(|y| y.to_bits()).collect();
            assert_eq!(bits.get_or_insert_with(|| got.clone()), &got, "{unit:?} {inputs} {outputs}");
        }
    }
}

#[test]
fn the_largest_integers_do_not_saturate() {
    for (weight, x) in [(127, 1.0), (-127, 1.0), (127, -1.0), (-127, -1.0), (-128, 1.0)] {
        for unit in Unit::available(isa()) {
            let layer = Int8Dense::with_unit(&[weight; 1024], &[1.0], &[0.0], 1024, isa(), unit).unwrap();
            let mut y = [0.0; 16];
            layer.run(&[x; 1024], &mut y, false);
            // −128 counts as −127, so that the weights have the signs of both.
            let wanted = f32::from(weight.max(-127)) * x * 1024.0;
            assert!((y[0] - wanted).abs() <= 0.05, "{unit:?}: {} is not {wanted}", y[0]);
        }
    }
}

#[test]
fn an_lstm_follows_that_in_single_precision_to_within_its_steps() {
    for (inputs, units) in [(1, 1), (5, 17), (24, 40), (64, 48)] {
        let parts = [(4 * units * inputs, inputs, 1), (4 * units * units, units, 2)];
        let weights = parts.map(|(n, _, seed)| integers(n, seed));
        let scales = parts.map(|(_, columns, seed)| {
            values(4 * units, seed + 6)
                .iter()
                .map(|s| (1.1 + s) / (150.0 * (columns as f32).sqrt()))
                .collect()
        });
        let scales: [Vec<f32>; 2] = scales;
        let bias = values(4 * units, 3);
        // The same weights in single precision, of which each row has both parts.
        let mut joined = Vec::new();
        for output in 0..4 * units {
            for ((weight, scales), (_, columns, _)) in weights.iter().zip(&scales).zip(&parts) {
                let row = &weight[output * columns..][..*columns];
                joined.extend(row.iter().map(|w| f32::from(*w) * scales[output]));
            }
        }
        let isa = isa();
        let exact = Lstm::new(inputs, units, &joined, &bias, isa).unwrap();
        let stride = frame_stride(units, isa);
        let (mut frames, mut memory) = (vec![0.0; 2 * stride], vec![0.0; stride]);
        let rows = [0, 1].map(|part| Rows { weight: &weights[part], scales: &scales[part] });
        let mut first: Option<Vec<u32>> = None;
        for unit in Unit::available(isa) {
            let lstm = Int8Lstm::with_unit([inputs, units], rows, &bias, isa, unit).unwrap();
            let (mut h, mut c) = (vec![0.0; lstm.stride()], vec![0.0; lstm.stride()]);
            let mut scratch = vec![f32::NAN; lstm.scratch()];
            for step in 0..40 {
                let x = values(inputs, 20 + step);
                lstm.step(&row(&x), &mut h, &mut c, &mut scratch);
                if first.is_none() {
                    exact.run(&x, inputs, &mut frames, &mut memory);
                    frames.copy_within(stride.., 0);
                    for (got, wanted) in h.iter().zip(&frames[..units]) {
                        // Two vectors are off by half of 1/127 of their largest value.
                        assert!((got - wanted).abs() < 0.02, "{units}: {got} is not {wanted}");
                    }
                }
            }
            assert!(h[units..].iter().all(|h| *h == 0.0), "the padding stays zero");
            let got: Vec<u32> = h.iter().map(|h| h.to_bits()).collect();
            assert_eq!(first.get_or_insert_with(|| got.clone()), &got, "{unit:?} {inputs} {units}");
        }
    }
}

#[test]
fn lengths_that_do_not_agree_are_refused() {
    let isa = Isa::Scalar;
    let wrong = |name, expected, got| Error::Length { name, expected, got };
    let dense = |weight: usize, scales: usize| {
        Int8Dense::new(&vec![0; weight], &vec![0.0; scales], &[0.0; 2], 3, isa).unwrap_err()
    };
    assert_eq!(dense(5, 2), wrong("weight", 6, 5));
    assert_eq!(dense(6, 1), wrong("scale", 2, 1));
    assert_eq!(Int8Dense::new(&[], &[], &[], 3, isa).unwrap_err(), Error::Channels { got: 0 });
    let none = Rows { weight: &[], scales: &[] };
    let lstm =
        |units: usize, bias: usize| Int8Lstm::new(1, units, none, none, &vec![0.0; bias], isa).unwrap_err();
    assert_eq!(lstm(1, 3), wrong("bias", 4, 3));
    assert_eq!(lstm(1, 4), wrong("weight", 4, 0));
    assert_eq!(lstm(0, 0), Error::Channels { got: 0 });
}
