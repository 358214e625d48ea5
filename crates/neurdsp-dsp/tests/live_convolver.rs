//! The convolver is the sum of products that defines convolution, at any length and any block size.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_dsp::live::{Convolver, LiveBlock};

fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn decaying(n: usize) -> Vec<f32> {
    noise(n, 7).iter().enumerate().map(|(i, x)| x * (-3.0 * i as f32 / n as f32).exp()).collect()
}

fn convolved(input: &[f32], response: &[f32]) -> Vec<f32> {
    let mut output = input.to_vec();
    Convolver::new(response).unwrap().process(&mut output);
    output
}

/// Output sample `n` by definition, in double precision.
fn expected(input: &[f32], response: &[f32], n: usize) -> f64 {
    let first = (n + 1).saturating_sub(response.len());
    input[first..=n].iter().rev().zip(response).map(|(x, h)| f64::from(*x) * f64::from(*h)).sum()
}

#[test]
fn it_is_the_sum_of_products_for_lengths_around_every_seam() {
    let input = noise(20_000, 1);
    for n_taps in [1, 2, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 1536, 1537, 8191, 8192, 8193, 12_289] {
        let response = decaying(n_taps);
        let output = convolved(&input, &response);
        let level = response.iter().map(|h| f64::from(h * h)).sum::<f64>().sqrt();
        for n in (0..input.len()).step_by(97).chain(0..200) {
            let error = (f64::from(output[n]) - expected(&input, &response, n)).abs() / level;
            assert!(error < 2e-6, "{n_taps} taps: sample {n} is off by {error} of the level");
        }
    }
}

#[test]
fn an_impulse_gives_the_response_back_without_latency() {
    let response = decaying(30_000);
    let mut samples = vec![0.0f32; 30_100];
    samples[0] = 1.0;
    let output = convolved(&samples, &response);
    for (n, (y, h)) in output.iter().zip(response.iter().chain([&0.0; 100])).enumerate() {
        assert!((y - h).abs() < 1e-6, "sample {n} is {y}, not {h}");
    }
}

#[test]
fn the_cut_into_blocks_changes_no_bit() {
    let (input, response) = (noise(12_000, 3), decaying(9000));
    let whole = convolved(&input, &response);
    for block in [1, 7, 63, 64, 65, 480, 8192] {
        let mut convolver = Convolver::new(&response).unwrap();
        let mut cut = input.clone();
        cut.chunks_mut(block).for_each(|part| convolver.process(part));
        assert_eq!(cut, whole, "in blocks of {block}");
    }
}

#[test]
fn reset_forgets_and_bad_samples_count_as_zero() {
    let (input, response) = (noise(12_000, 3), decaying(9000));
    let mut convolver = Convolver::new(&response).unwrap();
    let mut first = input.clone();
    convolver.process(&mut first[..7777]);
    convolver.reset();
    let mut again = input.clone();
    convolver.process(&mut again);
    let whole = convolved(&input, &response);
    assert_eq!(again, whole);

    let mut poisoned = input.clone();
    for (i, bad) in [(5000, f32::NAN), (5001, f32::INFINITY), (5002, -3e38)] {
        poisoned[i] = bad;
    }
    let mut healed = input;
    healed[5000..5003].fill(0.0);
    assert_eq!(convolved(&poisoned, &response), convolved(&healed, &response));
}

#[test]
fn a_response_that_cannot_be_planned_is_refused() {
    assert!(Convolver::new(&[]).is_err());
    let error = Convolver::new(&[0.0, f32::NAN]).unwrap_err().to_string();
    assert!(error.starts_with("sample 1 of the audio is NaN"), "{error}");
    assert!(Convolver::new(&vec![0.0; Convolver::MAX_TAPS + 1]).is_err());
}
