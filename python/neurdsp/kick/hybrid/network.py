"""The networks of the `fast` preset in torch: a generator of latents in one step, and a probe.

Source: W. Peebles and S. Xie, "Scalable diffusion models with transformers", ICCV 2023.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.kick.hybrid.config import ShapeConfig

__all__ = ["LatentGenerator", "Probe", "strength_of"]


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
        latent: Tensor = noise - self(noise, strength_of(guidance), condition)
        return latent


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
