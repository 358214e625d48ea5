"""The shape of band-split networks. Reading it needs no torch."""

import math
from itertools import accumulate
from typing import Self

from pydantic import Field, model_validator

from neurdsp.config import Config

__all__ = ["ARCHITECTURE", "RESIDUAL", "BandSplitConfig"]

#: The name of these networks in model files.
ARCHITECTURE = "drumsep.band_split"

#: Name of what is in no stem.
RESIDUAL = "residual"

#: The engine bounds what it allocates for a file.
MAX_PARAMETERS = 1 << 24

_BANDS = (2,) * 8 + (4,) * 6 + (8,) * 4 + (16,) * 4 + (32,) * 4 + (64, 64, 96, 128, 160, 249)


class BandSplitConfig(Config):
    """A causal band-split network: its transform, its bands, its layers and its stems.

    The frames of analysis are longer than those of synthesis, which end with them, so the latency is that of
    the short ones: two hops.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int
        Samples of a frame of analysis.
    hop_length : int
        Distance of frames, in samples.
    stems : tuple of str
        Names of the stems in the order of the network's output; what is in none of them comes behind.
    bands : tuple of int
        Bins of each band, from zero hertz on; together ``n_fft // 2 + 1``.
    n_phase_bins : int
        Bins, from zero hertz on, whose phase the network sees and whose masks are complex; it ends with a
        band.
    mask_group : int
        Bins that share a mask in the bands above.
    width : int
        Features of a band.
    hidden : int
        Units of the recurrence over time, for each band.
    mixer : int
        Units of the layer that mixes the bands.
    n_blocks : int
        Blocks of a recurrence and a mixer.
    head : int
        Units of a band in front of its masks.

    Examples
    --------
    >>> config = BandSplitConfig()
    >>> config.latency_samples
    512
    >>> config.outputs[-1]
    'residual'
    """

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    n_fft: int = Field(2048, ge=64, le=1 << 14)
    hop_length: int = Field(256, ge=16, le=1 << 13)
    stems: tuple[str, ...] = Field(("kick", "snare", "toms", "hihat", "cymbals"), min_length=1, max_length=16)
    bands: tuple[int, ...] = Field(_BANDS, min_length=1, max_length=256)
    n_phase_bins: int = Field(264, ge=0)
    mask_group: int = Field(4, ge=1, le=64)
    width: int = Field(64, ge=1, le=512)
    hidden: int = Field(64, ge=1, le=512)
    mixer: int = Field(64, ge=1, le=512)
    n_blocks: int = Field(5, ge=1, le=32)
    head: int = Field(80, ge=1, le=512)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({*self.stems, RESIDUAL}) <= len(self.stems):
            raise ValueError(
                f"stems are {list(self.stems)}, but each name may stand there once, and not '{RESIDUAL}'"
            )
        if self.n_fft % 2 or self.n_fft < 2 * self.hop_length:
            raise ValueError(
                f"n_fft is {self.n_fft}, but it must be even and at least two hops, {2 * self.hop_length}"
            )
        if min(self.bands) < 1 or sum(self.bands) != self.n_bins:
            raise ValueError(f"bands have {sum(self.bands)} bins, but n_fft {self.n_fft} has {self.n_bins}")
        if self.n_phase_bins not in self.edges:
            raise ValueError(f"n_phase_bins is {self.n_phase_bins}, but it must be where a band ends")
        if self.n_parameters > MAX_PARAMETERS:
            raise ValueError(f"the network has {self.n_parameters} parameters; at most {MAX_PARAMETERS} fit")
        return self

    @property
    def n_bins(self) -> int:
        """Bins of a frame."""
        return self.n_fft // 2 + 1

    @property
    def latency_samples(self) -> int:
        """By how much the stems lag behind the recording when it comes in blocks."""
        return 2 * self.hop_length

    @property
    def edges(self) -> tuple[int, ...]:
        """First bin of each band, and the number of bins."""
        return tuple(accumulate(self.bands, initial=0))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Stems, then the residual."""
        return (*self.stems, RESIDUAL)

    def has_phase(self, band: int) -> bool:
        """Return whether the masks of a band are complex."""
        return self.edges[band] < self.n_phase_bins

    def n_inputs(self, band: int) -> int:
        """Return the features of the spectrum that a band sees."""
        return self.bands[band] * (4 if self.has_phase(band) else 2)

    def n_masks(self, band: int) -> int:
        """Return the masks of one output in a band, each for one bin or group of bins."""
        group = 1 if self.has_phase(band) else self.mask_group
        return -(-self.bands[band] // group)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor by its name in the state of the network."""
        shapes: dict[str, tuple[int, ...]] = {}
        n_bands, outputs = len(self.bands), len(self.outputs)
        for band in range(n_bands):
            shapes[f"encoders.{band}.weight"] = (self.width, self.n_inputs(band))
            shapes[f"encoders.{band}.bias"] = (self.width,)
        for index in range(self.n_blocks):
            block = f"blocks.{index}"
            shapes[f"{block}.time_norm.weight"] = (self.width,)
            shapes[f"{block}.time_in.weight"] = (3 * self.hidden, self.width)
            shapes[f"{block}.time_in.bias"] = (3 * self.hidden,)
            shapes[f"{block}.time_out.weight"] = (self.width, self.hidden)
            shapes[f"{block}.time_out.bias"] = (self.width,)
            shapes[f"{block}.band_norm.weight"] = (self.width,)
            shapes[f"{block}.band_in.weight"] = (self.mixer, n_bands)
            shapes[f"{block}.band_in.bias"] = (self.mixer,)
            shapes[f"{block}.band_out.weight"] = (n_bands, self.mixer)
        shapes["head_norm.weight"] = (self.width,)
        shapes["head.weight"] = (n_bands, self.head, self.width)
        shapes["head.bias"] = (n_bands, self.head)
        for band in range(n_bands):
            rows = self.n_masks(band) * outputs * (3 if self.has_phase(band) else 1)
            shapes[f"decoders.{band}.weight"] = (rows, self.head)
            shapes[f"decoders.{band}.bias"] = (rows,)
        return shapes

    @property
    def n_parameters(self) -> int:
        """Number of trained values."""
        return sum(math.prod(shape) for shape in self.parameter_shapes.values())

    @property
    def macs_per_second(self) -> float:
        """Multiplications of a second of one channel, without those of the transforms."""
        n_bands, macs = len(self.bands), 0
        for name, shape in self.parameter_shapes.items():
            if name.startswith(("encoders", "decoders", "head.")) and name.endswith("weight"):
                macs += math.prod(shape)
        macs += self.n_blocks * n_bands * (4 * self.hidden * self.width + 2 * self.mixer * self.width)
        return macs * self.sample_rate / self.hop_length
