//! Small networks of every feature, at random.

use neurdsp_models::amp::nam::{
    Activation, Conv, Film, Films, Gating, Layer, LayerArray, PostHead, PostHeadLayer, WavenetNetwork,
};

/// Which features a network is made of; the rest is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Features {
    pub(crate) plain: bool,
    pub(crate) films: bool,
}

/// A source of numbers without structure.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.bits() as usize % n
    }

    pub(crate) fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    /// In ±`scale`.
    pub(crate) fn value(&mut self, scale: f32) -> f32 {
        (self.bits() as f32 / (1u32 << 30) as f32 - 1.0) * scale
    }

    pub(crate) fn list(&mut self, n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|_| self.value(scale)).collect()
    }

    fn conv(
        &mut self,
        (inputs, outputs): (usize, usize),
        (kernel_size, dilation): (usize, usize),
        groups: usize,
        bias: bool,
    ) -> Conv {
        let columns = inputs / groups;
        let scale = 1.0 / ((columns * kernel_size) as f32).sqrt();
        let weight = self.list(outputs * columns * kernel_size, scale);
        let bias = bias.then(|| self.list(outputs, 0.3));
        Conv { inputs, outputs, kernel_size, dilation, groups, weight, bias }
    }

    fn activation(&mut self, channels: usize) -> Activation {
        match self.below(12) {
            0 => Activation::Hardtanh,
            1 => Activation::Fasttanh,
            2 => Activation::Relu,
            3 => Activation::LeakyRelu { negative_slope: self.value(1.5) },
            4 => Activation::Prelu { negative_slopes: self.list(channels, 1.0) },
            5 => Activation::Sigmoid,
            6 => Activation::Silu,
            7 => Activation::Hardswish,
            8 => Activation::LeakyHardtanh { min_val: -0.5, max_val: 0.75, min_slope: 0.1, max_slope: 0.2 },
            9 => Activation::Softsign,
            10 => Activation::Prelu { negative_slopes: vec![0.3] },
            _ => Activation::Tanh,
        }
    }

    fn film(&mut self, features: Features, condition: usize, width: usize) -> Option<Film> {
        if !features.films || self.chance() {
            return None;
        }
        let shift = self.chance();
        let outputs = if shift { 2 * width } else { width };
        let mut conv = self.conv((condition, outputs), (1, 1), 1, true);
        // Near one, so that a product of many neither vanishes nor grows.
        conv.bias.iter_mut().for_each(|bias| bias[..width].iter_mut().for_each(|scale| *scale += 1.0));
        Some(Film { conv, shift })
    }

    fn layer(&mut self, features: Features, array: &Shape, condition: usize) -> Layer {
        let &Shape { channels, bottleneck, groups, head, has_head1x1, has_layer1x1 } = array;
        let gating = match self.below(if features.plain { 1 } else { 3 }) {
            0 => Gating::None,
            1 => Gating::Gated(self.activation(bottleneck)),
            _ => Gating::Blended(self.activation(bottleneck)),
        };
        let width = gating.factor() * bottleneck;
        let size = (1 + self.below(4), 1 + self.below(9));
        let (films, c) = (features, condition);
        let mixin_groups = if c == groups { groups } else { 1 };
        Layer {
            conv: self.conv((channels, width), size, groups, true),
            mixin: self.conv((condition, width), (1, 1), mixin_groups, false),
            activation: self.activation(bottleneck),
            layer1x1: has_layer1x1.then(|| self.conv((bottleneck, channels), (1, 1), groups, true)),
            head1x1: has_head1x1.then(|| self.conv((bottleneck, head), (1, 1), 1, true)),
            films: Films {
                conv_pre: self.film(films, c, channels),
                conv_post: self.film(films, c, width),
                input_mixin_pre: self.film(films, c, condition),
                input_mixin_post: self.film(films, c, width),
                activation_pre: self.film(films, c, width),
                activation_post: self.film(films, c, bottleneck),
                layer1x1_post: if has_layer1x1 { self.film(films, c, channels) } else { None },
                head1x1_post: if has_head1x1 { self.film(films, c, head) } else { None },
            },
            gating,
        }
    }

    /// A network of one input, whose condition has `condition` channels; a model for it is up to the caller.
    pub(crate) fn network(&mut self, features: Features, condition: usize, outputs: usize) -> WavenetNetwork {
        let widths = [1, 2, 3, 4, 6, 8, 9, 12, 13];
        let count = 1 + self.below(3);
        let channels: Vec<usize> = (0..count).map(|_| widths[self.below(widths.len())]).collect();
        let mut arrays: Vec<LayerArray> = Vec::new();
        for (i, &c) in channels.iter().enumerate() {
            let has_layer1x1 = features.plain || self.chance();
            // Even channel counts get two groups.
            let groups = if !features.plain && c % 2 == 0 && self.chance() { 2 } else { 1 };
            let bottleneck = if !features.plain && has_layer1x1 { groups * (1 + self.below(4)) } else { c };
            let before = i.checked_sub(1).map(|before| arrays[before].clone());
            // The sum of head signals continues from array to array, so its width is that of the previous head.
            let wanted = before.as_ref().map_or(bottleneck, |before| before.head.outputs);
            let has_head1x1 = wanted != bottleneck || (!features.plain && self.chance());
            let head = if has_head1x1 && i == 0 { 1 + self.below(4) } else { wanted };
            let shape = Shape { channels: c, bottleneck, groups, head, has_head1x1, has_layer1x1 };
            let n_layers = 1 + self.below(4);
            let layers = (0..n_layers).map(|_| self.layer(features, &shape, condition)).collect();
            let head_out = channels.get(i + 1).copied().unwrap_or(outputs);
            let head_size = if features.plain { (1, 1) } else { (1 + self.below(4), 1 + self.below(3)) };
            let bias = self.chance();
            let input_size = before.map_or(1, |before| before.channels);
            arrays.push(LayerArray {
                input_size,
                condition_size: condition,
                channels: c,
                bottleneck,
                rechannel: self.conv((input_size, c), (1, 1), 1, false),
                layers,
                head: self.conv((if has_head1x1 { head } else { bottleneck }, head_out), head_size, 1, bias),
                allowed_channels: None,
            });
        }
        let post_head = (!features.plain && self.chance()).then(|| PostHead {
            layers: [(outputs, 5), (5, outputs)]
                .map(|size| PostHeadLayer {
                    activation: self.activation(size.0),
                    conv: self.conv(size, (3, 1), 1, true),
                })
                .into(),
        });
        WavenetNetwork {
            in_channels: 1,
            condition: None,
            arrays,
            post_head,
            head_scale: 0.5 + self.value(0.25),
        }
    }
}

/// The sizes that the layers of an array share.
struct Shape {
    channels: usize,
    bottleneck: usize,
    groups: usize,
    head: usize,
    has_head1x1: bool,
    has_layer1x1: bool,
}
