//! Layers of small images and of signals against their definitions in double precision.

use super::*;
use neurdsp_simd::Isa;

fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..n).map(next).collect()
}

fn error_db(found: &[f32], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let error = energy(&mut found.iter().zip(wanted).map(|(found, wanted)| f64::from(*found) - wanted));
    10.0 * (error / energy(&mut wanted.iter().copied()) + 1e-30).log10()
}

/// `[channels][images · height][width]` of a stack.
struct Stack {
    values: Vec<f32>,
    channels: usize,
    images: usize,
    height: usize,
    width: usize,
}

impl Stack {
    fn new(channels: usize, images: usize, height: usize, width: usize, seed: u64) -> Stack {
        Stack { values: noise(channels * images * height * width, seed), channels, images, height, width }
    }

    fn image(&self) -> Image {
        Image::from_planes(&self.values, self.channels, self.images * self.height, self.width)
    }

    fn at(&self, channel: usize, image: usize, y: isize, x: isize) -> f64 {
        if !(0..self.height as isize).contains(&y) || !(0..self.width as isize).contains(&x) {
            return 0.0;
        }
        let row = (channel * self.images + image) * self.height + y as usize;
        f64::from(self.values[row * self.width + x as usize])
    }
}

#[test]
fn convolutions_of_any_kernel_and_stride_are_their_sums() {
    let cases = [
        (4, 5, 1, 8, 11, Window::square(3, 1, 1)),
        (20, 33, 2, 8, 11, Window::square(3, 2, 1)),
        (16, 16, 2, 3, 2, Window::square(1, 1, 0)),
        (3, 40, 1, 17, 23, Window { kernel: (3, 5), stride: 1, padding: 0 }),
    ];
    for (inputs, outputs, images, height, width, window) in cases {
        let (rows, columns) = window.kernel;
        let from = Stack::new(inputs, images, height, width, 1);
        let (weights, bias) = (noise(inputs * outputs * rows * columns, 2), noise(outputs, 3));
        let size = |length: usize, kernel: usize| (length + 2 * window.padding - kernel) / window.stride + 1;
        let (out_height, out_width) = (size(height, rows), size(width, columns));
        let added = Stack::new(outputs, images, out_height, out_width, 4);
        let mut wanted = Vec::new();
        #[allow(clippy::needless_range_loop)]
        for output in 0..outputs {
            for image in 0..images {
                for (y, x) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                    let mut sum = f64::from(bias[output]) + added.at(output, image, y as isize, x as isize);
                    for input in 0..inputs {
                        for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                            let place = |at: usize, tap: usize| {
                                (at * window.stride + tap) as isize - window.padding as isize
                            };
                            let tap = ((output * inputs + input) * rows + row) * columns + column;
                            let value = from.at(input, image, place(y, row), place(x, column));
                            sum += f64::from(weights[tap]) * value;
                        }
                    }
                    wanted.push(sum);
                }
            }
        }
        for isa in Isa::available() {
            let layer = Conv2d::new(&weights, &bias, inputs, window, isa);
            let run = |threads| layer.run(&from.image(), images, Some(&added.image()), &Work::new(threads));
            let found = run(1).to_planes();
            assert!(error_db(&found, &wanted) < -125.0, "{} {window:?}", isa.name());
            assert_eq!(found, run(3).to_planes());
        }
    }
}

#[test]
fn transposed_convolutions_spread_every_pixel() {
    for (inputs, outputs, images, height, width, side, stride) in
        [(20, 33, 2, 3, 4, 4, 2), (4, 3, 1, 5, 2, 2, 2), (17, 16, 1, 2, 3, 9, 3)]
    {
        let padding = (side - stride) / 2;
        let from = Stack::new(inputs, images, height, width, 1);
        let (weights, bias) = (noise(inputs * outputs * side * side, 2), noise(outputs, 3));
        let (out_height, out_width) = (height * stride, width * stride);
        let mut wanted = vec![0.0; outputs * images * out_height * out_width];
        #[allow(clippy::needless_range_loop)]
        for output in 0..outputs {
            for image in 0..images {
                let plane = (output * images + image) * out_height * out_width;
                wanted[plane..plane + out_height * out_width].fill(f64::from(bias[output]));
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    for (row, column) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))) {
                        let (y_to, x_to) = (y * stride + row, x * stride + column);
                        let inside = (padding..out_height + padding).contains(&y_to)
                            && (padding..out_width + padding).contains(&x_to);
                        if !inside {
                            continue;
                        }
                        let to = plane + (y_to - padding) * out_width + x_to - padding;
                        for input in 0..inputs {
                            let tap = ((input * outputs + output) * side + row) * side + column;
                            let value = from.at(input, image, y as isize, x as isize);
                            wanted[to] += f64::from(weights[tap]) * value;
                        }
                    }
                }
            }
        }
        for isa in Isa::available() {
            let layer =
                Conv2d::transposed(&weights, &bias, inputs, Window::square(side, stride, padding), isa);
            let found = layer.run(&from.image(), images, None, &Work::new(1)).to_planes();
            let error = error_db(&found, &wanted);
            assert!(error < -125.0, "{} {side} {stride}: {error}", isa.name());
        }
    }
}

fn leaky(x: f32) -> f64 {
    f64::from(if x > 0.0 { x } else { 0.1 * x })
}

