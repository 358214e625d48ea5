//! Reading `.nam` files: the shapes, the order of the weights, and what is refused.

use neurdsp_models::amp::nam::{Activation, Gating, NamFile, Network, WavenetNetwork};
use serde_json::{Value, json};

/// A file of the architecture and config whose weights are 1, 2, 3, …
fn file(architecture: &str, config: Value, n_weights: usize) -> Value {
    let weights: Vec<usize> = (1..=n_weights).collect();
    json!({ "version": "0.7.0", "architecture": architecture, "config": config, "weights": weights })
}

fn read(file: &Value) -> NamFile {
    NamFile::from_bytes(file.to_string().as_bytes()).unwrap()
}

fn refusal(file: &Value) -> String {
    let error = NamFile::from_bytes(file.to_string().as_bytes()).unwrap_err();
    error.to_string()
}

fn wavenet(file: &NamFile) -> &WavenetNetwork {
    let Network::Wavenet(network) = file.network() else { panic!("not a WaveNet") };
    network
}

/// One array of two layers in the older keys: 2 channels, kernel 3.
fn small() -> Value {
    json!({ "layers": [{
        "input_size": 1, "condition_size": 1, "channels": 2, "kernel_size": 3, "dilations": [1, 4],
        "activation": "Tanh", "gated": false, "head_size": 1, "head_bias": true,
    }], "head": null, "head_scale": 0.5 })
}

/// Rechannel 2, twice (conv 12 + 2, mixin 2, layer1x1 4 + 2), head 2 + 1, scale.
const SMALL_WEIGHTS: usize = 2 + 2 * 22 + 3 + 1;

#[test]
fn the_weights_are_split_in_the_documented_order() {
    let read = read(&file("WaveNet", small(), SMALL_WEIGHTS));
    let network = wavenet(&read);
    let array = &network.arrays[0];
    assert_eq!(array.rechannel.weight, [1.0, 2.0]);
    let layer = &array.layers[1];
    assert_eq!(layer.conv.weight, (25..=36).map(|w| w as f32).collect::<Vec<_>>());
    assert_eq!(layer.conv.bias.as_deref(), Some(&[37.0, 38.0][..]));
    assert_eq!((layer.conv.dilation, layer.conv.kernel_size), (4, 3));
    assert_eq!(layer.mixin.weight, [39.0, 40.0]);
    let layer1x1 = layer.layer1x1.as_ref().unwrap();
    assert_eq!(layer1x1.weight, [41.0, 42.0, 43.0, 44.0]);
    assert_eq!(layer1x1.bias.as_deref(), Some(&[45.0, 46.0][..]));
    assert_eq!(
        (array.head.weight.as_slice(), array.head.bias.as_deref()),
        (&[47.0, 48.0][..], Some(&[49.0][..]))
    );
    assert_eq!(network.head_scale, 50.0);
    assert_eq!((read.receptive_field(), read.network().n_parameters()), (11, SMALL_WEIGHTS));
}

#[test]
fn the_newer_keys_say_the_same_as_the_older_ones() {
    let newer = json!({ "layers": [{
        "input_size": 1, "condition_size": 1, "channels": 2, "kernel_sizes": [3, 3], "dilations": [1, 4],
        "activation": [{ "type": "Tanh" }, "Tanh"], "gating_mode": ["none", "none"], "bottleneck": 2,
        "secondary_activation": [null, null], "layer1x1": { "active": true, "groups": 1 },
        "head1x1": { "active": false, "out_channels": 7, "groups": 1 }, "conv_pre_film": false,
        "conv_post_film": { "active": false }, "slimmable": null,
        "head": { "out_channels": 1, "kernel_size": 1, "bias": true },
    }], "head_scale": 0.5 });
    let older = read(&file("WaveNet", small(), SMALL_WEIGHTS));
    assert_eq!(read(&file("WaveNet", newer, SMALL_WEIGHTS)).network(), older.network());
}

