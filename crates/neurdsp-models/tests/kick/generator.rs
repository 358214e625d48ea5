//! The generator against its formulas in double precision, and what it refuses.

use super::random::{config, file, model};
use neurdsp_models::kick::{Hybrid, kick_key};
use neurdsp_models::{AnyModel, FAMILIES, Generator, Header, ModelFile, Tensor, Tensors};
use neurdsp_simd::Isa;

/// The formulas of the contract.
struct Formulas(ModelFile);

impl Formulas {
    fn tensor(&self, name: &str) -> Vec<f64> {
        self.0.tensors[name].to_f32(name).unwrap().iter().map(|value| f64::from(*value)).collect()
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let row = |(row, bias): (&[f64], f64)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks_exact(x.len()).zip(bias).map(row).collect()
    }

    fn two(&self, name: &str, x: &[f64]) -> Vec<f64> {
        self.linear(&format!("{name}.1"), &silu(&self.linear(&format!("{name}.0"), x)))
    }

    fn latent(&self, z: &[f64], condition: &[f64], guidance: f64) -> Vec<f64> {
        let s = 1.0 + 0.1 * (guidance - 2.0);
        let angle = |i: u32| s * 200f64.powf(f64::from(i) / 31.0);
        let features: Vec<f64> =
            (0..32).map(|i| angle(i).sin()).chain((0..32).map(|i| angle(i).cos())).collect();
        let (time, asked) =
            (self.two("generator.time", &features), self.two("generator.condition", condition));
        let e = silu(&time.iter().zip(&asked).map(|(a, b)| a + b).collect::<Vec<_>>());
        let mut h = self.linear("generator.input", z);
        for block in 0..2 {
            let of = |part: &str| format!("generator.blocks.{block}.{part}");
            let m = self.linear(&of("modulation"), &e);
            let (scale, rest) = m.split_at(h.len());
            let (shift, gate) = rest.split_at(h.len());
            let x: Vec<f64> = norm(&h)
                .iter()
                .zip(scale)
                .zip(shift)
                .map(|((x, scale), shift)| x * (1.0 + scale) + shift)
                .collect();
            let y = self.linear(&of("down"), &silu(&self.linear(&of("up"), &x)));
            h.iter_mut().zip(y).zip(gate).for_each(|((h, y), gate)| *h += gate * y);
        }
        z.iter().zip(self.linear("generator.output", &h)).map(|(z, v)| z - v).collect()
    }

    fn packed(&self, latent: &[f64]) -> Vec<f64> {
        let mut packed = Vec::new();
        for (part, latent) in [&latent[..9], &latent[9..]].into_iter().enumerate() {
            let of = |name: &str| format!("decoder.{part}.{name}");
            let normed = |name: &str, h: &[f64]| -> Vec<f64> {
                let (weight, bias) =
                    (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
                norm(h).iter().zip(weight).zip(bias).map(|((x, weight), bias)| x * weight + bias).collect()
            };
            let mut h = self.linear(&of("input"), latent);
            for block in 0..2 {
                let of = |name: &str| of(&format!("blocks.{block}.{name}"));
                let y = self.linear(&of("down"), &silu(&self.linear(&of("up"), &normed(&of("norm"), &h))));
                h.iter_mut().zip(y).for_each(|(h, y)| *h += y);
            }
            packed.extend(self.linear(&of("output"), &normed(&of("norm"), &h)));
        }
        packed
    }
}

fn silu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x / (1.0 + (-x).exp())).collect()
}

fn norm(x: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    x.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect()
}

fn worst(found: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).fold(0.0, f64::max)
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn latents_quantities_and_codes_follow_the_contract() {
    let (model, formulas) = (model(Isa::detect()), Formulas(file(&config())));
    let key = kick_key(3, 1);
    let found = model.candidates(&[1.0, -1.0], &[Some(72.0)], 3.5, key).unwrap();
    // Keywords, the attribute in deviations, its flag, the source, and no null.
    let condition = [1.0, -1.0, 1.0, 1.0, 1.0, 0.0];
    let mut scores = Vec::new();
    for (index, noise) in found.noise.chunks_exact(20).enumerate() {
        let wanted = formulas.latent(&doubles(noise), &condition, 3.5);
        assert!(worst(&found.latents[index * 20..][..20], &wanted) < 2e-5);
        let inner = silu(&formulas.linear("probe.1", &silu(&formulas.linear("probe.0", &wanted))));
        let quantities = formulas.linear("probe.2", &inner);
        assert!(worst(&found.quantities[index * 2..][..2], &quantities) < 2e-5);
        // Deep is asked: below −0.5. Long is not wanted: above 0.5 with its sign turned.
        let margins = [-(quantities[0] + 0.5), -(quantities[1] - 0.5), 1.0 - (quantities[0] - 1.0).abs()];
        scores.push(margins.into_iter().fold(1.0, f64::min));
    }
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    assert_eq!(found.best, best, "{scores:?}");

    let latent = model.chosen(&found);
    let packed = formulas.packed(&doubles(latent));
    let code = model.decode(latent).unwrap();
    let log_f: Vec<f64> =
        packed[..93].iter().map(|value| (value + 4.4).clamp(18f64.ln(), 6000f64.ln())).collect();
    assert!(worst(&code.values()[..93], &log_f) < 3e-5);
    let fine: Vec<f64> =
        packed[1616 - 96..].iter().map(|value| (2.0 * value - 8.0).clamp(-10.0, 1.0)).collect();
    assert!(worst(&code.values()[1805 - 96..], &fine) < 1e-4);
}

