"""Blocks that the VAE and the U-Net share."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ConditionedBlock", "ResBlock", "SelfAttention", "cropped"]


class ResBlock(nn.Module):
    """Two convolutions, each after a group norm and SiLU, added to the input.

    Parameters
    ----------
    channels, groups
        Of the input and the output, and of each normalisation.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, channels, height, width)`` as the input."""
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        found: Tensor = x + h
        return found


class ConditionedBlock(nn.Module):
    """A residual block that adds a projection of the condition between its convolutions.

    Parameters
    ----------
    channels, groups
        As for `ResBlock`.
    condition_dim
        Length of the condition.
    """

    def __init__(self, channels: int, groups: int, condition_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.condition = nn.Linear(condition_dim, channels)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return ``(batch, channels, height, width)`` for a condition ``(batch, condition_dim)``."""
        h = self.conv1(functional.silu(self.norm1(x)))
        h = h + self.condition(functional.silu(condition))[:, :, None, None]
        h = self.conv2(functional.silu(self.norm2(h)))
        found: Tensor = x + h
        return found


class SelfAttention(nn.Module):
    """Self-attention of one head over all positions, added to the input.

    Parameters
    ----------
    channels, groups
        As for `ResBlock`.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.output = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, channels, height, width)`` as the input."""
        q, k, v = self.qkv(self.norm(x)).flatten(2).chunk(3, dim=1)  # each (batch, channels, positions)
        scores = q.transpose(1, 2) @ k / q.shape[1] ** 0.5  # (batch, of, to)
        mixed = v @ torch.softmax(scores, dim=-1).transpose(1, 2)
        found: Tensor = x + self.output(mixed.reshape(x.shape))
        return found


def cropped(x: Tensor, height: int, width: int) -> Tensor:
    """Return the first rows and columns of ``(batch, channels, height, width)``."""
    return x[:, :, :height, :width]