#[test]
fn gates_groups_heads_and_modulations_take_their_place_in_the_list() {
    let config = json!({ "layers": [{
        "input_size": 1, "condition_size": 1, "channels": 4, "bottleneck": 2, "kernel_size": 1, "dilations": [1],
        "activation": { "type": "PReLU", "negative_slopes": [0.5, 0.25] }, "gating_mode": "blended",
        "secondary_activation": "ReLU", "groups_input": 2, "groups_input_mixin": 1,
        "layer1x1": { "active": true, "groups": 2 }, "head1x1": { "active": true, "out_channels": 6, "groups": 2 },
        "conv_pre_film": { "shift": false }, "head1x1_post_film": { "active": true, "shift": true, "groups": 1 },
        "head": { "out_channels": 3, "kernel_size": 2, "bias": false, "head_dilation": 5 },
    }], "head": { "channels": 2, "out_channels": 1, "kernel_sizes": [3, 1], "activation": "Softsign" },
    "head_scale": 1.0 });
    let counts = [
        4,         // rechannel
        8 + 4,     // conv: 4 outputs, 2 inputs each
        4,         // mixin
        4 + 4,     // layer1x1: 4 outputs, 1 input each
        6 + 6,     // head1x1
        4 + 4,     // conv_pre: scales only
        12 + 12,   // head1x1_post: scales and shifts
        3 * 6 * 2, // head
        2 * 3 * 3 + 2,
        2 + 1, // post head
        1,
    ];
    let read = read(&file("WaveNet", config, counts.iter().sum()));
    let network = wavenet(&read);
    let layer = &network.arrays[0].layers[0];
    assert_eq!(layer.gating, Gating::Blended(Activation::Relu));
    assert_eq!(layer.activation, Activation::Prelu { negative_slopes: vec![0.5, 0.25] });
    assert_eq!(layer.head1x1.as_ref().unwrap().weight[0], 29.0);
    assert_eq!(layer.films.conv_pre.as_ref().unwrap().conv.weight[0], 41.0);
    assert_eq!(layer.films.head1x1_post.as_ref().unwrap().width(), 6);
    assert_eq!(network.arrays[0].head.weight[0], 73.0);
    let post = network.post_head.as_ref().unwrap();
    assert_eq!(
        (post.layers[0].conv.inputs, post.layers[1].conv.outputs, read.network().out_channels()),
        (3, 1, 1)
    );
    assert_eq!(read.receptive_field(), 1 + 5 + 2);
    let dense = layer.conv.dense_weight();
    assert_eq!(dense[..8], [5.0, 6.0, 0.0, 0.0, 7.0, 8.0, 0.0, 0.0]);
    assert_eq!(dense[8..], [0.0, 0.0, 9.0, 10.0, 0.0, 0.0, 11.0, 12.0]);
}

#[test]
fn slimming_keeps_the_first_rows_and_columns() {
    let mut config = small();
    let slimmable = json!({ "method": "slice_channels_uniform", "kwargs": { "allowed_channels": [1, 2] } });
    config["layers"][0]["slimmable"] = slimmable;
    let read = read(&file("WaveNet", config, SMALL_WEIGHTS));
    assert_eq!(read.size_steps(), [0.5]);
    let slim = wavenet(&read).slim(0.49).unwrap();
    let layer = &slim.arrays[0].layers[0];
    assert_eq!((slim.arrays[0].channels, layer.conv.weight.as_slice()), (1, &[3.0, 4.0, 5.0][..]));
    assert_eq!(layer.layer1x1.as_ref().unwrap().weight, [19.0]);
    assert_eq!((slim.arrays[0].head.weight.as_slice(), slim.head_scale), (&[47.0][..], 50.0));
    assert_eq!(&wavenet(&read).slim(0.5).unwrap(), wavenet(&read));
    let error = read.at_size(Some(1.5)).unwrap_err().to_string();
    assert_eq!(error, "size is 1.5, but must be 0 (smallest) to 1 (full)");
}

#[test]
fn a_container_picks_the_first_model_above_the_size() {
    let linear = |tap: f64| {
        json!({ "version": "0.5.0", "architecture": "Linear", "weights": [tap], "sample_rate": 44100,
            "config": { "receptive_field": 1, "bias": false } })
    };
    let submodels = json!([
        { "max_value": 0.5, "model": linear(1.0) }, { "max_value": 1.0, "model": linear(2.0) },
    ]);
    let read = read(&file("SlimmableContainer", json!({ "submodels": submodels }), 0));
    for (size, tap) in [(Some(0.0), 1.0), (Some(0.49), 1.0), (Some(0.5), 2.0), (Some(1.0), 2.0), (None, 2.0)]
    {
        let (_, network) = read.at_size(size).unwrap();
        let Network::Linear(network) = network.as_ref() else { panic!("not linear") };
        assert_eq!(network.taps, [tap]);
    }
    assert_eq!((read.size_steps(), read.sample_rate()), (vec![0.5], 44_100.0));
}

