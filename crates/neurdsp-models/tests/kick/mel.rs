//! Latent diffusion of mel spectrograms: kicks that depend on nothing but their request, and files that do not fit.
//!
//! That the networks are those that were trained is tested beside torch, by the test vectors of exported files.

use super::random::noise;
use neurdsp_models::kick::{MEL_DIFFUSION, MelDiffusion, MelRequest, Sampler};
use neurdsp_models::{AnyModel, AudioSpec, FAMILIES, Header, ModelFile, Tensor, Tensors};
use neurdsp_simd::Isa;
use serde_json::{Value, json};

/// Small networks; sizes that halve to odd ones, and a vocoder with layers by tiles and without.
fn config() -> Value {
    json!({
        "mel": {"sample_rate": 44_100, "n_samples": 1400, "n_fft": 64, "hop_length": 16, "n_mels": 20, "floor": 1e-5},
        "vae": {"channels": [4, 8], "latent_channels": 2, "groups": 2},
        "unet": {"channels": [8, 12, 16], "time_dim": 10, "condition_dim": 14, "groups": 4},
        "keywords": {"words": ["deep", "hard", "long"], "embedding_dim": 6},
        "vocoder": {
            "channels": 64, "upsample_rates": [8, 2], "upsample_kernels": [16, 4],
            "resblock_kernels": [3, 7], "resblock_dilations": [1, 3],
        },
        "noise": {"n_steps": 100, "beta_start": 1e-4, "beta_end": 0.2},
    })
}

fn conv(shapes: &mut Vec<(String, Vec<usize>)>, name: &str, weight: &[usize], outputs: usize) {
    shapes.push((format!("{name}.weight"), weight.to_vec()));
    shapes.push((format!("{name}.bias"), vec![outputs]));
}

fn block(shapes: &mut Vec<(String, Vec<usize>)>, name: &str, c: usize, condition: bool) {
    for part in ["1", "2"] {
        conv(shapes, &format!("{name}.norm{part}"), &[c], c);
        conv(shapes, &format!("{name}.conv{part}"), &[c, c, 3, 3], c);
    }
    if condition {
        conv(shapes, &format!("{name}.condition"), &[c, 14], c);
    }
}

/// Name and shape of each tensor, by the formulas of the torch networks.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    let s = &mut all;
    conv(s, "vae.encoder.stages.0.down", &[4, 1, 3, 3], 4);
    block(s, "vae.encoder.stages.0.res", 4, false);
    conv(s, "vae.encoder.stages.1.down", &[8, 4, 3, 3], 8);
    block(s, "vae.encoder.stages.1.res", 8, false);
    conv(s, "vae.encoder.mu", &[2, 8, 1, 1], 2);
    conv(s, "vae.encoder.logvar", &[2, 8, 1, 1], 2);
    conv(s, "vae.decoder.input", &[8, 2, 1, 1], 8);
    block(s, "vae.decoder.stages.0.res", 8, false);
    conv(s, "vae.decoder.stages.0.up", &[8, 4, 4, 4], 4);
    block(s, "vae.decoder.stages.1.res", 4, false);
    conv(s, "vae.decoder.stages.1.up", &[4, 1, 4, 4], 1);
    s.push(("vae.latent_mean".into(), vec![2]));
    s.push(("vae.latent_std".into(), vec![2]));
    conv(s, "unet.time.0", &[14, 10], 14);
    conv(s, "unet.time.2", &[14, 14], 14);
    for (index, (inputs, outputs)) in [(2, 8), (8, 12), (12, 16)].into_iter().enumerate() {
        conv(s, &format!("unet.down.{index}.conv"), &[outputs, inputs, 3, 3], outputs);
        if index < 2 {
            block(s, &format!("unet.down.{index}.res"), outputs, true);
        }
    }
    block(s, "unet.middle.0", 16, true);
    conv(s, "unet.middle.1.norm", &[16], 16);
    conv(s, "unet.middle.1.qkv", &[48, 16, 1, 1], 48);
    conv(s, "unet.middle.1.output", &[16, 16, 1, 1], 16);
    block(s, "unet.middle.2", 16, true);
    for (index, (inputs, outputs)) in [(16, 12), (12, 8)].into_iter().enumerate() {
        conv(s, &format!("unet.up.{index}.conv"), &[inputs, outputs, 4, 4], outputs);
        block(s, &format!("unet.up.{index}.res"), 2 * outputs, true);
        conv(s, &format!("unet.up.{index}.reduce"), &[outputs, 2 * outputs, 1, 1], outputs);
    }
    conv(s, "unet.output.norm", &[8], 8);
    conv(s, "unet.output.conv", &[2, 8, 3, 3], 2);
    s.push(("keywords.embedding.weight".into(), vec![3, 6]));
    s.push(("keywords.null_embedding".into(), vec![6]));
    conv(s, "keywords.projection", &[14, 6], 14);
    conv(s, "vocoder.conv_pre", &[64, 20, 7], 64);
    for (stage, (c, taps)) in [(64, 16), (32, 4)].into_iter().enumerate() {
        conv(s, &format!("vocoder.ups.{stage}"), &[c, c / 2, taps], c / 2);
        for (which, taps) in [3, 7].into_iter().enumerate() {
            for (part, layer) in [("convs1", 0), ("convs1", 1), ("convs2", 0), ("convs2", 1)] {
                let name = format!("vocoder.resblocks.{}.{part}.{layer}", 2 * stage + which);
                conv(s, &name, &[c / 2, c / 2, taps], c / 2);
            }
        }
    }
    conv(s, "vocoder.conv_post", &[1, 16, 7], 1);
    all
}

