//! Against the standard library in double precision, and the same bits on every instruction set.

use super::functions as exact;
use super::*;
use neurdsp_simd::Isa;

fn grid(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..=4000).map(move |i| low + (high - low) * f64::from(i) / 4000.0)
}

fn worst(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    values.map(|(found, wanted)| (found - wanted).abs() / wanted.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn functions_agree_with_the_standard_library_to_2e_15() {
    use std::f64::consts::TAU;
    assert!(worst(grid(-40.0, 40.0).map(|x| (exact::exp(x), x.exp()))) < 2e-15);
    assert!(worst(grid(0.001, 1e5).map(|x| (exact::ln(x), x.ln()))) < 2e-15);
    assert!(worst(grid(-2.0, 2.0).map(|x| (exact::cos_turns(x), (TAU * x).cos()))) < 2e-15);
    assert!(worst(grid(-2.0, 2.0).map(|x| (exact::sin_turns(x), (TAU * x).sin()))) < 2e-15);
    assert!(worst(grid(-20.0, 20.0).map(|x| (exact::tanh(x), x.tanh()))) < 2e-15);
    let points = grid(0.0, TAU).map(|angle| (angle.sin() * 3.0, angle.cos() * 3.0));
    assert!(worst(points.map(|(y, x)| (exact::atan2(y, x), y.atan2(x)))) < 2e-15);
    assert_eq!(exact::atan2(0.0, 0.0), 0.0);
    // I0(1) and I0(8), from tables.
    assert!((exact::bessel_i0(1.0) - 1.266_065_877_752_008).abs() < 1e-14);
    assert!((exact::bessel_i0(8.0) - 427.564_115_721_804_8).abs() < 1e-11);
}

/// The bits that a kernel makes on each instruction set.
fn same_bits(run: impl Fn(Isa) -> Vec<f32>) -> Vec<f32> {
    let of = |isa| run(isa).iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let scalar = of(Isa::Scalar);
    for isa in Isa::available() {
        assert_eq!(of(isa), scalar, "{}", isa.name());
    }
    scalar.into_iter().map(f32::from_bits).collect()
}

#[test]
fn kernels_give_the_same_bits_on_every_instruction_set() {
    let turns: Vec<f32> = (0..4096).map(|i| i as f32 / 4096.0).collect();
    let ones = vec![1.0; 4096];
    let cosines = same_bits(|isa| {
        let mut to = vec![0.0; 4096];
        add_cosines(isa, &turns, &ones, &mut to);
        to
    });
    let wanted = turns.iter().map(|x| exact::cos_turns(f64::from(*x)));
    assert!(worst(cosines.iter().map(|x| f64::from(*x)).zip(wanted)) < 4e-7);

    let wide: Vec<f32> = (0..4096).map(|i| (i as f32 - 2048.0) / 64.0).collect();
    let powers = same_bits(|isa| {
        let mut values = wide.clone();
        exp(isa, &mut values);
        values
    });
    for (x, y) in wide.iter().zip(&powers) {
        assert!((f64::from(*y) / f64::from(*x).exp() - 1.0).abs() < 4e-7, "{x} {y}");
    }
    let gated = same_bits(|isa| {
        let mut values = wide.clone();
        silu(isa, &mut values);
        values
    });
    let wanted = wide.iter().map(|x| f64::from(*x) / (1.0 + (-f64::from(*x)).exp()));
    assert!(worst(gated.iter().map(|x| f64::from(*x)).zip(wanted)) < 1e-6);
}

#[test]
fn a_saturated_cosine_has_unit_peak_and_fades_into_the_cosine() {
    let turns: Vec<f32> = (0..1024).map(|i| i as f32 / 1024.0).collect();
    let (ones, zeros, hertz) = (vec![1.0; 1024], vec![0.0; 1024], vec![50.0; 1024]);
    for (drive, bias) in [(0.0, 0.0), (0.0005, 0.0), (0.1, 0.4), (3.0, 0.0), (16.0, -0.9)] {
        let (drive, bias) = (vec![drive; 1024], vec![bias; 1024]);
        let shaped = same_bits(|isa| {
            let mut to = vec![0.0; 1024];
            let saturation =
                Saturation { hertz: &hertz, limit_hz: 6000.0, drive: &drive, bias: &bias, mean: &zeros };
            add_saturated(isa, &turns, &ones, saturation, &mut to);
            to
        });
        let (d, b) = (f64::from(drive[0]), f64::from(bias[0]));
        let wanted = turns.iter().map(|x| {
            let (cosine, safe) = (exact::cos_turns(f64::from(*x)), d.max(1e-3));
            let (high, low) = ((safe * (1.0 + b)).tanh(), (safe * (b - 1.0)).tanh());
            let shaped = ((safe * (cosine + b)).tanh() * 2.0 - high - low) / (high - low);
            let share = if d < 1e-3 { 0.0 } else { (d / 0.3).min(1.0) };
            share * shaped + (1.0 - share) * cosine
        });
        assert!(worst(shaped.iter().map(|x| f64::from(*x)).zip(wanted)) < 3e-6, "{d} {b}");
    }
}

#[test]
fn counted_numbers_are_those_of_the_reference() {
    // Made by the NumPy reference: the key of kick 0 of seed 7, stream 2, numbers 0 to 3.
    let key = mixed(split(split(7)), 2);
    let found: Vec<f32> = (0..4).map(|i| counted(key, i)).collect();
    assert_eq!(found, REFERENCE);
}

const REFERENCE: [f32; 4] = [-0.546_837_45, -0.642_008_07, 0.687_844_4, 1.413_671_9];

#[test]
fn spectra_do_not_depend_on_the_lanes() {
    let envelopes: Vec<_> =
        (0..9).map(|k| Envelope { band: k / 4, weights: [1.0 - k as f32 / 8.0, k as f32 / 8.0] }).collect();
    let amplitude = |band: usize, frame: usize| (band + 2 * frame) as f32;
    let all = |isa: Isa| {
        let lanes = isa.lanes::<f32>();
        let mut found = vec![0.0; 16 * 9 * 2];
        for first in (0..16).step_by(lanes) {
            let amplitudes: Vec<f32> =
                (0..4).flat_map(|band| (0..lanes).map(move |lane| amplitude(band, first + lane))).collect();
            let (mut re, mut im) = (vec![0.0; 9 * lanes], vec![0.0; 9 * lanes]);
            let key = mixed(5, 1);
            counted_spectra(isa, key, 32, first as u32, 1..8, &envelopes, &amplitudes, &mut re, &mut im);
            for lane in 0..lanes {
                for bin in 0..9 {
                    let place = ((first + lane) * 9 + bin) * 2;
                    (found[place], found[place + 1]) = (re[bin * lanes + lane], im[bin * lanes + lane]);
                }
            }
        }
        found
    };
    let found = same_bits(all);
    // Bin 3 of frame 2: 1 - 3/8 of band 0 and 3/8 of band 1.
    let wanted = counted(mixed(5, 1), 2 * 32 + 6) * (0.625 * amplitude(0, 2) + 0.375 * amplitude(1, 2));
    assert_eq!(found[(2 * 9 + 3) * 2], wanted);
    assert_eq!(found[0], 0.0);
}

#[test]
fn the_inverse_transform_is_that_of_the_definition_and_the_same_everywhere() {
    for length in [8, 32, 512, 2048] {
        let bins = length / 2 + 1;
        let value = |i: usize| ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
        let found = same_bits(|isa| {
            let (transform, lanes) = (InverseReal::new(length, isa), isa.lanes::<f32>());
            let part = |offset: usize| -> Vec<f32> {
                (0..bins).flat_map(|k| vec![value(2 * k + offset); lanes]).collect()
            };
            let mut scratch = transform.scratch();
            let (even, odd) = transform.run(&part(0), &part(1), &mut scratch);
            let lane = lanes - 1;
            (0..length).map(|n| if n % 2 == 0 { even } else { odd }[n / 2 * lanes + lane]).collect()
        });
        for n in (0..length).step_by(length / 8 + 1) {
            let mut wanted = f64::from(value(0));
            wanted += f64::from(value(length)) * if n % 2 == 0 { 1.0 } else { -1.0 };
            for k in 1..length / 2 {
                let turns = (k * n % length) as f64 / length as f64;
                let (re, im) = (f64::from(value(2 * k)), f64::from(value(2 * k + 1)));
                wanted += 2.0 * (re * exact::cos_turns(turns) - im * exact::sin_turns(turns));
            }
            let wanted = wanted / length as f64;
            assert!((f64::from(found[n]) - wanted).abs() < 1e-6, "{length} {n}: {} {wanted}", found[n]);
        }
    }
}
