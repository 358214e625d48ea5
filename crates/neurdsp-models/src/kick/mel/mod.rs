//! The preset `seed`: a VAE of mel spectrograms, a U-Net that makes its latents of noise and keywords, and a HiFi-GAN that
//! makes audio of spectrograms.

mod config;
mod layers;
mod model;
mod sampler;
mod unet;
mod vae;
mod vocoder;

pub use config::{
    KeywordShape, MEL_DIFFUSION, MelDiffusionConfig, MelShape, NoiseShape, UnetShape, VaeShape, VocoderShape,
};
pub use model::{MelDiffusion, MelRequest};
pub use sampler::Sampler;
