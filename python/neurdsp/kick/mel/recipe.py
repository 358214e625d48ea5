"""How the preset ``seed`` is trained: vocabulary, losses and budgets of the three stages. Needs no torch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from neurdsp.config import Config
from neurdsp.kick.mel.config import MelDiffusionConfig
from neurdsp.training.config import TrainingConfig, read_recipe
from neurdsp.training.optimizers import AdamWConfig

__all__ = [
    "DiffusionStage",
    "DiscriminatorConfig",
    "Recipe",
    "Source",
    "VaeStage",
    "VocabularyConfig",
    "VocoderStage",
    "load_recipe",
]

PACKAGE = "neurdsp.kick"
Source = Literal["names", "measured", "both"]


class VocabularyConfig(Config):
    """Which words of the data become keywords.

    Parameters
    ----------
    min_count
        Kicks of the training split that a word needs.
    min_kits
        Kits that it needs: a word of one kit is the name of a pack.
    max_share
        Largest part of the kicks that may have it: what all have says nothing.
    drop
        Words that never become keywords.
    source
        Where words come from: the ``names`` of the samples, what is ``measured`` of them, or ``both``.
    """

    min_count: int = Field(5, ge=1)
    min_kits: int = Field(2, ge=1)
    max_share: float = Field(0.9, gt=0, le=1)
    drop: tuple[str, ...] = ("kick", "kicks", "kik", "drum", "drums", "sample", "samples", "shot", "one")
    source: Source = "names"


class VaeStage(Config):
    """The training of the VAE.

    Parameters
    ----------
    epochs
        Times that each kick is seen; null takes the budget of ``training``.
    kl_start, kl_end, kl_epochs
        Weight of the Kullback-Leibler divergence, which rises linearly over the first epochs.
    training
        Optimiser and bookkeeping.
    """

    epochs: int | None = Field(100, ge=1)
    kl_start: float = Field(1e-4, ge=0)
    kl_end: float = Field(1e-3, ge=0)
    kl_epochs: float = Field(20, ge=0)
    training: TrainingConfig = TrainingConfig()


class DiffusionStage(Config):
    """The training of the U-Net and of the encoder of keywords.

    Parameters
    ----------
    epochs
        As for `VaeStage`.
    drop_keywords
        Part of the kicks that are shown without keywords, for classifier-free guidance.
    fewer_keywords
        Part of the kicks with several keywords that are shown with some of them only, because people give
        one or two.
    training
        Optimiser and bookkeeping.
    """

    epochs: int | None = Field(None, ge=1)
    drop_keywords: float = Field(0.15, ge=0, le=1)
    fewer_keywords: float = Field(0.5, ge=0, le=1)
    training: TrainingConfig = TrainingConfig()


class DiscriminatorConfig(Config):
    """The discriminators of HiFi-GAN.

    Parameters
    ----------
    periods
        Of the multi-period discriminator, in samples.
    period_channels
        Channels of its layers.
    scales
        Of the multi-scale discriminator; each halves the sample rate.
    scale_channels
        Channels of its layers.
    """

    periods: tuple[int, ...] = Field((2, 3, 5, 7, 11), min_length=1, max_length=8)
    period_channels: tuple[int, ...] = Field((32, 128, 512, 1024, 1024), min_length=2, max_length=8)
    scales: int = Field(3, ge=1, le=5)
    scale_channels: tuple[int, ...] = Field(
        (128, 128, 256, 512, 1024, 1024, 1024), min_length=2, max_length=8
    )

    @model_validator(mode="after")
    def _check(self) -> "DiscriminatorConfig":
        if any(not 2 <= period <= 64 for period in self.periods):
            raise ValueError(f"periods are {[*self.periods]}, but each must be from 2 to 64 samples")
        if any(not 1 <= count <= 4096 for count in (*self.period_channels, *self.scale_channels)):
            raise ValueError("period_channels and scale_channels must be from 1 to 4096")
        if any(count % 16 for count in self.scale_channels[:-1]):
            raise ValueError(f"scale_channels are {[*self.scale_channels]}, but must be multiples of 16")
        return self


class VocoderStage(Config):
    """The training of the vocoder against its discriminators.

    Parameters
    ----------
    epochs
        As for `VaeStage`.
    segment_samples
        Samples of a crop, a multiple of the hop.
    decay_per_epoch
        Factor on the learning rates after each epoch.
    feature_weight, mel_weight
        Weights of the distances of the discriminators' features and of the log-mel spectrograms; the
        adversarial loss has the weight 1.
    discriminators
        Their shapes.
    validation_kicks
        Kicks that a validation plays.
    training
        Optimiser and bookkeeping.
    """

    epochs: int | None = Field(50, ge=1)
    segment_samples: int = Field(8192, ge=64, le=1 << 18)
    decay_per_epoch: float = Field(0.999, gt=0, le=1)
    feature_weight: float = Field(2.0, ge=0)
    mel_weight: float = Field(45.0, ge=0)
    discriminators: DiscriminatorConfig = DiscriminatorConfig()
    validation_kicks: int = Field(8, ge=1, le=1000)
    training: TrainingConfig = TrainingConfig(optimizer=AdamWConfig(betas=(0.8, 0.99)))


class Recipe(Config):
    """A training of all stages.

    Parameters
    ----------
    description
        One line, for lists of presets.
    model
        The networks; the vocabulary comes from the data.
    vocabulary, vae, diffusion, vocoder
        The stages.
    """

    description: str = ""
    model: MelDiffusionConfig = MelDiffusionConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    vae: VaeStage = VaeStage()
    diffusion: DiffusionStage = DiffusionStage()
    vocoder: VocoderStage = VocoderStage()

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        segment, hop = self.vocoder.segment_samples, self.model.mel.hop_length
        if segment % hop or not self.model.mel.n_fft // 2 < segment <= self.model.mel.n_frames * hop:
            raise ValueError(
                f"vocoder.segment_samples is {segment}, but must be a multiple of the hop, {hop}, above half "
                f"of n_fft and at most {self.model.mel.n_frames * hop}"
            )
        if self.model.keywords.words:
            raise ValueError("model.keywords.words come from the data; leave them out")
        return self


def load_recipe(
    preset: str = "seed", *, path: str | Path | None = None, overrides: Iterable[str] = ()
) -> Recipe:
    """Read a preset or a file, and apply overrides such as ``vae.epochs=5``.

    Raises
    ------
    ConfigError
        If the preset is unknown, or a key or value is wrong.

    Examples
    --------
    >>> load_recipe("seed").diffusion.training.steps
    100000
    """
    return read_recipe(Recipe, PACKAGE, preset, path=path, overrides=overrides)
