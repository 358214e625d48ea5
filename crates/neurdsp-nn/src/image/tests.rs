//! Every layer against sums in double precision, for sizes that fill no tile, and the same bits on any number of threads.

use super::tile::{Precision, Tile};
use super::*;
use neurdsp_simd::Isa;

/// Reproducible values around zero.
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

fn gelu(x: f64) -> f64 {
    // erf by its series, which converges for all that occurs here.
    let z = x / std::f64::consts::SQRT_2;
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= -z * z / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    x * 0.5 * (1.0 + sum * std::f64::consts::FRAC_2_SQRT_PI)
}

/// `[channels][height][width]` in double precision.
struct Planes {
    values: Vec<f64>,
    height: usize,
    width: usize,
}

impl Planes {
    fn at(&self, channel: usize, y: isize, x: isize) -> f64 {
        let inside = (0..self.height as isize).contains(&y) && (0..self.width as isize).contains(&x);
        let place = || (channel * self.height + y as usize) * self.width + x as usize;
        if inside { self.values[place()] } else { 0.0 }
    }
}

fn activated(image: &Image) -> Planes {
    let values = image.to_planes().iter().map(|value| gelu(f64::from(*value))).collect();
    Planes { values, height: image.height(), width: image.width() }
}

const SIZES: [(usize, usize, usize, usize); 5] =
    [(16, 16, 8, 8), (16, 48, 5, 7), (40, 24, 33, 9), (3, 5, 1, 1), (32, 32, 30, 101)];

/// Sums over the filters of a 3x3 convolution in double precision.
fn convolved(from: &Planes, weights: &[f32], inputs: usize, outputs: usize) -> Vec<f64> {
    let mut wanted = Vec::new();
    for output in 0..outputs {
        for y in 0..from.height as isize {
            for x in 0..from.width as isize {
                let mut sum = 0.0;
                for input in 0..inputs {
                    for tap in 0..9 {
                        let weight = weights[(output * inputs + input) * 9 + tap as usize];
                        sum += f64::from(weight) * from.at(input, y + tap / 3 - 1, x + tap % 3 - 1);
                    }
                }
                wanted.push(sum);
            }
        }
    }
    wanted
}

fn multiplied(from: &Image, weights: &[f32], outputs: usize) -> Vec<f64> {
    let (planes, inputs, pixels) = (from.to_planes(), from.channels(), from.height() * from.width());
    let product = |output: usize, pixel: usize| -> f64 {
        let weights = &weights[output * inputs..][..inputs];
        let values = planes[pixel..].iter().step_by(pixels);
        weights.iter().zip(values).map(|(weight, value)| f64::from(*weight) * f64::from(*value)).sum()
    };
    (0..outputs)
        .flat_map(|output| (0..pixels).map(move |pixel| (output, pixel)))
        .map(|(o, p)| product(o, p))
        .collect()
}

fn image(channels: usize, height: usize, width: usize, seed: u64) -> Image {
    Image::from_planes(&noise(channels * height * width, seed), channels, height, width)
}

/// The moments that a layer has gathered are those of its image, to the bit whatever the threads.
fn assert_measured(found: &(Image, Moments)) {
    let of = Moments::of(&found.0);
    assert_eq!(found.1, of);
}

#[test]
fn a_3x3_convolution_is_within_100_db_of_double_precision() {
    for (inputs, outputs, height, width) in SIZES {
        let (from, other) = (image(inputs, height, width, 1), image(20, height, width, 2));
        let (weights, shortcut) = (noise(outputs * inputs * 9, 3), noise(outputs * 20, 4));
        let mut wanted = convolved(&activated(&from), &weights, inputs, outputs);
        let added = multiplied(&other, &shortcut, outputs);
        wanted.iter_mut().zip(added).for_each(|(sum, term)| *sum += term);
        for isa in Isa::available() {
            for (tile, limit) in [(Tile::F4, -105.0), (Tile::F2, -120.0)] {
                let layer = Conv3x3::new(&weights, inputs, outputs, isa).tiled(tile);
                let shortcut = Pointwise::new(&shortcut, 20, outputs, isa);
                let run = |threads| {
                    let (before, work) = (Affine::activation(inputs, true), Work::new(threads));
                    layer.run(&from, &before, Some((&shortcut, (&other).into())), &work)
                };
                let found = run(1);
                let error = error_db(&found.0.to_planes(), &wanted);
                assert!(
                    error < limit,
                    "{tile:?}, {inputs} to {outputs}, {height}x{width}, {}: {error} dB",
                    isa.name()
                );
                assert_measured(&found);
                let again = run(3);
                assert_eq!(found.0.to_planes(), again.0.to_planes());
                assert_eq!(found.1, again.1);
            }
        }
    }
}

