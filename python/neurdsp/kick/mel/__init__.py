"""Kicks by latent diffusion of mel spectrograms: the preset ``seed``."""
