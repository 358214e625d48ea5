"""The shapes of the networks that make a kick by latent diffusion of mel spectrograms. Needs no torch.

A mel spectrogram goes through a VAE to a latent; a U-Net makes latents from noise and keywords; a HiFi-GAN
makes audio of mel spectrograms. The defaults are those of the preset ``seed``.
"""

import math
from typing import Any, Self

from pydantic import Field, model_validator

from neurdsp.config import Config

__all__ = [
    "ARCHITECTURE",
    "KeywordConfig",
    "MelConfig",
    "MelDiffusionConfig",
    "NoiseConfig",
    "UnetConfig",
    "VaeConfig",
    "VocoderConfig",
]

ARCHITECTURE = "kick.mel_diffusion"

Shapes = dict[str, tuple[int, ...]]

MAX_PARAMETERS = 1 << 28
MAX_WORDS = 4096


def _check_channels(channels: tuple[int, ...], groups: int) -> None:
    for count in channels:
        if not 1 <= count <= 2048 or count % groups:
            raise ValueError(
                f"channels are {[*channels]}, but each must be a multiple of groups, {groups}, up to 2048"
            )


def _conv(name: str, c_out: int, c_in: int, *kernel: int) -> Shapes:
    return {f"{name}.weight": (c_out, c_in, *kernel), f"{name}.bias": (c_out,)}


def _linear(name: str, n_out: int, n_in: int) -> Shapes:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def _norm(name: str, channels: int) -> Shapes:
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def _res_block(name: str, channels: int) -> Shapes:
    shapes: Shapes = {}
    for index in (1, 2):
        shapes |= _norm(f"{name}.norm{index}", channels) | _conv(
            f"{name}.conv{index}", channels, channels, 3, 3
        )
    return shapes


