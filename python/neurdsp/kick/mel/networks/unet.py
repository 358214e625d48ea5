"""The U-Net that tells the noise in a latent, and the encoder of keywords that steers it.

References
----------
.. [1] J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020.
.. [2] J. Ho, T. Salimans, "Classifier-free diffusion guidance", arXiv:2207.12598.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.kick.mel.config import KeywordConfig, MelDiffusionConfig, UnetConfig
from neurdsp.kick.mel.networks.blocks import ConditionedBlock, SelfAttention, cropped

__all__ = ["Denoiser", "KeywordEncoder", "LatentUnet", "step_embedding"]


def step_embedding(steps: Tensor, dim: int) -> Tensor:
    """Return sines and cosines of steps, ``(batch, dim)``: first all sines, then all cosines.

    The frequencies fall from 1 to nearly 1/10000, geometrically.
    """
    half = dim // 2
    exponents = torch.arange(half, dtype=torch.float32, device=steps.device) / half
    angles = steps.float()[:, None] * torch.exp(-math.log(10_000.0) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class _Down(nn.Module):
    def __init__(self, c_in: int, c_out: int, stride: int, res: ConditionedBlock | None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1)
        self.res = res


class _Up(nn.Module):
    def __init__(self, c_in: int, c_out: int, config: UnetConfig) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1)
        self.res = ConditionedBlock(2 * c_out, config.groups, config.condition_dim)
        self.reduce = nn.Conv2d(2 * c_out, c_out, 1)

    def forward(self, x: Tensor, skip: Tensor, condition: Tensor) -> Tensor:
        h = cropped(self.conv(x), skip.shape[2], skip.shape[3])
        found: Tensor = self.reduce(self.res(torch.cat([h, skip], dim=1), condition))
        return found


class _Output(nn.Module):
    def __init__(self, channels: int, c_out: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.conv = nn.Conv2d(channels, c_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(functional.silu(self.norm(x)))
        return found


class LatentUnet(nn.Module):
    """The U-Net.

    Parameters
    ----------
    config
        Its channels.
    latent_channels
        Channels of a latent.
    """

    def __init__(self, config: UnetConfig, latent_channels: int) -> None:
        super().__init__()
        self.config = config
        channels, groups, dim = config.channels, config.groups, config.condition_dim
        self.time = nn.Sequential(nn.Linear(config.time_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.down = nn.ModuleList()
        for index, (c_in, c_out) in enumerate(zip((latent_channels, *channels[:-1]), channels, strict=True)):
            last = index == len(channels) - 1
            res = None if last else ConditionedBlock(c_out, groups, dim)
            self.down.append(_Down(c_in, c_out, 1 if index == 0 else 2, res))
        wide = channels[-1]
        self.middle = nn.ModuleList(
            [
                ConditionedBlock(wide, groups, dim),
                SelfAttention(wide, groups),
                ConditionedBlock(wide, groups, dim),
            ]
        )
        pairs = zip(channels[:0:-1], channels[-2::-1], strict=True)
        self.up = nn.ModuleList(_Up(c_in, c_out, config) for c_in, c_out in pairs)
        self.output = _Output(channels[0], latent_channels, groups)

    def forward(self, latent: Tensor, steps: Tensor, keywords: Tensor) -> Tensor:
        """Return the noise in latents, of their shape.

        Parameters
        ----------
        latent
            ``(batch, channels, bands, frames)``, of unit variance, with noise.
        steps
            How much noise: steps from 0 to ``n_steps - 1``, ``(batch,)``.
        keywords
            What `KeywordEncoder` makes of the keywords, ``(batch, condition_dim)``.
        """
        condition = self.time(step_embedding(steps, self.config.time_dim)) + keywords
        h, skips = latent, []
        for down in self.down:
            assert isinstance(down, _Down)
            h = down.conv(h)
            if down.res is not None:
                h = down.res(h, condition)
                skips.append(h)
        first, attention, last = self.middle
        h = last(attention(first(h, condition)), condition)
        for up in self.up:
            h = up(h, skips.pop(), condition)
        found: Tensor = self.output(h)
        return found


class KeywordEncoder(nn.Module):
    """From keywords to a condition: the mean of their embeddings, or one of its own without any.

    Parameters
    ----------
    config
        The vocabulary.
    condition_dim
        Length of the condition.

    Examples
    --------
    >>> encoder = KeywordEncoder(KeywordConfig(words=("deep", "hard")), 256)
    >>> encoder.encode([[0, 1], []]).shape
    torch.Size([2, 256])
    """

    def __init__(self, config: KeywordConfig, condition_dim: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(len(config.words), config.embedding_dim)
        self.null_embedding = nn.Parameter(torch.randn(config.embedding_dim))
        self.projection = nn.Linear(config.embedding_dim, condition_dim)

    def forward(self, weights: Tensor) -> Tensor:
        """Return conditions ``(batch, condition_dim)``.

        Parameters
        ----------
        weights
            ``(batch, n_words)``: of each kick 1 / n at its n keywords, and zeros.
        """
        mean = weights @ self.embedding.weight
        empty = (weights.sum(1, keepdim=True) == 0).to(mean.dtype)
        found: Tensor = self.projection(mean + empty * self.null_embedding)
        return found

    def encode(self, keywords: Sequence[Sequence[int]]) -> Tensor:
        """Return conditions of the numbers of keywords."""
        weights = torch.zeros(len(keywords), len(self.config.words))
        for row, numbers in enumerate(keywords):
            for number in numbers:
                weights[row, number] = 1 / len(numbers)
        conditions: Tensor = self(weights.to(self.null_embedding.device))
        return conditions


class Denoiser(nn.Module):
    """The U-Net and the encoder of keywords, which are trained together.

    Parameters
    ----------
    config
        All parts.
    """

    def __init__(self, config: MelDiffusionConfig) -> None:
        super().__init__()
        self.unet = LatentUnet(config.unet, config.vae.latent_channels)
        self.keywords = KeywordEncoder(config.keywords, config.unet.condition_dim)

    def forward(self, latent: Tensor, steps: Tensor, weights: Tensor) -> Tensor:
        """Return the noise in latents; see `LatentUnet.forward` and `KeywordEncoder.forward`."""
        found: Tensor = self.unet(latent, steps, self.keywords(weights))
        return found
