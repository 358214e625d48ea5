//! A band-split network of the default shape on every instruction set: a second of stereo, of mono and of silence.
//!
//! Criterion's elements are samples, so 44 100 elements a second are real time; it prints that factor for a stereo recording
//! too.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../crates/neurdsp-models/tests/drumsep/random.rs"]
mod random;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neurdsp_models::drumsep::BandSplit;
use neurdsp_models::{Header, StreamingModel};
use neurdsp_simd::Isa;
use serde_json::json;

const RATE: usize = 44_100;

fn separator(criterion: &mut Criterion) {
    let bands =
        [vec![2; 8], vec![4; 6], vec![8; 4], vec![16; 4], vec![32; 4], vec![64, 64, 96, 128, 160, 249]];
    let config = json!({
        "sample_rate": RATE, "n_fft": 2048, "hop_length": 256,
        "stems": ["kick", "snare", "toms", "hihat", "cymbals"], "bands": bands.concat(),
        "n_phase_bins": 264, "mask_group": 4,
        "width": 64, "hidden": 64, "mixer": 64, "n_blocks": 5, "head": 80,
    });
    let file = random::file(&config);
    let header = Header::from_metadata(&file.metadata).unwrap();
    let (left, right) = (random::noise(RATE, 1), random::noise(RATE, 2));
    let mut outputs = vec![vec![0.0; RATE]; 12];
    let mut group = criterion.benchmark_group("separator");
    group.throughput(Throughput::Elements(RATE as u64)).sample_size(10);
    for isa in Isa::available() {
        let network = BandSplit::for_isa(&file, &header, isa).unwrap();
        for (name, audio, block) in [
            ("stereo, blocks of 64", [&left, &right], 64),
            ("stereo, blocks of 4096", [&left, &right], 4096),
            ("mono, blocks of 64", [&left, &left], 64),
        ] {
            let mut stream = network.stream().unwrap();
            group.bench_function(format!("{name}/{}", isa.name()), |bencher| {
                bencher.iter(|| {
                    for at in (0..RATE).step_by(block) {
                        let end = RATE.min(at + block);
                        let mut parts: Vec<&mut [f32]> =
                            outputs.iter_mut().map(|output| &mut output[at..end]).collect();
                        stream.process_channels(&audio.map(|channel| &channel[at..end]), &mut parts);
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, separator);
criterion_main!(benches);
