"""The shape of MDX23C networks (TFC-TDF v3), and the public YAML files that describe them. Needs no torch."""

import math
import os
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from neurdsp.config import Config, build, load_yaml
from neurdsp.errors import ConfigError

__all__ = ["STEM_ALIASES", "Compatibility", "TfcTdfConfig", "read_mdx23c_yaml"]

#: Names of stems in public configurations, and what they are called here.
STEM_ALIASES = {"hh": "hihat", "hi-hat": "hihat", "bombo": "kick", "redoblante": "snare"}

Compatibility = Literal["msst", "audio-separator"]
"""Whose chunks: those of ZFTurbo's Music-Source-Separation-Training, or of audio-separator."""

MAX_PARAMETERS = 1 << 30
MAX_CHUNK_SAMPLES = 1 << 24


class TfcTdfConfig(Config):
    """A TFC-TDF v3 network: its transform, its layers and its stems.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    audio_channels : int
        Channels of the recording and of each stem.
    n_fft, hop_length : int
        Length of the transform and distance of its frames, in samples.
    n_bins : int
        Bins that the network sees, from zero hertz on; the others are zero in its output.
    chunk_samples : int
        Samples that the network sees at a time.
    inference_frames : int
        Frames of a chunk as audio-separator takes it; 0 means those of ``chunk_samples``.
    stems : tuple of str
        Names of the stems in the order of the network's output.
    n_subbands : int
        Bands that the bins are split into; each becomes a channel.
    channels, growth : int
        Channels of the first scale, and how many each further scale adds.
    n_scales, n_blocks : int
        Scales, and TFC-TDF blocks in each.
    scale : tuple of int
        Factor in time and in frequency from one scale to the next.
    bottleneck_factor : int
        How many times narrower the inner layer of a TDF is.
    activation : str
        ``gelu`` or ``relu``.
    n_overlaps : int
        Chunks that overlap at each sample, as the network's own configuration has it.
    batch_size : int
        Chunks that the network gets at a time, as its own configuration has it.
    min_mean_abs : float
        Chunks below this mean absolute value are skipped by the network's own program.
    normalize : bool
        Whether a recording is normalised before it is separated.

    Examples
    --------
    >>> TfcTdfConfig().n_parameters
    109376576
    >>> TfcTdfConfig().n_frames
    1024
    """

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    audio_channels: int = Field(2, ge=1, le=2)
    n_fft: int = Field(2048, ge=64, le=1 << 16)
    hop_length: int = Field(512, ge=1)
    n_bins: int = Field(1024, ge=1)
    chunk_samples: int = Field(523_776, ge=1, le=MAX_CHUNK_SAMPLES)
    inference_frames: int = Field(0, ge=0, le=1 << 16)
    stems: tuple[str, ...] = Field(("kick", "snare", "toms", "hihat", "cymbals"), min_length=1, max_length=64)
    n_subbands: int = Field(4, ge=1, le=64)
    channels: int = Field(128, ge=1, le=2048)
    growth: int = Field(128, ge=0, le=2048)
    n_scales: int = Field(5, ge=0, le=10)
    n_blocks: int = Field(2, ge=1, le=16)
    scale: tuple[int, int] = (2, 2)
    bottleneck_factor: int = Field(4, ge=1, le=64)
    activation: Literal["gelu", "relu"] = "gelu"
    n_overlaps: int = Field(4, ge=1, le=64)
    batch_size: int = Field(1, ge=1, le=1024)
    min_mean_abs: float = Field(0.0, ge=0)
    normalize: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        time, frequency = self.scale
        if not (1 <= time <= 8 and 1 <= frequency <= 8):
            raise ValueError(f"scale is {list(self.scale)}, but both factors must be from 1 to 8")
        if len({*self.stems}) < len(self.stems):
            raise ValueError(f"stems are {list(self.stems)}, but each name may stand there once")
        if self.hop_length > self.n_fft // 2:
            raise ValueError(f"hop_length is {self.hop_length}, but n_fft {self.n_fft} allows half of it")
        if self.n_bins > self.n_fft // 2 + 1:
            raise ValueError(f"n_bins is {self.n_bins}, but n_fft {self.n_fft} has {self.n_fft // 2 + 1}")
        step = self.n_subbands * frequency**self.n_scales
        if self.n_bins % step:
            raise ValueError(
                f"n_bins is {self.n_bins}, but {self.n_subbands} sub-bands and {self.n_scales} scales need a "
                f"multiple of {step}"
            )
        if self.band_bins[-1] < self.bottleneck_factor:
            raise ValueError(
                f"bottleneck_factor is {self.bottleneck_factor}, but the last scale has {self.band_bins[-1]} "
                "bins"
            )
        if self.chunk_samples < self.n_fft:
            raise ValueError(f"chunk_samples is {self.chunk_samples}, but one frame has {self.n_fft} samples")
        for frames in {self.n_frames, self.inference_frames} - {0}:
            if frames % self.frame_multiple:
                raise ValueError(
                    f"a chunk has {frames} frames, but {self.n_scales} scales need a multiple of "
                    f"{self.frame_multiple}; take a chunk of {self._nearest_chunk(frames)} samples"
                )
        if self.n_parameters > MAX_PARAMETERS:
            raise ValueError(f"the network has {self.n_parameters} parameters; at most {MAX_PARAMETERS} fit")
        return self

    def _nearest_chunk(self, frames: int) -> int:
        multiple = self.frame_multiple
        return (max(round(frames / multiple), 1) * multiple - 1) * self.hop_length

    @property
    def n_frames(self) -> int:
        """Frames of a chunk."""
        return self.chunk_samples // self.hop_length + 1

    @property
    def frame_multiple(self) -> int:
        """Frames of a chunk are a multiple of this."""
        return int(self.scale[0] ** self.n_scales)

    @property
    def band_bins(self) -> tuple[int, ...]:
        """Bins of a sub-band at each scale, the bottleneck last."""
        bins = self.n_bins // self.n_subbands
        return tuple(bins // self.scale[1] ** scale for scale in range(self.n_scales + 1))

    @property
    def scale_channels(self) -> tuple[int, ...]:
        """Channels at each scale, the bottleneck last."""
        return tuple(self.channels + self.growth * scale for scale in range(self.n_scales + 1))

    @property
    def complex_channels(self) -> int:
        """Channels of a spectrum in sub-bands: both parts of each audio channel and band."""
        return 2 * self.audio_channels * self.n_subbands

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor by its name in the state of the network."""
        shapes: dict[str, tuple[int, ...]] = {
            "first_conv.weight": (self.channels, self.complex_channels, 1, 1)
        }
        (time, frequency), channels, bins = self.scale, self.scale_channels, self.band_bins
        for index in range(self.n_scales):
            block, c, wider = f"encoder_blocks.{index}", channels[index], channels[index + 1]
            shapes |= self._tfc_tdf(f"{block}.tfc_tdf", c, c, bins[index])
            shapes |= _norm(f"{block}.downscale.conv.0", c)
            shapes[f"{block}.downscale.conv.2.weight"] = (wider, c, time, frequency)
        shapes |= self._tfc_tdf("bottleneck_block", channels[-1], channels[-1], bins[-1])
        for index in range(self.n_scales):
            scale = self.n_scales - 1 - index
            block, c, wider = f"decoder_blocks.{index}", channels[scale], channels[scale + 1]
            shapes |= _norm(f"{block}.upscale.conv.0", wider)
            shapes[f"{block}.upscale.conv.2.weight"] = (wider, c, time, frequency)
            shapes |= self._tfc_tdf(f"{block}.tfc_tdf", 2 * c, c, bins[scale])
        shapes["final_conv.0.weight"] = (self.channels, self.channels + self.complex_channels, 1, 1)
        shapes["final_conv.2.weight"] = (len(self.stems) * self.complex_channels, self.channels, 1, 1)
        return shapes

    def _tfc_tdf(self, name: str, c_in: int, c: int, bins: int) -> dict[str, tuple[int, ...]]:
        shapes, inner = dict[str, tuple[int, ...]](), bins // self.bottleneck_factor
        for index in range(self.n_blocks):
            block, width = f"{name}.blocks.{index}", c_in if index == 0 else c
            shapes |= _norm(f"{block}.tfc1.0", width)
            shapes[f"{block}.tfc1.2.weight"] = (c, width, 3, 3)
            shapes |= _norm(f"{block}.tdf.0", c)
            shapes[f"{block}.tdf.2.weight"] = (inner, bins)
            shapes |= _norm(f"{block}.tdf.3", c)
            shapes[f"{block}.tdf.5.weight"] = (bins, inner)
            shapes |= _norm(f"{block}.tfc2.0", c)
            shapes[f"{block}.tfc2.2.weight"] = (c, c, 3, 3)
            shapes[f"{block}.shortcut.weight"] = (c, width, 1, 1)
        return shapes

    @property
    def n_parameters(self) -> int:
        """Number of trained values."""
        return sum(math.prod(shape) for shape in self.parameter_shapes.values())

    def chunk_for(self, compatibility: Compatibility) -> int:
        """Return the samples of a chunk as another program takes it."""
        if compatibility == "audio-separator" and self.inference_frames:
            return self.hop_length * (self.inference_frames - 1)
        return self.chunk_samples


def _norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def read_mdx23c_yaml(path: str | os.PathLike[str]) -> TfcTdfConfig:
    """Read the YAML file that comes with a public MDX23C checkpoint.

    Parameters
    ----------
    path
        The file, as Music-Source-Separation-Training writes it: ``audio``, ``model``, ``training`` and
        ``inference``. Tags of Python tuples are read as data; nothing in the file is run.

    Returns
    -------
    TfcTdfConfig
        The shape of the network.

    Raises
    ------
    ConfigError
        If the file cannot be read, lacks a value, or describes another kind of network.

    Examples
    --------
    >>> read_mdx23c_yaml("config_mdx23c.yaml").stems  # doctest: +SKIP
    ('kick', 'snare', 'toms', 'hihat', 'cymbals')
    """
    tree, source = load_yaml(path), os.fspath(path)
    audio, model, training = (_section(tree, name, source) for name in ("audio", "model", "training"))
    inference = tree.get("inference") or {}
    if not isinstance(inference, Mapping):
        raise ConfigError(f"{source}: 'inference' must hold keys, such as num_overlap: 4")
    norm, activation = str(model.get("norm", "InstanceNorm")), str(model.get("act", "gelu"))
    if norm != "InstanceNorm":
        raise ConfigError(f"{source}: 'model.norm' is '{norm}', but only InstanceNorm networks are supported")
    target = training.get("target_instrument")
    instruments = [target] if target else _value(training, "instruments", f"{source}: 'training")
    if not isinstance(instruments, list | tuple):
        raise ConfigError(f"{source}: 'training.instruments' must be a list of names, such as [kick, snare]")
    names = [str(name).strip().lower() for name in instruments]
    fields = {
        "sample_rate": ("audio", audio, "sample_rate"),
        "audio_channels": ("audio", audio, "num_channels"),
        "n_fft": ("audio", audio, "n_fft"),
        "hop_length": ("audio", audio, "hop_length"),
        "n_bins": ("audio", audio, "dim_f"),
        "n_subbands": ("model", model, "num_subbands"),
        "channels": ("model", model, "num_channels"),
        "growth": ("model", model, "growth"),
        "n_scales": ("model", model, "num_scales"),
        "n_blocks": ("model", model, "num_blocks_per_scale"),
        "scale": ("model", model, "scale"),
        "bottleneck_factor": ("model", model, "bottleneck_factor"),
    }
    values = {field: _value(keys, key, f"{source}: '{part}") for field, (part, keys, key) in fields.items()}
    values |= {
        # ZFTurbo's rule: the chunk of the inference, if there is one.
        "chunk_samples": inference.get("chunk_size") or _value(audio, "chunk_size", f"{source}: 'audio"),
        "inference_frames": inference.get("dim_t") or 0,
        "n_overlaps": inference.get("num_overlap") or 4,
        "batch_size": inference.get("batch_size") or 1,
        "normalize": bool(inference.get("normalize") or False),
        "min_mean_abs": audio.get("min_mean_abs") or 0.0,
        "stems": tuple(STEM_ALIASES.get(name, name) for name in names),
        "activation": activation,
    }
    return build(TfcTdfConfig, values, source=source)


def _section(tree: Mapping[str, Any], name: str, source: str) -> Mapping[str, Any]:
    section = tree.get(name)
    if isinstance(section, Mapping):
        return section
    raise ConfigError(
        f"{source}: has no '{name}', so it does not describe an MDX23C network; give the YAML file that came "
        "with the checkpoint"
    )


def _value(section: Mapping[str, Any], key: str, place: str) -> Any:
    if key in section:
        return section[key]
    raise ConfigError(f"{place}.{key}' is missing; give the YAML file that came with the checkpoint")