#[test]
fn a_kick_is_the_same_bytes_on_every_instruction_set_and_among_any_number() {
    let of = |isa: Isa, keys: &[u64]| -> Vec<u32> {
        let model = model(isa);
        let every_code = keys.iter().map(|key| {
            let candidates = model.candidates(&[1.0, 0.0], &[None], 2.0, *key).unwrap();
            model.decode(model.chosen(&candidates)).unwrap()
        });
        let codes: Vec<_> = every_code.collect();
        codes.last().unwrap().values().iter().map(|value| value.to_bits()).collect()
    };
    let wanted = of(Isa::Scalar, &[9]);
    for isa in Isa::available() {
        assert_eq!(of(isa, &[9]), wanted, "{}", isa.name());
        assert_eq!(of(isa, &[4, 5, 6, 9]), wanted, "{}", isa.name());
    }
}

#[test]
fn a_file_with_test_vectors_is_a_generator_that_verifies() {
    let mut file = file(&config());
    let condition = Tensors::from([("keywords".to_owned(), Tensor::new(vec![2], vec![1.0, 0.0]).unwrap())]);
    let audio = model(Isa::Scalar).generate(&condition, 7).unwrap();
    assert_eq!(audio.shape, [1, 88_200]);
    let seed = Tensor::new(vec![1], vec![7.0]).unwrap();
    file.tensors.insert("parity.input.keywords".to_owned(), condition["keywords"].clone());
    file.tensors.insert("parity.input.seed".to_owned(), seed);
    file.tensors.insert("parity.output".to_owned(), audio);
    let AnyModel::Generator(model) = FAMILIES.from_file(&file).unwrap() else { panic!("a generator") };
    let parity = model.parity().unwrap();
    assert_eq!(model.prove(parity).unwrap().error_db, f64::NEG_INFINITY);
    assert_eq!((model.architecture(), model.audio().channels), ("kick.hybrid", 1));
    let n: usize =
        super::random::shapes(&config()).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(model.n_parameters(), n);
}

#[test]
fn what_does_not_fit_is_named() {
    let load = |file: &ModelFile| {
        Header::from_metadata(&file.metadata).and_then(|header| Hybrid::from_file(file, &header)).map(drop)
    };
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let (mut config, mut file) = (config(), file(&config()));
        change(&mut config);
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        load(&file).unwrap_err().to_string()
    };
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 8] = [
        (|config| config["latent"] = 4096.into(), "latent is 4096, but must be from 1 to 512"),
        (|config| config["candidates"] = 0.into(), "candidates is 0, but must be from 1 to 64"),
        (|config| config["decoder"][0]["size"] = 1.into(), "the sizes of all decoders is 1409, but must be"),
        (
            |config| config["keywords"][0]["quantity"] = "no".into(),
            "a quantity is no, but must be one of pitch, length",
        ),
        (
            |config| config["keywords"][1]["name"] = "deep".into(),
            "the number of different names of keywords is 1",
        ),
        (
            |config| config["quantities"][0]["sd"] = 0.into(),
            "mean and sd of the quantity pitch is 60 and 0, but",
        ),
        (|config| config["width"] = 25.into(), "the tensor generator.input.weight has shape [24, 20]"),
        (
            |config| config["blocks"] = 1.into(),
            "the tensor generator.blocks.1.down.bias is not part of a kick.hybrid",
        ),
    ];
    for (change, message) in cases {
        let error = with(&change);
        assert!(error.starts_with(message), "{error}");
    }
    let mut torn = file(&config());
    torn.tensors.remove("decoder.1.blocks.1.up.bias");
    let error = load(&torn).unwrap_err().to_string();
    assert!(error.starts_with("the tensor decoder.1.blocks.1.up.bias is missing"), "{error}");

    let model = model(Isa::detect());
    for (keywords, attributes, guidance, message) in [
        (vec![1.0], vec![None], 2.0, "the number of keywords is 1, but must be 2"),
        (
            vec![0.5, 0.0],
            vec![None],
            2.0,
            "the keyword deep is 0.5, but must be 1 (asked), -1 (not wanted) or 0",
        ),
        (vec![0.0, 0.0], vec![Some(10.0)], 2.0, "the attribute pitch is 10, but must be from 30 to 120"),
        (vec![0.0, 0.0], vec![None], f32::NAN, "guidance is NaN, but must be from 1 to 8"),
    ] {
        let error = model.candidates(&keywords, &attributes, guidance, 1).unwrap_err().to_string();
        assert_eq!(error, message);
    }
    assert!(model.decode(&[f32::NAN; 20]).unwrap_err().to_string().contains("NaN at index 0"));
    assert!(model.decode(&[0.0; 3]).is_err() && model.latents(&[0.0; 30], &[0.0; 2], &[None], 2.0).is_err());
    let mut condition = Tensors::from([("keywords".to_owned(), Tensor::new(vec![2], vec![0.0; 2]).unwrap())]);
    condition.insert("mood".to_owned(), Tensor::new(vec![1], vec![0.0]).unwrap());
    let error = model.generate(&condition, 0).unwrap_err().to_string();
    assert!(error.starts_with("the tensor mood is not part of the condition"), "{error}");
}
