//! Steps of music networks: counts, the same bits however they are run, and int8 beside single precision.

use super::random::{inputs, network, small, whole};
use neurdsp_models::music::{MusicNetwork, MusicPart, MusicPipeline, MusicPrecision, MusicRun};
use neurdsp_models::{Prediction, Tensor, Tensors};
use neurdsp_simd::Isa;
use std::sync::Arc;

fn run(network: &Arc<MusicNetwork>, rows: &[f32]) -> Vec<f32> {
    let mut run = MusicRun::new(Arc::clone(network));
    let mut outputs = Vec::new();
    for row in rows.chunks(network.n_inputs()) {
        let mut output = vec![f32::NAN; network.n_outputs()];
        run.step(row, &mut output);
        outputs.extend(output);
    }
    outputs
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_five_have_their_counts_and_fit_into_a_mebibyte() {
    let (mut n_parameters, mut n_bytes) = (Vec::new(), 0);
    for part in MusicPart::ALL {
        let float = network(part, &whole(part), false, Isa::detect());
        let int8 = network(part, &whole(part), true, Isa::detect());
        assert_eq!((float.precision(), int8.precision()), (MusicPrecision::Float32, MusicPrecision::Int8));
        assert_eq!(float.n_bytes(), 4 * float.n_parameters());
        n_parameters.push(int8.n_parameters());
        n_bytes += int8.n_bytes();
    }
    assert_eq!(n_parameters, [497_664, 412_672, 74_048, 13_456, 19_040]);
    // Biases and norms are single precision here; an exported file has them in half.
    assert!(n_bytes <= 1_060_000, "{n_bytes}");
}

#[test]
fn every_instruction_set_and_precision_gives_nearly_the_same() {
    for part in MusicPart::ALL {
        for (config, tolerance) in [(small(part), 0.08), (whole(part), 0.1)] {
            let reference = Arc::new(network(part, &config, false, Isa::Scalar));
            let rows = inputs(&reference, 12, 5);
            let exact = run(&reference, &rows);
            assert!(exact.iter().all(|value| value.is_finite()));
            for isa in Isa::available() {
                let got = run(&Arc::new(network(part, &config, false, isa)), &rows);
                let off = distance(&got, &exact);
                assert!(off < 1e-5, "{} {}: {off}", part.name(), isa.name());
                let got = run(&Arc::new(network(part, &config, true, isa)), &rows);
                let off = distance(&got, &exact);
                assert!(off < tolerance, "{} in int8, {}: {off}", part.name(), isa.name());
            }
        }
    }
}

#[test]
fn a_pipeline_and_rows_give_the_bits_of_runs_alone_and_reset_begins_anew() {
    for int8 in [false, true] {
        let networks = MusicPart::ALL.map(|part| Arc::new(network(part, &small(part), int8, Isa::detect())));
        let mut pipeline = MusicPipeline::new(networks.iter().cloned());
        let rows: Vec<Vec<f32>> = networks.iter().map(|network| inputs(network, 30, 7)).collect();
        for _ in 0..2 {
            for step in 0..30 {
                for (network, rows) in networks.iter().zip(&rows) {
                    let (n_inputs, n_outputs) = (network.n_inputs(), network.n_outputs());
                    let mut output = vec![f32::NAN; n_outputs];
                    let input = &rows[step * n_inputs..][..n_inputs];
                    assert!(pipeline.step(network.part(), input, &mut output));
                    assert_eq!(output, run(network, rows)[step * n_outputs..][..n_outputs]);
                }
            }
            pipeline.reset();
        }
        for (network, rows) in networks.iter().zip(rows) {
            let expected = run(network, &rows);
            let shape = vec![30, network.n_inputs()];
            let input = Tensors::from([("input".to_owned(), Tensor::new(shape, rows).unwrap())]);
            let output = Prediction::step(&mut MusicRun::new(Arc::clone(network)), &input).unwrap();
            assert_eq!(output["output"].shape, [30, network.n_outputs()]);
            assert_eq!(output["output"].to_f32("output").unwrap().as_ref(), expected);
        }
    }
    let mut none = MusicPipeline::default();
    assert!(!none.step(MusicPart::Groove, &[], &mut []) && none.memory_bytes() == 0);
}

#[test]
fn what_is_no_number_counts_as_zero_and_the_state_survives_it() {
    for part in MusicPart::ALL {
        for int8 in [false, true] {
            let network = Arc::new(network(part, &small(part), int8, Isa::detect()));
            let mut bad = vec![f32::NAN; network.n_inputs()];
            bad[1] = f32::INFINITY;
            let rows = [bad, inputs(&network, 10, 3)].concat();
            let zero = [vec![0.0; network.n_inputs()], inputs(&network, 10, 3)].concat();
            assert_eq!(run(&network, &rows), run(&network, &zero), "{}", part.name());
        }
    }
}