/// A change of the small model by JSON pointer, and a part of the message that refuses it.
#[test]
fn what_does_not_fit_is_refused_by_its_path() {
    let layer = "/config/layers/0";
    let cases: [(&str, Value, &str); 24] = [
        ("/version", json!("0.8.0"), r#"version "0.8.0" is not supported: versions 0.5.0 to 0.7.x"#),
        ("/version", json!("0.4.9"), r#"version "0.4.9""#),
        ("/version", json!("0.5"), r#"version "0.5""#),
        ("/version", json!("+0.5.0"), r#"version "+0.5.0""#),
        ("/architecture", json!("Transformer"), r#"architecture "Transformer" is not supported: WaveNet,"#),
        ("/sample_rate", json!(0), "sample_rate is 0, but must be 1000 to 768000 Hz"),
        ("/weights", json!([1, 2]), "weights is malformed: it has 2 values, but the config asks for 50"),
        ("/weights", json!(vec![0; 70]), "it has 70 values, but the config asks for 50"),
        ("/weights", json!(vec![1e300; 50]), "weights[0] is malformed: number out of range (line 1, column "),
        ("/config/layers", json!([]), "config.layers is malformed: it is empty"),
        ("/config/in_channels", json!(2), "config.layers[0].condition_size is 1, but must be 2"),
        (
            &format!("{layer}/channels"),
            json!(1_000_000_000),
            "config.layers[0].channels is 1000000000, but must be 1 to 1024",
        ),
        (
            &format!("{layer}/channels"),
            json!(-3),
            "config.layers[0].channels is -3, but must be a whole number from 1 to 1024",
        ),
        (&format!("{layer}/dilations"), json!([]), "dilations is malformed: it is empty"),
        (
            &format!("{layer}/dilations"),
            json!([1, 4_000_000_000_u64]),
            "config.layers[0].dilations[1] is 4000000000",
        ),
        (
            &format!("{layer}/dilations"),
            json!(vec![1 << 20; 200]),
            "the receptive field of config in samples is 419430400",
        ),
        (&format!("{layer}/kernel_sizes"), json!([3, 3]), "both are there"),
        (
            &format!("{layer}/activation"),
            json!("Gelu"),
            r#"config.layers[0].activation "Gelu" is not supported: the format knows Tanh"#,
        ),
        (
            &format!("{layer}/activation"),
            json!(["Tanh"]),
            "the length of config.layers[0].activation is 1, but must be 2",
        ),
        (&format!("{layer}/gating_mode"), json!("half"), r#"gating_mode "half" is not supported"#),
        (
            &format!("{layer}/groups_input"),
            json!(3),
            "config.layers[0].layer 0 conv is 3, but must be a divisor of its 2 inputs",
        ),
        (&format!("{layer}/bottleneck"), json!(0), "bottleneck is 0"),
        (
            &format!("{layer}/layer1x1_post_film"),
            json!({ "active": true, "groups": 9 }),
            "layer1x1_post_film is 9",
        ),
        (
            &format!("{layer}/slimmable"),
            json!({ "method": "prune" }),
            r#"slimmable.method "prune" is not supported"#,
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut file = file("WaveNet", small(), SMALL_WEIGHTS);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap()[key] = value;
        let message = refusal(&file);
        assert!(message.contains(expected), "{pointer}: {message}");
    }
}

#[test]
fn huge_dense_shapes_and_deep_nesting_are_refused_before_they_are_built() {
    let mut wide = small();
    for (key, value) in [("channels", 1024), ("groups_input", 1024)] {
        wide["layers"][0][key] = value.into();
    }
    wide["layers"][0]["dilations"] = json!(vec![1; 256]);
    let message = refusal(&file("WaveNet", wide, 4));
    assert!(message.contains("the number of weights of config is"), "{message}");

    let mut nested = file("WaveNet", small(), SMALL_WEIGHTS);
    for _ in 0..6 {
        let mut outer = file("WaveNet", small(), SMALL_WEIGHTS);
        outer["config"]["condition_dsp"] = nested;
        nested = outer;
    }
    assert!(refusal(&nested).contains("models are nested more than 4 deep"), "{}", refusal(&nested));

    let text = format!(r#"{{"version": "0.7.0", "metadata": {}1"#, "[".repeat(1 << 20));
    assert!(NamFile::from_bytes(text.as_bytes()).unwrap_err().to_string().len() < 300);
    let text = r#"{"version": "0.7.0", "architecture": "Linear", "config": {"receptive_field": 2, "bias": false}, "weights": [1, NaN]}"#;
    let message = NamFile::from_bytes(text.as_bytes()).unwrap_err().to_string();
    assert!(message.contains("the training diverged"), "{message}");
}
