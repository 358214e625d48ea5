"""The networks of the `fast` preset in torch: an autoencoder of codes, a generator of latents, and a probe.

Sources: D. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014; W. Peebles and S. Xie,
"Scalable diffusion models with transformers", ICCV 2023 (the modulated residual blocks).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.kick.hybrid.config import PartConfig, ShapeConfig

__all__ = ["CodeAutoencoder", "LatentGenerator", "Probe", "strength_of"]


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.down(functional.silu(self.up(self.norm(x))))
        return out


class _Stack(nn.Module):
    """From one vector to another: two residual blocks between linear layers."""

    def __init__(self, size_in: int, width: int, size_out: int) -> None:
        super().__init__()
        self.input = nn.Linear(size_in, width)
        self.blocks = nn.ModuleList([_Residual(width) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, size_out)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.input(x)
        for block in self.blocks:
            hidden = block(hidden)
        out: Tensor = self.output(self.norm(hidden))
        return out


class CodeAutoencoder(nn.Module):
    """Variational autoencoders of the parts of a packed code, side by side.

    Parameters
    ----------
    shape
        The parts.
    mean, spread
        Of each number of the packed code, ``(1616,)``.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, shape: ShapeConfig, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.parts: tuple[PartConfig, ...] = shape.decoder
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.encoders = nn.ModuleList([_Stack(p.size, p.width, 2 * p.latent) for p in self.parts])
        self.decoders = nn.ModuleList([_Stack(p.latent, p.width, p.size) for p in self.parts])

    def encode(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the log variance of the latent of packed codes ``(n, 1616)``."""
        scaled = (packed - self.mean) / self.spread
        cuts = scaled.split([part.size for part in self.parts], dim=1)
        both = [encoder(cut).chunk(2, dim=1) for encoder, cut in zip(self.encoders, cuts, strict=True)]
        return torch.cat([m for m, _ in both], 1), torch.cat([v for _, v in both], 1).clamp(-8, 2)

    def decode(self, latent: Tensor) -> Tensor:
        """Return packed codes of latents ``(n, D)``."""
        cuts = latent.split([part.latent for part in self.parts], dim=1)
        made = [decoder(cut) for decoder, cut in zip(self.decoders, cuts, strict=True)]
        return torch.cat(made, 1) * self.spread + self.mean


class _Modulated(nn.Module):
    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.modulation = nn.Linear(embedding, 3 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        scale, shift, gate = self.modulation(embedded).chunk(3, dim=1)
        normed = functional.layer_norm(x, x.shape[1:])
        out: Tensor = x + gate * self.down(functional.silu(self.up(normed * (1 + scale) + shift)))
        return out


class LatentGenerator(nn.Module):
    """A velocity of latents under a condition; as a student, ``noise - velocity`` is a latent at once.

    Parameters
    ----------
    shape
        Its shape.
    """

    frequencies: Tensor

    def __init__(self, shape: ShapeConfig) -> None:
        super().__init__()
        wide = shape.embedding
        self.input = nn.Linear(shape.latent, shape.width)
        self.time = nn.ModuleList([nn.Linear(64, wide), nn.Linear(wide, wide)])
        self.condition = nn.ModuleList([nn.Linear(shape.condition, wide), nn.Linear(wide, wide)])
        self.blocks = nn.ModuleList([_Modulated(shape.width, wide) for _ in range(shape.blocks)])
        self.output = nn.Linear(shape.width, shape.latent)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(200), 32)), persistent=False)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """Return the velocity of ``x`` ``(n, D)`` at times ``(n,)`` under conditions ``(n, C)``."""
        angle = time[:, None] * self.frequencies
        features = torch.cat([torch.sin(angle), torch.cos(angle)], 1)
        when = self.time[1](functional.silu(self.time[0](features)))
        what = self.condition[1](functional.silu(self.condition[0](condition)))
        embedded = functional.silu(when + what)
        hidden = self.input(x)
        for block in self.blocks:
            hidden = block(hidden, embedded)
        out: Tensor = self.output(hidden)
        return out

    def generate(self, noise: Tensor, condition: Tensor, guidance: Tensor) -> Tensor:
        """Return latents in one step, for a student."""
        return noise - self(noise, strength_of(guidance), condition)


class Probe(nn.Module):
    """What the render of a latent will measure, standardised."""

    def __init__(self, shape: ShapeConfig, quantities: int) -> None:
        super().__init__()
        wide = shape.probe_width
        self.layers = nn.ModuleList(
            [nn.Linear(shape.latent, wide), nn.Linear(wide, wide), nn.Linear(wide, quantities)]
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Return ``(n, quantities)`` of latents ``(n, D)``."""
        hidden = functional.silu(self.layers[0](latent))
        out: Tensor = self.layers[2](functional.silu(self.layers[1](hidden)))
        return out


def strength_of(guidance: Tensor) -> Tensor:
    """Return what a student takes in the place of time; near 1, where the teacher's noise was."""
    return 1 + 0.1 * (guidance - 2)
