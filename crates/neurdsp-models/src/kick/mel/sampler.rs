//! From noise to a latent: DDPM, DDIM and DPM-Solver++.
//!
//! J. Ho et al., "Denoising diffusion probabilistic models", NeurIPS 2020; J. Song et al., "Denoising diffusion implicit
//! models", ICLR 2021; C. Lu et al., "DPM-Solver++", arXiv 2211.01095.

use super::config::NoiseShape;

/// How a latent is made of noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampler {
    /// Ancestral steps, which add noise.
    Ddpm,
    /// Deterministic steps of first order.
    Ddim,
    /// Deterministic steps of second order.
    #[default]
    DpmSolver,
}

/// The steps that a sampler visits, from the noisiest on, and the part of the signal's variance that is left at each.
fn schedule(noise: &NoiseShape, n_steps: usize) -> Vec<(usize, f64)> {
    let mut parts = Vec::with_capacity(noise.n_steps);
    let mut left = 1.0;
    for step in 0..noise.n_steps {
        let way = step as f64 / (noise.n_steps - 1) as f64;
        left *= 1.0 - (noise.beta_start + (noise.beta_end - noise.beta_start) * way);
        parts.push(left);
    }
    let width = noise.n_steps as f64 / n_steps as f64;
    let step = |i: usize| (noise.n_steps as f64 - i as f64 * width).round_ties_even() as usize - 1;
    (0..n_steps).map(step).map(|step| (step, parts[step])).collect()
}

/// `a·x + b·y`.
fn sum(a: f64, x: &[f32], b: f64, y: &[f32]) -> Vec<f32> {
    let (a, b) = (a as f32, b as f32);
    x.iter().zip(y).map(|(x, y)| a * x + b * y).collect()
}

impl Sampler {
    /// A latent of standard normal noise. `noise_in` tells the noise in a latent at a step; `draw` gives further noise.
    pub(super) fn run(
        self,
        noise: &NoiseShape,
        n_steps: usize,
        start: Vec<f32>,
        mut noise_in: impl FnMut(&[f32], usize) -> Vec<f32>,
        mut draw: impl FnMut() -> Vec<f32>,
    ) -> Vec<f32> {
        let steps = schedule(noise, n_steps);
        let ratio = |left: f64| 0.5 * (left / (1.0 - left)).ln();
        let (mut x, mut before): (_, Option<(Vec<f32>, f64)>) = (start, None);
        for (index, (step, now)) in steps.iter().copied().enumerate() {
            // After the last step nothing but signal is left.
            let then = steps.get(index + 1).map_or(1.0, |(_, left)| *left);
            let found = noise_in(&x, step);
            let clean = sum(1.0 / now.sqrt(), &x, -(1.0 - now).sqrt() / now.sqrt(), &found);
            match self {
                Sampler::Ddpm => {
                    let kept = now / then;
                    let of_clean = then.sqrt() * (1.0 - kept) / (1.0 - now);
                    x = sum(of_clean, &clean, kept.sqrt() * (1.0 - then) / (1.0 - now), &x);
                    if then < 1.0 {
                        let variance = ((1.0 - then) / (1.0 - now) * (1.0 - kept)).max(1e-20);
                        x = sum(1.0, &x, variance.sqrt(), &draw());
                    }
                }
                Sampler::Ddim => x = sum(then.sqrt(), &clean, (1.0 - then).sqrt(), &found),
                Sampler::DpmSolver if then >= 1.0 => return clean,
                Sampler::DpmSolver => {
                    let width = ratio(then) - ratio(now);
                    let along = match &before {
                        Some((earlier, at)) => {
                            // Half the slope, from the previous step to this one, over the width of this one.
                            let slope = 0.5 * width / (ratio(now) - at);
                            sum(1.0 + slope, &clean, -slope, earlier)
                        }
                        None => clean.clone(),
                    };
                    let of_x = ((1.0 - then) / (1.0 - now)).sqrt();
                    x = sum(of_x, &x, -then.sqrt() * (-width).exp_m1(), &along);
                    before = Some((clean, ratio(now)));
                }
            }
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: NoiseShape = NoiseShape { n_steps: 1000, beta_start: 1e-4, beta_end: 0.02 };

    #[test]
    fn the_schedule_ends_where_training_did() {
        let steps = schedule(&NOISE, 4);
        assert_eq!(steps.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [999, 749, 499, 249]);
        assert!((steps[0].1 - 4.04e-5).abs() < 1e-7);
        assert_eq!(schedule(&NOISE, 1000).last().unwrap().0, 0);
    }

    #[test]
    fn every_sampler_finds_the_latent_that_the_noise_hides() {
        // With the exact noise in x for one known latent, all samplers end there.
        let latent = [0.5_f32, -1.5, 2.0];
        let parts = schedule(&NOISE, 1000);
        let noise_in = |x: &[f32], step: usize| {
            let left = parts[999 - step].1;
            sum(1.0 / (1.0 - left).sqrt(), x, -left.sqrt() / (1.0 - left).sqrt(), &latent)
        };
        for sampler in [Sampler::Ddpm, Sampler::Ddim, Sampler::DpmSolver] {
            for n_steps in [1, 7, 50] {
                let found = sampler.run(&NOISE, n_steps, vec![1.0, 0.1, -0.3], noise_in, || vec![0.3; 3]);
                let worst = found.iter().zip(latent).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 2e-3, "{sampler:?} in {n_steps} steps: {found:?}");
            }
        }
    }
}