class MelConfig(Config):
    """The log-mel spectrogram: power, HTK filters without a norm, centred frames, padding by reflection.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_samples : int
        Samples of a kick.
    n_fft, hop_length : int
        Length of the transform and distance of its frames, in samples; the window is a periodic Hann window.
    n_mels : int
        Mel bands, from 0 Hz to half the sample rate.
    floor : float
        Least mel power; the logarithm is natural.

    Examples
    --------
    >>> MelConfig().n_frames
    173
    """

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    n_samples: int = Field(88_200, ge=1_024, le=1 << 20)
    n_fft: int = Field(2048, ge=64, le=1 << 14)
    hop_length: int = Field(512, ge=2, le=1 << 13)
    n_mels: int = Field(128, ge=8, le=512)
    floor: float = Field(1e-5, gt=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.hop_length > self.n_fft // 2 or self.hop_length % 2:
            raise ValueError(
                f"hop_length is {self.hop_length}, but it must be even and at most {self.n_fft // 2}, half "
                "of n_fft"
            )
        if self.n_samples <= self.n_fft // 2:
            raise ValueError(
                f"n_samples is {self.n_samples}, but n_fft {self.n_fft} needs more than half of it"
            )
        return self

    @property
    def n_frames(self) -> int:
        """Frames of a kick."""
        return self.n_samples // self.hop_length + 1

    @property
    def lead_samples(self) -> int:
        """Samples that a vocoder makes before the first of a kick.

        A frame is centred at a multiple of the hop, and so are the ``hop_length`` samples that a vocoder
        makes of it: the first half of the first frame's samples lies before the kick.
        """
        return self.hop_length // 2

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of `neurdsp.MelSpectrogram`."""
        return {
            "sr": self.sample_rate,
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "n_mels": self.n_mels,
            "htk": True,
            "norm": None,
            "pad_mode": "reflect",
            "log": "ln",
            "floor": self.floor,
        }


class VaeConfig(Config):
    """A convolutional VAE of mel spectrograms.

    Parameters
    ----------
    channels : tuple of int
        Channels of each stage of the encoder; each halves frames and bands, rounded up. The decoder mirrors
        them.
    latent_channels : int
        Channels of the latent.
    groups : int
        Groups of each normalisation.
    """

    channels: tuple[int, ...] = Field((32, 64, 128, 256), min_length=1, max_length=6)
    latent_channels: int = Field(4, ge=1, le=64)
    groups: int = Field(8, ge=1, le=64)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_channels(self.channels, self.groups)
        return self

    def latent_shape(self, mel: MelConfig) -> tuple[int, int, int]:
        """Return channels, bands and frames of a latent."""
        bands, frames = mel.n_mels, mel.n_frames
        for _ in self.channels:
            bands, frames = -(-bands // 2), -(-frames // 2)
        return self.latent_channels, bands, frames

    @property
    def parameter_shapes(self) -> Shapes:
        """Shape of each tensor by its name in the state of the network."""
        shapes: Shapes = {}
        c_in = 1
        for index, c in enumerate(self.channels):
            shapes |= _conv(f"encoder.stages.{index}.down", c, c_in, 3, 3)
            shapes |= _res_block(f"encoder.stages.{index}.res", c)
            c_in = c
        for name in ("mu", "logvar"):
            shapes |= _conv(f"encoder.{name}", self.latent_channels, c_in, 1, 1)
        shapes |= _conv("decoder.input", c_in, self.latent_channels, 1, 1)
        for index, (c, c_out) in enumerate(
            zip(self.channels[::-1], (*self.channels[-2::-1], 1), strict=True)
        ):
            shapes |= _res_block(f"decoder.stages.{index}.res", c)
            shapes[f"decoder.stages.{index}.up.weight"] = (c, c_out, 4, 4)
            shapes[f"decoder.stages.{index}.up.bias"] = (c_out,)
        return shapes


class UnetConfig(Config):
    """A U-Net that tells the noise in a latent.

    Parameters
    ----------
    channels : tuple of int
        Channels of each scale; each but the first halves the latent, rounded up.
    time_dim : int
        Sines and cosines of the step, together.
    condition_dim : int
        Length of the condition: the step's and the keywords' vectors, added.
    groups : int
        Groups of each normalisation.
    """

    channels: tuple[int, ...] = Field((64, 128, 256), min_length=2, max_length=6)
    time_dim: int = Field(64, ge=2, le=1024, multiple_of=2)
    condition_dim: int = Field(256, ge=1, le=4096)
    groups: int = Field(8, ge=1, le=64)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_channels(self.channels, self.groups)
        return self

    def parameter_shapes(self, latent_channels: int) -> Shapes:
        """Return the shape of each tensor by its name in the state of the network."""
        wide = self.channels[-1]
        shapes = _linear("time.0", self.condition_dim, self.time_dim)
        shapes |= _linear("time.2", self.condition_dim, self.condition_dim)
        c_in = latent_channels
        for index, c in enumerate(self.channels):
            shapes |= _conv(f"down.{index}.conv", c, c_in, 3, 3)
            if index < len(self.channels) - 1:
                shapes |= self._block(f"down.{index}.res", c)
            c_in = c
        shapes |= self._block("middle.0", wide) | _norm("middle.1.norm", wide)
        shapes |= _conv("middle.1.qkv", 3 * wide, wide, 1, 1) | _conv("middle.1.output", wide, wide, 1, 1)
        shapes |= self._block("middle.2", wide)
        for index, c in enumerate(self.channels[-2::-1]):
            shapes[f"up.{index}.conv.weight"] = (c_in, c, 4, 4)
            shapes[f"up.{index}.conv.bias"] = (c,)
            shapes |= self._block(f"up.{index}.res", 2 * c)
            shapes |= _conv(f"up.{index}.reduce", c, 2 * c, 1, 1)
            c_in = c
        return shapes | _norm("output.norm", c_in) | _conv("output.conv", latent_channels, c_in, 3, 3)

    def _block(self, name: str, channels: int) -> Shapes:
        return _res_block(name, channels) | _linear(f"{name}.condition", channels, self.condition_dim)


class KeywordConfig(Config):
    """The encoder of keywords: the mean of their embeddings, projected to the condition.

    Parameters
    ----------
    words : tuple of str
        The vocabulary; the position of a word is its number.
    embedding_dim : int
        Length of an embedding.
    """

    words: tuple[str, ...] = Field((), max_length=MAX_WORDS)
    embedding_dim: int = Field(64, ge=1, le=1024)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for word in self.words:
            if not word or len(word) > 64 or not word.isprintable() or word != word.strip().lower():
                raise ValueError(f"the word {word!r} must be lower-case text of 1 to 64 characters")
        if len({*self.words}) < len(self.words):
            raise ValueError("words holds a word twice; each may stand there once")
        return self

    def parameter_shapes(self, condition_dim: int) -> Shapes:
        """Return the shape of each tensor by its name in the state of the network."""
        shapes: Shapes = {
            "embedding.weight": (len(self.words), self.embedding_dim),
            "null_embedding": (self.embedding_dim,),
        }
        return shapes | _linear("projection", condition_dim, self.embedding_dim)


class VocoderConfig(Config):
    """A HiFi-GAN generator.

    Parameters
    ----------
    channels : int
        Channels before the first upsampling; each halves them.
    upsample_rates, upsample_kernels : tuple of int
        Factor and kernel of each upsampling; the factors multiply to the hop.
    resblock_kernels, resblock_dilations : tuple of int
        Kernels of the residual blocks after each upsampling, and the dilations in each block.
    """

    channels: int = Field(256, ge=2, le=1024)
    upsample_rates: tuple[int, ...] = Field((8, 8, 2, 2, 2), min_length=1, max_length=8)
    upsample_kernels: tuple[int, ...] = Field((16, 16, 4, 4, 4), min_length=1, max_length=8)
    resblock_kernels: tuple[int, ...] = Field((3, 7, 11), min_length=1, max_length=4)
    resblock_dilations: tuple[int, ...] = Field((1, 3, 5), min_length=1, max_length=4)

    @model_validator(mode="after")
    def _check(self) -> Self:
        pairs = [*zip(self.upsample_rates, self.upsample_kernels, strict=False)]
        if len(self.upsample_rates) != len(self.upsample_kernels):
            raise ValueError(
                f"there are {len(self.upsample_rates)} upsample_rates and {len(self.upsample_kernels)} "
                "upsample_kernels; give as many of both"
            )
        if any(
            not (1 < rate <= 32 and rate <= kernel <= 64) or (kernel - rate) % 2 for rate, kernel in pairs
        ):
            raise ValueError(
                "upsample_rates must be from 2 to 32, and each kernel longer than its rate by an even "
                "number, up to 64"
            )
        if self.channels % 2 ** len(pairs):
            raise ValueError(f"channels is {self.channels}, but must be a multiple of {2 ** len(pairs)}")
        if any(not 1 <= kernel <= 31 or kernel % 2 == 0 for kernel in self.resblock_kernels):
            raise ValueError(
                f"resblock_kernels are {[*self.resblock_kernels]}, but must be odd, from 1 to 31"
            )
        if any(not 1 <= dilation <= 64 for dilation in self.resblock_dilations):
            raise ValueError(f"resblock_dilations are {[*self.resblock_dilations]}, but must be from 1 to 64")
        return self

    @property
    def hop_length(self) -> int:
        """Samples that are made of a frame."""
        return math.prod(self.upsample_rates)

    def parameter_shapes(self, n_mels: int) -> Shapes:
        """Return the shape of each tensor by its name in a model file, weight norms folded."""
        c = self.channels
        shapes = _conv("conv_pre", c, n_mels, 7)
        n_kernels = len(self.resblock_kernels)
        for index, kernel in enumerate(self.upsample_kernels):
            shapes[f"ups.{index}.weight"] = (c, c // 2, kernel)
            shapes[f"ups.{index}.bias"] = (c // 2,)
            c //= 2
            for which, size in enumerate(self.resblock_kernels):
                for part in ("convs1", "convs2"):
                    for layer in range(len(self.resblock_dilations)):
                        name = f"resblocks.{index * n_kernels + which}.{part}.{layer}"
                        shapes |= _conv(name, c, c, size)
        return shapes | _conv("conv_post", 1, c, 7)


class NoiseConfig(Config):
    """The noise that a latent gets: variances that rise linearly over the steps.

    Parameters
    ----------
    n_steps : int
        Steps from a latent to noise.
    beta_start, beta_end : float
        Variance that the first and the last step add.
    """

    n_steps: int = Field(1000, ge=2, le=10_000)
    beta_start: float = Field(1e-4, gt=0, lt=1)
    beta_end: float = Field(0.02, gt=0, lt=1)


class MelDiffusionConfig(Config):
    """All that makes a kick from keywords and noise.

    Parameters
    ----------
    mel, vae, unet, keywords, vocoder, noise
        The parts.

    Examples
    --------
    >>> config = MelDiffusionConfig()
    >>> config.vae.latent_shape(config.mel)
    (4, 8, 11)
    >>> config.n_parameters("vae"), config.n_parameters("unet"), config.n_parameters("vocoder")
    (4219241, 5905284, 3650337)
    """

    mel: MelConfig = MelConfig()
    vae: VaeConfig = VaeConfig()
    unet: UnetConfig = UnetConfig()
    keywords: KeywordConfig = KeywordConfig()
    vocoder: VocoderConfig = VocoderConfig()
    noise: NoiseConfig = NoiseConfig()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.vocoder.hop_length != self.mel.hop_length:
            raise ValueError(
                f"vocoder.upsample_rates multiply to {self.vocoder.hop_length}, but must to mel.hop_length, "
                f"{self.mel.hop_length}"
            )
        n_parameters = sum(map(math.prod, self.parameter_shapes.values()))
        if n_parameters > MAX_PARAMETERS:
            raise ValueError(f"the networks have {n_parameters} parameters; at most {MAX_PARAMETERS} fit")
        return self

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, bands and frames of a latent."""
        return self.vae.latent_shape(self.mel)

    @property
    def parameter_shapes(self) -> Shapes:
        """Shape of each tensor by its name in a model file.

        ``vae.latent_mean`` and ``vae.latent_std`` map latents to zero mean and unit variance, in which the
        U-Net works.
        """
        parts = {
            "vae": self.vae.parameter_shapes,
            "unet": self.unet.parameter_shapes(self.vae.latent_channels),
            "keywords": self.keywords.parameter_shapes(self.unet.condition_dim),
            "vocoder": self.vocoder.parameter_shapes(self.mel.n_mels),
        }
        shapes = {f"{part}.{name}": shape for part, own in parts.items() for name, shape in own.items()}
        return shapes | dict.fromkeys(("vae.latent_mean", "vae.latent_std"), (self.vae.latent_channels,))

    def n_parameters(self, part: str) -> int:
        """Return the number of trained values of ``vae``, ``unet``, ``keywords`` or ``vocoder``."""
        return sum(
            math.prod(shape)
            for name, shape in self.parameter_shapes.items()
            if name.startswith(f"{part}.") and not name.startswith("vae.latent_")
        )
