"""The linear map between packed codes and latents: principal components of each part of the code.

Curves of pitch and level vary smoothly together, so a hundred components hold what 1,616 numbers say, and
finding them takes seconds. Each part has components of its own, so a kick may combine what no kick of the
training set has together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick import code as layout
from neurdsp.kick.code import KickCode
from neurdsp.kick.hybrid.config import PartConfig

__all__ = ["Basis", "importance"]

Array = NDArray[np.float64]
_FLATTEN = 0.75
_CONSTANT = 1000.0
"""Beside it the other neurons are small, so that the norm of a decoder scales them all alike."""


@dataclass(frozen=True)
class Basis:
    """Principal components of packed codes.

    Parameters
    ----------
    mean
        Of packed codes, ``(1616,)``.
    encoders, decoders
        Of each part: from numbers to latents ``(latent, size)``, and back ``(size, latent)``.
    explained
        Which share of the weighted variance of each part they hold.
    """

    mean: Array
    encoders: tuple[Array, ...]
    decoders: tuple[Array, ...]
    explained: tuple[float, ...]

    @classmethod
    def of(cls, codes: KickCode, chances: Array, parts: Sequence[PartConfig]) -> "Basis":
        """Find the components of codes.

        Parameters
        ----------
        codes
            Many codes.
        chances
            How often each counts, ``(n,)``, in sum 1.
        parts
            Sizes of the parts and of their latents.
        """
        packed = codes.packed().astype(np.float64)
        scale = np.sqrt(importance(codes).mean(axis=0))
        mean = chances @ packed
        encoders, decoders, explained = [], [], []
        start = 0
        for part in parts:
            numbers = slice(start, start + part.size)
            start += part.size
            centred = (packed[:, numbers] - mean[numbers]) * scale[numbers]
            variance, axes = np.linalg.eigh((centred * chances[:, None]).T @ centred)
            variance, axes = variance[::-1][: part.latent], axes[:, ::-1][:, : part.latent]
            explained.append(float(variance.sum() / ((centred**2).T @ chances).sum()))
            # Later components are left smaller, so that what is heard most counts most in training too.
            spread = np.sqrt(np.maximum(variance, 1e-9))
            spread = spread**_FLATTEN * spread[0] ** (1 - _FLATTEN)
            encoders.append((axes / spread).T * scale[numbers])
            decoders.append(axes * spread / scale[numbers, None])
        return cls(mean, tuple(encoders), tuple(decoders), tuple(explained))

    def encode(self, packed: NDArray[np.floating]) -> Array:
        """Return latents ``(n, D)`` of packed codes ``(n, 1616)``."""
        found, start = [], 0
        for encoder in self.encoders:
            stop = start + encoder.shape[1]
            found.append((packed[:, start:stop] - self.mean[start:stop]) @ encoder.T)
            start = stop
        return np.concatenate(found, axis=1)

    def decode(self, latent: NDArray[np.floating]) -> Array:
        """Return packed codes ``(n, 1616)`` of latents ``(n, D)``."""
        found, start = [], 0
        for decoder in self.decoders:
            stop = start + decoder.shape[1]
            found.append(latent[:, start:stop] @ decoder.T)
            start = stop
        return np.concatenate(found, axis=1) + self.mean

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the decoders of a model file: its blocks do nothing, and its norms are kept from bending.

        A latent enters with both signs, so that the mean is 0, beside a large constant, so that the deviation
        hardly depends on it: the error is below 1e-4.
        """
        made: dict[str, NDArray[np.floating]] = {}
        start = 0
        for p, decoder in enumerate(self.decoders):
            size, latent = decoder.shape
            width = 2 * latent + 2
            name = f"decoder.{p}"
            inward = np.zeros((width, latent))
            inward[:latent], inward[latent : 2 * latent] = np.eye(latent), -np.eye(latent)
            bias = np.zeros(width)
            bias[-2:] = _CONSTANT, -_CONSTANT
            outward = np.zeros((size, width))
            outward[:, :latent], outward[:, latent : 2 * latent] = decoder / 2, -decoder / 2
            made |= {f"{name}.input.weight": inward, f"{name}.input.bias": bias}
            for i in range(2):
                block = f"{name}.blocks.{i}"
                made |= {f"{block}.norm.weight": np.ones(width), f"{block}.norm.bias": np.zeros(width)}
                for layer in ("up", "down"):
                    made |= {
                        f"{block}.{layer}.weight": np.zeros((width, width)),
                        f"{block}.{layer}.bias": np.zeros(width),
                    }
            deviation = np.sqrt(2 * _CONSTANT**2 / width + 1e-5)
            # Stored in half precision, so its rounding is taken from the matrix.
            gain = np.float64(np.float16(deviation))
            made |= {f"{name}.norm.weight": np.full(width, gain), f"{name}.norm.bias": np.zeros(width)}
            made |= {f"{name}.output.weight": outward * deviation / gain}
            made |= {f"{name}.output.bias": self.mean[start : start + size]}
            start += size
        return {key: np.ascontiguousarray(value, np.float32) for key, value in made.items()}


def importance(codes: KickCode) -> NDArray[np.float32]:
    """Return the weight of each packed number, ``(n, 1616)``: what is heard counts."""
    n, level = len(codes.phase), codes.log_a
    active = 1 / (1 + np.exp(-(level + 6.5) / 0.7))
    loudest = np.clip((np.maximum(level.max(-1), -6) + 6) / 6, 0, 1)

    def noise(levels: NDArray[np.float32]) -> NDArray[np.floating]:
        return np.where(levels > layout.SILENT_NOISE + 0.3, 0.35, 0.1).reshape(n, -1)

    parts = [
        3 * (2 * active + 0.02).reshape(n, -1),
        np.where(level > layout.SILENT_PARTIAL + 0.3, 1.0, 0.25).reshape(n, -1),
        0.3 * np.concatenate([loudest, loudest], axis=1),
        np.full((n, 8), 0.5),
        np.where(codes.drive > 0.3, 0.5, 0.02),
        noise(codes.low),
        noise(codes.noise),
        np.full((n, layout.PACKED_TRANSIENT), 0.5),
        noise(codes.fine),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)