fn file() -> ModelFile {
    let header = Header {
        architecture: MEL_DIFFUSION.to_owned(),
        config: config().to_string(),
        audio: AudioSpec { sample_rate: 44_100.0, channels: 1 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -100.0,
    };
    let mut tensors = Tensors::new();
    for (seed, (name, shape)) in shapes().into_iter().enumerate() {
        let fan: usize = shape[1..].iter().product();
        let scale = if shape.len() > 1 { (1.5 / fan as f32).sqrt() } else { 0.5 };
        let n = shape.iter().product();
        let values = noise(n, seed as u32).iter().map(|value| value * scale).collect();
        tensors.insert(name, Tensor::new(shape, values).unwrap());
    }
    ModelFile { metadata: header.to_metadata(), tensors }
}

fn model(isa: Isa) -> MelDiffusion {
    let file = file();
    MelDiffusion::for_isa(&file, &Header::from_metadata(&file.metadata).unwrap(), isa).unwrap()
}

fn request() -> MelRequest {
    MelRequest { keywords: vec![0, 2], negative: vec![1], steps: 5, ..MelRequest::default() }
}

#[test]
fn a_kick_follows_from_its_request_and_its_seed_on_any_number_of_threads() {
    let model = model(Isa::detect());
    let kick = model.kick(&request(), 7).unwrap();
    assert_eq!(kick.len(), 1400);
    assert!(kick.iter().any(|sample| sample.abs() > 1e-3) && kick.iter().all(|sample| sample.abs() <= 1.0));
    assert_eq!(kick, model.kick(&MelRequest { n_threads: 3, ..request() }, 7).unwrap());
    let others = [
        MelRequest { keywords: vec![1], ..request() },
        MelRequest { negative: Vec::new(), ..request() },
        MelRequest { guidance: 1.0, ..request() },
        MelRequest { sampler: Sampler::Ddim, ..request() },
        MelRequest { sampler: Sampler::Ddpm, ..request() },
    ];
    for other in others {
        assert_ne!(kick, model.kick(&other, 7).unwrap(), "{other:?}");
    }
    assert_ne!(kick, model.kick(&request(), 8).unwrap());
}

#[test]
fn instruction_sets_agree_to_90_db() {
    let scalar = model(Isa::Scalar).kick(&request(), 3).unwrap();
    for isa in Isa::available() {
        let found = model(isa).kick(&request(), 3).unwrap();
        let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
        let error = energy(&mut scalar.iter().zip(&found).map(|(a, b)| f64::from(a - b)));
        let db = 10.0 * (error / energy(&mut scalar.iter().map(|a| f64::from(*a))) + 1e-30).log10();
        assert!(db < -90.0, "{}: {db}", isa.name());
    }
}

#[test]
fn guidance_of_two_conditions_runs_both_at_once_with_the_same_noise() {
    let model = model(Isa::detect());
    let latent = noise(2 * 5 * 22, 1);
    let conditions = [model.condition(&[1]).unwrap(), model.condition(&[]).unwrap()];
    let both = model.noise(&latent, 40, &conditions, 1).unwrap();
    for (condition, both) in conditions.iter().zip(&both) {
        let alone = model.noise(&latent, 40, std::slice::from_ref(condition), 1).unwrap();
        let worst = alone[0].iter().zip(both).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let load = |file: &ModelFile| FAMILIES.from_file(file).map(drop);
    let AnyModel::Generator(loaded) = FAMILIES.from_file(&file()).unwrap() else { panic!("a generator") };
    let n: usize = shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(loaded.n_parameters(), n - 4);
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 7] = [
        (
            |config| config["mel"]["hop_length"] = 32.into(),
            "the product of vocoder.upsample_rates is 16, but must be 32",
        ),
        (
            |config| config["mel"]["n_samples"] = (1 << 30).into(),
            "mel.n_samples is 1073741824, but must be from 1024",
        ),
        (
            |config| config["vae"]["channels"][0] = 5.into(),
            "one of vae.channels is 5, but must be a multiple of the groups, 2",
        ),
        (
            |config| config["vocoder"]["upsample_rates"][0] = 0.into(),
            "one of vocoder.upsample_rates is 0, but must be from 2",
        ),
        (
            |config| config["noise"]["beta_end"] = json!(2.0),
            "noise.beta_end is 2, but must be between 0 and 1",
        ),
        (
            |config| config["keywords"]["words"] = json!([]),
            "the number of keywords is 0, but must be from 1 to 4096",
        ),
        (
            |config| config["unet"]["time_dim"] = 12.into(),
            "the tensor unet.time.0.weight has shape [14, 10], but must have [14, 12]",
        ),
    ];
    for (change, message) in cases {
        let (mut config, mut file) = (config(), file());
        change(&mut config);
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        let error = load(&file).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let mut more = file();
    more.tensors.insert("vae.more".to_owned(), Tensor::new(vec![1], vec![0.0]).unwrap());
    assert!(
        load(&more)
            .unwrap_err()
            .to_string()
            .starts_with("the tensor vae.more is not part of a kick.mel_diffusion")
    );
    let model = model(Isa::detect());
    for (request, message) in [
        (MelRequest { keywords: vec![3], ..request() }, "the number of a keyword is 3, but must be below 3"),
        (MelRequest { guidance: f32::NAN, ..request() }, "guidance is NaN, but must be from 0 to 20"),
        (MelRequest { steps: 101, ..request() }, "steps is 101, but must be from 1 to 100"),
    ] {
        assert_eq!(model.kick(&request, 0).unwrap_err().to_string(), message);
    }
    assert!(model.mel(&[0.0; 3], 1).is_err() && model.audio_of(&[f32::NAN; 20 * 88], 1).is_err());
}