#[test]
fn dilated_convolutions_along_a_signal_are_their_sums_by_tiles_and_without() {
    for (inputs, outputs, taps, dilation, length) in [
        (33, 40, 3, 1, 1),
        (33, 40, 3, 5, 301),
        (64, 32, 7, 3, 700),
        (32, 48, 11, 5, 97),
        (32, 32, 5, 2, 64),
        (8, 8, 11, 5, 250),
        (20, 1, 7, 1, 33),
        (40, 35, 1, 1, 50),
    ] {
        let (from, added) = (noise(inputs * length, 1), noise(outputs * length, 2));
        let (weights, bias) = (noise(inputs * outputs * taps, 3), noise(outputs, 4));
        let mut wanted = Vec::new();
        for output in 0..outputs {
            for n in 0..length {
                let mut sum = f64::from(bias[output]) + 2.0 * f64::from(added[output * length + n]);
                for (input, tap) in (0..inputs).flat_map(|i| (0..taps).map(move |t| (i, t))) {
                    let at = (n + tap * dilation) as isize - (taps / 2 * dilation) as isize;
                    if (0..length as isize).contains(&at) {
                        let weight = f64::from(weights[(output * inputs + input) * taps + tap]);
                        sum += weight * leaky(from[input * length + at as usize]);
                    }
                }
                wanted.push(sum);
            }
        }
        let from = Image::from_planes(&from, inputs, 1, length);
        let added = Image::from_planes(&added, outputs, 1, length);
        for isa in Isa::available() {
            let tiled = Conv1d::new(&weights, &bias, inputs, dilation, 0.1, isa);
            let direct = Conv1d::direct(&weights, &bias, inputs, dilation, isa);
            for (layer, most) in [(tiled, -115.0), (direct, -125.0)] {
                let run = |threads| layer.run(&from, &[&added, &added], &Work::new(threads)).to_planes();
                let error = error_db(&run(1), &wanted);
                assert!(error < most, "{} {taps} taps, {dilation} apart: {error}", isa.name());
                assert_eq!(run(1), run(3));
            }
        }
    }
}

#[test]
fn a_signal_is_enlarged_by_every_factor() {
    for (inputs, outputs, taps, factor, length) in [(40, 20, 16, 8, 50), (8, 16, 4, 2, 300), (16, 3, 3, 3, 7)]
    {
        let (from, bias) = (noise(inputs * length, 1), noise(outputs, 2));
        let weights = noise(inputs * outputs * taps, 3);
        let (padding, long) = ((taps - factor) / 2, length * factor);
        let mut wanted = vec![0.0; outputs * long];
        for output in 0..outputs {
            wanted[output * long..(output + 1) * long].fill(f64::from(bias[output]));
            for (input, n) in (0..inputs).flat_map(|i| (0..length).map(move |n| (i, n))) {
                for tap in 0..taps {
                    let to = n * factor + tap;
                    if (padding..long + padding).contains(&to) {
                        let weight = f64::from(weights[(input * outputs + output) * taps + tap]);
                        wanted[output * long + to - padding] += weight * leaky(from[input * length + n]);
                    }
                }
            }
        }
        let from = Image::from_planes(&from, inputs, 1, length);
        for isa in Isa::available() {
            let layer = Conv1d::transposed(&weights, &bias, inputs, factor, 0.1, isa);
            let found = layer.run(&from, &[], &Work::new(2)).to_planes();
            let error = error_db(&found, &wanted);
            assert!(error < -125.0, "{} {factor}: {error}", isa.name());
        }
    }
}

#[test]
fn group_norm_and_attention_see_one_image_of_a_stack_at_a_time() {
    let (channels, images, height, width, groups) = (24, 2, 3, 5, 8);
    let from = Stack::new(channels, images, height, width, 1);
    let (weight, bias) = (noise(channels, 2), noise(channels, 3));
    let pixels = height * width;
    let of = |channel: usize, image: usize, pixel: usize| {
        from.at(channel, image, (pixel / width) as isize, (pixel % width) as isize)
    };
    let (mut normed, mut attended) = (Vec::new(), Vec::new());
    for channel in 0..channels {
        for image in 0..images {
            let first = channel / 3 * 3;
            let values: Vec<f64> =
                (first..first + 3).flat_map(|c| (0..pixels).map(move |p| of(c, image, p))).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
            for pixel in 0..pixels {
                let x = (of(channel, image, pixel) - mean) / (variance + 1e-5).sqrt();
                let x = x * f64::from(weight[channel]) + f64::from(bias[channel]);
                normed.push(x / (1.0 + (-x).exp()));
                let score = |key: usize| {
                    let dot: f64 = (0..channels).map(|c| of(c, image, pixel) * of(c, image, key)).sum();
                    (dot / (channels as f64).sqrt()).exp()
                };
                let total: f64 = (0..pixels).map(score).sum();
                attended
                    .push((0..pixels).map(|key| score(key) * of(channel, image, key)).sum::<f64>() / total);
            }
        }
    }
    let (image, work) = (from.image(), Work::new(1));
    for isa in Isa::available() {
        let norm = GroupNorm::new(groups, &weight, &bias, 1e-5, isa);
        assert!(error_db(&norm.run(&image, images, true, &work).to_planes(), &normed) < -120.0);
        let found = attention(isa, images, [&image, &image, &image], &work);
        assert!(error_db(&found.to_planes(), &attended) < -120.0);
    }
}

#[test]
fn stacks_are_cropped_and_shifted_image_by_image() {
    let from = Stack::new(3, 2, 4, 3, 1);
    let mut image = from.image().cropped(2, 3, 2);
    assert_eq!((image.height(), image.width()), (6, 2));
    image.add_channels(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let found = image.to_planes();
    // Channel 2, image 1, row 2, column 1.
    assert_eq!(f64::from(found[(2 * 6 + 5) * 2 + 1] - 6.0) as f32, from.at(2, 1, 2, 1) as f32);
}