#[test]
fn products_in_bfloat16_cost_35_db_of_a_layer_by_large_tiles_and_45_db_by_small_ones() {
    let (inputs, outputs, height, width) = (40, 24, 33, 29);
    let (from, weights) = (image(inputs, height, width, 1), noise(outputs * inputs * 9, 3));
    let wanted = convolved(&activated(&from), &weights, inputs, outputs);
    for isa in Isa::available() {
        let before = Affine::activation(inputs, true);
        let layer = Conv3x3::new(&weights, inputs, outputs, isa).with_precision(Precision::BFloat16);
        let found = layer.run(&from, &before, None, &Work::new(1)).0.to_planes();
        assert_eq!(found, layer.run(&from, &before, None, &Work::new(3)).0.to_planes());
        let error = error_db(&found, &wanted);
        let limit = if isa.has_bf16() { -35.0 } else { -105.0 };
        assert!(error < limit, "{}: {error} dB", isa.name());
        if isa.has_bf16() {
            let error = error_db(
                &layer.tiled(Tile::F2_HALF).run(&from, &before, None, &Work::new(1)).0.to_planes(),
                &wanted,
            );
            assert!(error < -45.0, "{}: {error} dB", isa.name());
        }
    }
}

#[test]
fn an_image_wider_than_a_group_of_tiles_is_convolved_piece_by_piece() {
    let (inputs, outputs, height, width) = (16, 16, 6, 700);
    let (from, weights) = (image(inputs, height, width, 21), noise(outputs * inputs * 9, 22));
    let wanted = convolved(&activated(&from), &weights, inputs, outputs);
    for threads in [1, 2] {
        let layer = Conv3x3::new(&weights, inputs, outputs, Isa::detect());
        let found = layer.run(&from, &Affine::activation(inputs, true), None, &Work::new(threads));
        assert!(error_db(&found.0.to_planes(), &wanted) < -105.0);
        assert_measured(&found);
    }
}

#[test]
fn two_images_are_convolved_as_one_with_the_channels_of_both() {
    let (first, second) = (image(32, 9, 11, 31), image(24, 9, 11, 32));
    let both = first.concat(&second);
    let (weights, work) = (noise(40 * 56 * 9, 33), Work::new(1));
    let (before, pair) = (Affine::activation(56, true), Channels::both(&first, &second));
    let layer = Conv3x3::new(&weights, 56, 40, Isa::detect());
    let shortcut = Pointwise::new(&weights[..40 * 56], 56, 40, Isa::detect());
    let found = layer.run(pair, &before, Some((&shortcut, pair)), &work).0.to_planes();
    let wanted = layer.run(&both, &before, Some((&shortcut, (&both).into())), &work).0.to_planes();
    let wanted: Vec<f64> = wanted.into_iter().map(f64::from).collect();
    assert!(error_db(&found, &wanted) < -130.0);
    assert_eq!(Moments::of(&first).both(&Moments::of(&second)), Moments::of(&both));
}

#[test]
fn a_1x1_convolution_is_within_120_db_of_double_precision() {
    for (inputs, outputs, height, width) in SIZES {
        let (from, weights) = (image(inputs, height, width, 41), noise(outputs * inputs, 42));
        let wanted = multiplied(&from, &weights, outputs);
        for isa in Isa::available() {
            let layer = Pointwise::new(&weights, inputs, outputs, isa);
            let found = layer.run(&from, None, &Work::new(2));
            assert!(error_db(&found.0.to_planes(), &wanted) < -120.0, "{}", isa.name());
            assert_measured(&found);
        }
    }
}

#[test]
fn memory_is_used_again_and_its_old_values_do_not_show() {
    let (work, before) = (Work::new(1), Affine::activation(32, true));
    let (from, weights) = (image(32, 13, 10, 51), noise(32 * 32 * 9, 52));
    let layer = Conv3x3::new(&weights, 32, 32, Isa::detect());
    let first = layer.run(&from, &before, None, &work).0;
    let (place, values) = (first.block(0).as_ptr(), first.to_planes());
    work.keep(first);
    let second = layer.run(&from, &before, None, &work).0;
    assert_eq!((second.block(0).as_ptr(), &second.to_planes()), (place, &values));
    // Memory that is larger than what it is taken for, and threads that share it.
    let shared = Work::new(2);
    for _ in 0..3 {
        shared.keep(image(64, 90, 90, 53));
    }
    assert_eq!(layer.run(&from, &before, None, &shared).0.to_planes(), values);
}

