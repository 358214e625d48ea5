//! Every architecture plays without an allocation: directly, at another rate, oversampled, and in a stereo chain.
//!
//! `NEURDSP_TEST_MODELS=FOLDER` adds the `.nam` files of a folder, at every size that they have. The same test runs under
//! valgrind, which knows no AVX-512:
//!
//! ```sh
//! NEURDSP_ISA=avx2 valgrind --error-exitcode=1 target/debug/deps/every_model-*
//! ```
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

#[path = "../../neurdsp-models/tests/common/mod.rs"]
mod documents;
#[path = "../../neurdsp-models/tests/amp/nam_engine/random.rs"]
mod random;
#[path = "../../neurdsp-models/tests/drumsep/random.rs"]
mod separators;

use documents::{model_file, nam_convnet, nam_linear, nam_lstm, nam_wavenet, seed_model};
use neurdsp_models::amp::nam::{Conventions, MonoStream, NamFile, NamMetadata, Network, prepare_wavenet};
use neurdsp_models::{LoadedModel, NamOptions, StreamingModel};
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::{AmpChain, Operation, adapt, build_stream};
use neurdsp_simd::Isa;
use random::{Features, Random};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

const BLOCKS: [usize; 5] = [64, 1, 7, 300, 65];

/// Sound, silence, and samples that are not finite.
fn signal() -> Vec<f32> {
    let mut input: Vec<f32> = (0..1500).map(|n| (n as f32 * 0.05).sin()).collect();
    input[600..1200].fill(0.0);
    (input[1300], input[1301], input[1302]) = (f32::NAN, f32::INFINITY, 1e-40);
    input
}

fn cut(input: &[f32]) -> impl Iterator<Item = &[f32]> {
    let mut rest = input;
    let mut turn = BLOCKS.iter().cycle();
    std::iter::from_fn(move || {
        let (block, later) = rest.split_at(rest.len().min(*turn.next()?));
        rest = later;
        (!block.is_empty()).then_some(block)
    })
}

fn check_stream(name: &str, stream: &mut dyn StreamingModel) {
    let input = signal();
    let mut output = vec![0.0; input.len()];
    let ((), seen) = count_allocations(|| {
        for _ in 0..2 {
            for block in cut(&input) {
                stream.process(block, &mut output[..block.len()]);
            }
            stream.process(&[], &mut []);
            stream.reset();
        }
        stream.prewarm();
        stream.process(&input[..64], &mut output[..64]);
    });
    assert_eq!(seen, Allocations::default(), "{name}");
    assert!(output[..64].iter().all(|y| y.is_finite()), "{name}");
}

fn check(name: &str, model: &LoadedModel) {
    let rate = model.sample_rate();
    check_stream(name, model.build_stream().unwrap().as_mut());
    for (sample_rate, oversample) in [(44_100.0, 1), (rate, 2), (96_000.0, 4)] {
        let operation = Operation { oversample, ..Operation::at(sample_rate) };
        let name = format!("{name} at {sample_rate} Hz, {oversample} times oversampled");
        check_stream(&name, build_stream(model, operation).unwrap().as_mut());
    }
    let (mut chain, mut handle) = AmpChain::new(rate, 2).unwrap();
    handle.load_model(model, Operation { oversample: 2, ..Operation::at(rate) }).unwrap();
    let (input, mut left, mut right) = (signal(), vec![0.0; 300], vec![0.0; 300]);
    let ((), seen) = count_allocations(|| {
        for block in cut(&input) {
            let n = block.len();
            left[..n].copy_from_slice(block);
            right[..n].copy_from_slice(block);
            chain.process(&mut [&mut left[..n], &mut right[..n]]);
        }
        chain.reset();
    });
    assert_eq!(seen, Allocations::default(), "{name} in a chain");
}

fn check_document(name: &str, document: &serde_json::Value, sizes: &[Option<f64>]) {
    let file = NamFile::from_bytes(document.to_string().as_bytes()).unwrap();
    for &size in sizes {
        let options = NamOptions { size, ..NamOptions::default() };
        check(&format!("{name}, size {size:?}"), &LoadedModel::from_nam(file.clone(), &options).unwrap());
    }
}

#[test]
fn every_architecture() {
    for document in [nam_lstm(), nam_convnet(), nam_linear(), nam_wavenet()] {
        check_document(&document["architecture"].to_string(), &document, &[None]);
    }
    let short = json!({ "receptive_field": 9, "bias": false });
    check_document("a short response", &documents::nam("Linear", short, 9), &[None]);
    check("the amp WaveNet", &LoadedModel::from_file(&model_file()).unwrap());
    check("the JSON of the seed", &LoadedModel::from_seed(seed_model()).unwrap());
}

