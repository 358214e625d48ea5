//! The WaveNet of the format in plain loops and double precision, written from its definition alone.

use neurdsp_models::amp::nam::{Activation, Conv, Conventions, Film, Gating, Layer, Network, WavenetNetwork};

/// `[channel][frame]`
pub(crate) type Signal = Vec<Vec<f64>>;

/// The output for `input`, `[channel][frame]`, after silence for longer than the network remembers.
pub(crate) fn render(network: &WavenetNetwork, input: &Signal, conventions: Conventions) -> Signal {
    let silence = network.receptive_field() + 1;
    let padded: Signal = input.iter().map(|x| [vec![0.0; silence], x.clone()].concat()).collect();
    let output = run(network, &padded, conventions);
    output.into_iter().map(|y| y[silence..].to_vec()).collect()
}

fn run(network: &WavenetNetwork, input: &Signal, conventions: Conventions) -> Signal {
    let condition = match &network.condition {
        None => input.clone(),
        Some(model) => match model.network() {
            Network::Wavenet(network) => run(network, input, conventions),
            other => panic!("no reference for {}", other.architecture()),
        },
    };
    let mut residual = input.clone();
    let mut head: Option<Signal> = None;
    for array in &network.arrays {
        residual = convolve(&array.rechannel, &residual);
        for layer in &array.layers {
            let (next, out) = run_layer(layer, array.bottleneck, &residual, &condition, conventions);
            residual = next;
            head = Some(match head {
                Some(head) => add(&head, &out),
                None => out,
            });
        }
        head = head.map(|head| convolve(&array.head, &head));
    }
    let scale = f64::from(network.head_scale);
    let mut output: Signal = head.unwrap();
    output.iter_mut().flatten().for_each(|y| *y *= scale);
    for layer in network.post_head.iter().flat_map(|head| &head.layers) {
        output = convolve(&layer.conv, &activate(&layer.activation, &output));
    }
    output
}

/// The next residual signal, and the head signal.
fn run_layer(
    layer: &Layer,
    bottleneck: usize,
    residual: &Signal,
    condition: &Signal,
    conventions: Conventions,
) -> (Signal, Signal) {
    let films = &layer.films;
    let film = |film: &Option<Film>, x: Signal| match film {
        Some(film) => modulate(film, x, condition),
        None => x,
    };
    let convolved = film(&films.conv_post, convolve(&layer.conv, &film(&films.conv_pre, residual.clone())));
    let mixed = convolve(&layer.mixin, &film(&films.input_mixin_pre, condition.clone()));
    let z = add(&convolved, &film(&films.input_mixin_post, mixed));
    let z = film(&films.activation_pre, z);

    let (top, bottom) = z.split_at(bottleneck);
    let (top, bottom) = (top.to_vec(), bottom.to_vec());
    let z = match &layer.gating {
        Gating::None => activate(&layer.activation, &top),
        Gating::Gated(gate) => {
            zip(&activate(&layer.activation, &top), &activate(gate, &bottom), |a, g| a * g)
        }
        Gating::Blended(blend) => {
            let share = activate(blend, &bottom);
            let active = zip(&activate(&layer.activation, &top), &share, |a, s| a * s);
            add(&active, &zip(&top, &share, |x, s| (1.0 - s) * x))
        }
    };
    let z = film(&films.activation_post, z);

    let head = match &layer.head1x1 {
        Some(conv) => film(&films.head1x1_post, convolve(conv, &z)),
        None => z.clone(),
    };
    let trainer = conventions == Conventions::Trainer;
    let next = match &layer.layer1x1 {
        Some(conv) => {
            let out = convolve(conv, &z);
            let modulated = trainer || matches!(layer.gating, Gating::Blended(_));
            add(residual, &if modulated { film(&films.layer1x1_post, out) } else { out })
        }
        None if trainer => add(residual, &z),
        None => residual.clone(),
    };
    (next, head)
}

fn convolve(conv: &Conv, input: &Signal) -> Signal {
    assert_eq!(input.len(), conv.inputs);
    let (rows, columns) = (conv.outputs / conv.groups, conv.inputs / conv.groups);
    let frames = input[0].len();
    let mut output = vec![vec![0.0; frames]; conv.outputs];
    for (o, output) in output.iter_mut().enumerate() {
        let bias = conv.bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
        for (t, y) in output.iter_mut().enumerate() {
            *y = bias;
            for i in 0..columns {
                for k in 0..conv.kernel_size {
                    let Some(at) = t.checked_sub((conv.kernel_size - 1 - k) * conv.dilation) else {
                        continue;
                    };
                    let weight = conv.weight[(o * columns + i) * conv.kernel_size + k];
                    *y += f64::from(weight) * input[o / rows * columns + i][at];
                }
            }
        }
    }
    output
}

fn modulate(film: &Film, x: Signal, condition: &Signal) -> Signal {
    let modulation = convolve(&film.conv, condition);
    let (scale, shift) = modulation.split_at(x.len());
    let scaled = zip(&x, scale, |x, s| x * s);
    if film.shift { zip(&scaled, shift, |x, s| x + s) } else { scaled }
}

fn activate(activation: &Activation, x: &Signal) -> Signal {
    let row = |(c, row): (usize, &Vec<f64>)| row.iter().map(|&x| activation.evaluate(x, c)).collect();
    x.iter().enumerate().map(row).collect()
}

fn add(a: &Signal, b: &Signal) -> Signal {
    zip(a, b, |a, b| a + b)
}

fn zip(a: &[Vec<f64>], b: &[Vec<f64>], f: impl Fn(f64, f64) -> f64) -> Signal {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()).collect()
}