#[test]
fn scaling_down_and_up_is_within_120_db_of_double_precision() {
    for (inputs, outputs, height, width) in SIZES {
        for factor in [(1, 1), (2, 2), (2, 1)] {
            let image = Image::from_planes(&noise(inputs * height * width, 4), inputs, height, width);
            let from = activated(&image);
            let weights = noise(outputs * inputs * factor.0 * factor.1, 5);
            let (rows, columns) = (height / factor.0, width / factor.1);
            let (mut down, mut up) = (Vec::new(), vec![0.0; outputs * height * factor.0 * width * factor.1]);
            for output in 0..outputs {
                for y in 0..rows * columns {
                    let (y, x) = (y / columns, y % columns);
                    let mut sum = 0.0;
                    for input in 0..inputs {
                        for tap in 0..factor.0 * factor.1 {
                            let weight = weights[(output * inputs + input) * factor.0 * factor.1 + tap];
                            let (dy, dx) = (tap / factor.1, tap % factor.1);
                            let value =
                                from.at(input, (y * factor.0 + dy) as isize, (x * factor.1 + dx) as isize);
                            sum += f64::from(weight) * value;
                        }
                    }
                    down.push(sum);
                }
                for (place, value) in up
                    .chunks_exact_mut(height * factor.0 * width * factor.1)
                    .nth(output)
                    .into_iter()
                    .flatten()
                    .enumerate()
                {
                    let (y, x) = (place / (width * factor.1), place % (width * factor.1));
                    let tap = y % factor.0 * factor.1 + x % factor.1;
                    for input in 0..inputs {
                        let weight = weights[(input * outputs + output) * factor.0 * factor.1 + tap];
                        *value += f64::from(weight)
                            * from.at(input, (y / factor.0) as isize, (x / factor.1) as isize);
                    }
                }
            }
            for isa in Isa::available() {
                let before = Affine::activation(inputs, true);
                let layer = Downscale::new(&weights, inputs, outputs, factor, isa);
                if !down.is_empty() {
                    let found = layer.run(&image, &before, &Work::new(1));
                    assert!(error_db(&found.0.to_planes(), &down) < -120.0, "down {}", isa.name());
                    assert_measured(&found);
                    let again = layer.run(&image, &before, &Work::new(3)).0;
                    assert_eq!(found.0.to_planes(), again.to_planes());
                }
                let layer = Upscale::new(&weights, inputs, outputs, factor, isa);
                let found = layer.run(&image, &before, &Work::new(1));
                assert!(error_db(&found.0.to_planes(), &up) < -120.0, "up {}", isa.name());
                assert_measured(&found);
                let again = layer.run(&image, &before, &Work::new(3)).0;
                assert_eq!(found.0.to_planes(), again.to_planes());
            }
        }
    }
}

#[test]
fn a_matrix_over_the_width_is_within_120_db_of_double_precision() {
    for (channels, outputs, height, width) in SIZES {
        let image = Image::from_planes(&noise(channels * height * width, 6), channels, height, width);
        let base = Image::from_planes(&noise(channels * height * outputs, 7), channels, height, outputs);
        let (from, to_add, weights) = (activated(&image), base.to_planes(), noise(outputs * width, 8));
        let mut wanted = Vec::new();
        for row in 0..channels * height {
            for output in 0..outputs {
                let products =
                    (0..width).map(|x| f64::from(weights[output * width + x]) * from.values[row * width + x]);
                wanted.push(products.sum::<f64>() + f64::from(to_add[wanted.len()]));
            }
        }
        for isa in Isa::available() {
            let layer = WidthLinear::new(&weights, width, outputs, isa);
            let (before, work, mut found) = (Affine::activation(channels, true), Work::new(2), base.clone());
            let moments = layer.add(&image, &before, &mut found, &work);
            assert!(error_db(&found.to_planes(), &wanted) < -120.0, "{}", isa.name());
            assert_measured(&(found, moments));
            let found = layer.run(&image, &before, &work);
            let terms = found.0.to_planes().into_iter().zip(&to_add).map(|(value, add)| value + add);
            assert!(error_db(&terms.collect::<Vec<_>>(), &wanted) < -120.0, "{}", isa.name());
            assert_measured(&found);
        }
    }
}

#[test]
fn an_instance_norm_has_the_mean_and_the_deviation_that_it_is_given() {
    let (channels, height, width) = (20, 17, 31);
    let planes: Vec<f32> =
        noise(channels * height * width, 9).iter().map(|value| 3.0 * value + 5.0).collect();
    let image = Image::from_planes(&planes, channels, height, width);
    let (weight, bias) = (noise(channels, 10), noise(channels, 11));
    let norm = Affine::instance_norm(&Moments::of(&image), &weight, &bias, true);
    let identity: Vec<f32> =
        (0..channels * channels).map(|i| f32::from(u8::from(i / channels == i % channels))).collect();
    let layer = Pointwise::new(&identity, channels, channels, Isa::detect());
    let found = layer.run(&image, Some(&norm), &Work::new(1)).0.to_planes();
    let mut wanted = Vec::new();
    for (channel, plane) in planes.chunks_exact(height * width).enumerate() {
        let mean = plane.iter().map(|value| f64::from(*value)).sum::<f64>() / plane.len() as f64;
        let variance =
            plane.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / plane.len() as f64;
        let scale = f64::from(weight[channel]) / (variance + 1e-5).sqrt();
        wanted.extend(
            plane.iter().map(|value| gelu((f64::from(*value) - mean) * scale + f64::from(bias[channel]))),
        );
    }
    assert!(error_db(&found, &wanted) < -115.0, "{}", error_db(&found, &wanted));
}

#[test]
fn silence_stays_silent_and_planes_come_back() {
    let planes = noise(21 * 3 * 5, 12);
    assert_eq!(Image::from_planes(&planes, 21, 3, 5).to_planes(), planes);
    let layer = Conv3x3::new(&noise(21 * 21 * 9, 13), 21, 21, Isa::detect());
    let silent = layer.run(&Image::new(21, 3, 5), &Affine::activation(21, true), None, &Work::new(1)).0;
    assert!(silent.to_planes().iter().all(|value| value.to_bits() == 0));
}
