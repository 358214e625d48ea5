//! Networks and states of the drum separator.

use neurdsp_models::{AudioSpec, FAMILIES, Header, ModelFile, Tensor, Tensors};

/// Names of the strips, in the order of the outputs after the main one.
pub const STRIPS: [&str; 6] = ["kick", "snare", "toms", "hihat", "cymbals", "residual"];
/// The rate of the network, in Hz.
pub const NETWORK_RATE: f64 = 44_100.0;
/// By how many samples it is late there.
pub const NETWORK_LATENCY: usize = 256;

/// The file of a small network with random weights, the same each time for a `seed`.
pub fn network(stems: &[&str], seed: u32) -> Vec<u8> {
    let bands = [&[8; 8][..], &[64; 3], &[1]].concat();
    let (width, hidden, mixer, head, outputs) = (8, 8, 8, 8, stems.len() + 1);
    let config = serde_json::json!({
        "sample_rate": NETWORK_RATE as u32, "n_fft": 512, "hop_length": NETWORK_LATENCY / 2, "stems": stems,
        "bands": bands, "n_phase_bins": 64, "mask_group": 4, "width": width, "hidden": hidden,
        "mixer": mixer, "n_blocks": 1, "head": head,
    });
    let mut state = seed;
    let mut random = |shape: &[usize], around: f32| {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            around + 0.5 * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
        };
        let data = (0..shape.iter().product()).map(|_| next()).collect::<Vec<f32>>();
        Tensor::new(shape.to_vec(), data).unwrap()
    };
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: &[usize], around: f32| {
        tensors.insert(name, random(shape, around));
    };
    let mut first = 0;
    for (band, bins) in bands.iter().enumerate() {
        let has_phase = first < 64;
        first += bins;
        let (inputs, masks) =
            if has_phase { (4 * bins, 3 * bins) } else { (2 * bins, usize::div_ceil(*bins, 4)) };
        put(format!("encoders.{band}.weight"), &[width, inputs], 0.0);
        put(format!("encoders.{band}.bias"), &[width], 0.0);
        put(format!("decoders.{band}.weight"), &[outputs * masks, head], 0.0);
        put(format!("decoders.{band}.bias"), &[outputs * masks], 0.0);
    }
    for (name, shape, around) in [
        ("time_norm.weight", &[width][..], 1.0),
        ("time_in.weight", &[3 * hidden, width], 0.0),
        ("time_in.bias", &[3 * hidden], 0.0),
        ("time_out.weight", &[width, hidden], 0.0),
        ("time_out.bias", &[width], 0.0),
        ("band_norm.weight", &[width], 1.0),
        ("band_in.weight", &[mixer, bands.len()], 0.0),
        ("band_in.bias", &[mixer], 0.0),
        ("band_out.weight", &[bands.len(), mixer], 0.0),
    ] {
        put(format!("blocks.0.{name}"), shape, around);
    }
    put("head_norm.weight".to_owned(), &[width], 1.0);
    put("head.weight".to_owned(), &[bands.len(), head, width], 0.0);
    put("head.bias".to_owned(), &[bands.len(), head], 0.0);
    let header = Header {
        architecture: "drumsep.band_split".to_owned(),
        config: config.to_string(),
        audio: AudioSpec { sample_rate: NETWORK_RATE, channels: 2 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -60.0,
    };
    ModelFile { metadata: header.to_metadata(), tensors }.to_bytes().unwrap()
}

/// A state of the drum separator with these parameters, as JSON, and the file of a network.
pub fn drum_state(parameters: &str, network: &[u8]) -> Vec<u8> {
    use base64::Engine;
    use sha2::Digest;
    let content = base64::engine::general_purpose::STANDARD.encode(network);
    let hash: String = sha2::Sha256::digest(network).iter().map(|byte| format!("{byte:02x}")).collect();
    let session = serde_json::json!({
        "version": 1,
        "model": { "path": "a network.safetensors", "hash": hash, "content": content },
    });
    let parameters: serde_json::Value = serde_json::from_str(parameters).unwrap();
    let state = serde_json::json!({
        "version": "0.1.0",
        "params": parameters,
        "fields": { "session": session.to_string() },
    });
    state.to_string().into_bytes()
}

/// What the engine makes of left and right: each stem and the residual.
pub fn separated(network: &[u8], input: [&[f32]; 2]) -> Vec<[Vec<f32>; 2]> {
    let model = FAMILIES.from_file(&ModelFile::from_bytes(network).unwrap()).unwrap();
    let neurdsp_models::AnyModel::Stream(model) = model else { panic!("a network that plays live") };
    let mut stream = model.build_stream().unwrap();
    let mut outputs = vec![vec![0.0; input[0].len()]; stream.out_channels()];
    let mut channels: Vec<&mut [f32]> = outputs.iter_mut().map(|output| &mut output[..]).collect();
    stream.process_channels(&input, &mut channels);
    let pairs = outputs.chunks_exact(2);
    pairs.map(|pair| [pair[0].clone(), pair[1].clone()]).collect()
}