/// As [`check_stream`], with another signal in each channel.
fn check_wide_stream(name: &str, stream: &mut dyn StreamingModel) {
    let mut right = signal();
    right.reverse();
    right[300..900].fill(0.0);
    let inputs = [signal(), right];
    let mut outputs = vec![vec![0.0; 300]; stream.out_channels()];
    let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let ((), seen) = count_allocations(|| {
        for _ in 0..2 {
            let mut at = 0;
            for block in cut(&inputs[0]) {
                let end = at + block.len();
                stream.process_channels(&[block, &inputs[1][at..end]], &mut slices);
                // The same on both sides: a network may take a shorter way.
                stream.process_channels(&[block, block], &mut slices);
                at = end;
            }
            stream.process_channels(&[&[], &[]], &mut slices);
            stream.process_channels(&[], &mut []);
            stream.reset();
        }
        stream.prewarm();
    });
    assert_eq!(seen, Allocations::default(), "{name}");
    assert!(outputs.iter().flatten().all(|y| y.is_finite()), "{name}");
}

#[test]
fn separators_that_play_live() {
    for isa in Isa::available() {
        let network = separators::network(isa);
        let mut build = || Ok(neurdsp_models::StreamSource::build_stream(&network)?);
        for rate in [44_100.0, 48_000.0, 32_000.0] {
            let mut stream = adapt(&mut build, 44_100.0, Operation::at(rate)).unwrap();
            check_wide_stream(&format!("{} at {rate} Hz", isa.name()), stream.as_mut());
            check_stream("one channel of it", stream.as_mut());
        }
    }
}

#[test]
fn an_allocation_in_process_would_be_seen() {
    let network = separators::network(Isa::detect());
    let (_, seen) = count_allocations(|| neurdsp_models::StreamSource::build_stream(&network));
    assert!(seen.allocations > 10, "{seen:?}");
}

#[test]
fn models_of_several_sizes() {
    let sizes = [Some(0.0), Some(0.5), Some(1.0)];
    let container = json!({
        "version": "0.7.0", "architecture": "SlimmableContainer", "weights": [], "sample_rate": 48_000,
        "config": { "submodels": [
            { "max_value": 0.5, "model": nam_convnet() }, { "max_value": 1.0, "model": nam_wavenet() },
        ] },
    });
    check_document("a container", &container, &sizes);
    let layers = json!([{
        "input_size": 1, "condition_size": 1, "channels": 8, "kernel_size": 3, "dilations": [1, 2, 4],
        "activation": "Tanh", "head_size": 1, "head_bias": true,
        "slimmable": { "method": "slice_channels_uniform", "kwargs": { "allowed_channels": [2, 3, 8] } },
    }]);
    let config = json!({ "layers": layers, "head": null, "head_scale": 0.5 });
    let n_weights = 8 + 3 * (3 * 64 + 8 + 8 + 64 + 8) + 8 + 1 + 1;
    check_document("a slimmable WaveNet", &documents::nam("WaveNet", config, n_weights), &sizes);
}

#[test]
fn wavenets_of_every_feature() {
    for seed in 0..8 {
        for plain in [true, false] {
            let network = Random(seed).network(Features { plain, films: false }, 1, 1);
            let file = NamFile::new(Network::Wavenet(network), 48_000.0, NamMetadata::default()).unwrap();
            let model = LoadedModel::from_nam(file, &NamOptions::default()).unwrap();
            check(&format!("seed {seed}, plain {plain}"), &model);
        }
        // No file can express layers that differ in their modulations, but the engine plays them.
        let network = Random(seed).network(Features { plain: false, films: true }, 1, 1);
        let prepared = prepare_wavenet(&network, Conventions::Core, Isa::detect()).unwrap();
        let mut stream = MonoStream::new(&prepared, network.receptive_field()).unwrap();
        check_stream(&format!("seed {seed}, FiLM"), &mut stream);
    }
}

#[test]
fn the_models_of_a_folder() {
    let Some(folder) = std::env::var_os("NEURDSP_TEST_MODELS") else { return };
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "nam")).collect();
    assert!(!paths.is_empty());
    for path in paths {
        for size in [Some(0.0), Some(0.5), Some(1.0)] {
            let options = NamOptions { size, ..NamOptions::default() };
            check(&path.display().to_string(), &neurdsp_models::load_with(&path, &options).unwrap());
        }
    }
}
