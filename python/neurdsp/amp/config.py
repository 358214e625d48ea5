"""Configurations of amp training runs (network, data, loss, budget) and their presets. Needs no torch."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from neurdsp.amp.about import AboutConfig
from neurdsp.amp.nam_config import LstmConfig, NamWaveNetConfig
from neurdsp.config import Config, apply_overrides, build, load_preset, load_yaml, preset_names
from neurdsp.errors import ConfigError
from neurdsp.losses.config import LossConfig
from neurdsp.training.config import TrainingConfig

__all__ = [
    "PRESET_ALIASES",
    "AmpConfig",
    "DataConfig",
    "LstmAmpConfig",
    "NamAmpConfig",
    "NetworkConfig",
    "PresetInfo",
    "WaveNetAmpConfig",
    "WaveNetConfig",
    "build_config",
    "describe_presets",
    "load_config",
]

PRESET_ALIASES = {
    "8k": "seed-16x6",
    "20k": "seed-18x9",
    "100k": "seed-32x10",
    "150k": "seed-48x12",
    "200k": "seed-48x12",
    "config_spectral": "seed-spectral",
}
"""Size labels by which these networks are known. They overstate the sizes: ``neurdsp amp presets`` prints the
true numbers of parameters beside them."""

MAX_RECEPTIVE_FIELD = 1 << 20
MAX_PARAMETERS = 1 << 24


class WaveNetConfig(Config):
    """Shape of the residual WaveNet, within the bounds of the engine.

    Parameters
    ----------
    channels
        Channels of each layer.
    num_layers
        Number of dilated layers.
    kernel_size
        Taps of each dilated convolution.
    dilation_base
        Layer ``i`` has dilation ``dilation_base ** i``.

    Examples
    --------
    >>> WaveNetConfig(channels=16, num_layers=6).n_parameters
    4753
    """

    channels: int = Field(default=16, ge=1, le=1024)
    num_layers: int = Field(default=6, ge=1, le=64)
    kernel_size: int = Field(default=3, ge=1, le=64)
    dilation_base: int = Field(default=2, ge=1, le=64)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.receptive_field > MAX_RECEPTIVE_FIELD:
            raise ValueError(
                f"the receptive field would be {self.receptive_field} samples, at most {MAX_RECEPTIVE_FIELD} "
                "are allowed; use fewer layers, a smaller kernel or a smaller dilation base"
            )
        if self.n_parameters > MAX_PARAMETERS:
            raise ValueError(
                f"the network would have {self.n_parameters} parameters, at most {MAX_PARAMETERS} are "
                "allowed; use fewer channels or layers"
            )
        return self

    @property
    def dilations(self) -> tuple[int, ...]:
        """The dilation of each layer, in samples."""
        return tuple(self.dilation_base**layer for layer in range(self.num_layers))

    @property
    def receptive_field(self) -> int:
        """How many input samples, the current one included, an output sample depends on."""
        return 1 + (self.kernel_size - 1) * sum(self.dilations)

    @property
    def network(self) -> str:
        """The network in JSON, as the training operators take it."""
        return json.dumps(self.model_dump())

    @property
    def n_parameters(self) -> int:
        """Number of trained values."""
        layer = self.channels * self.channels * self.kernel_size + self.channels
        return self.num_layers * layer + 3 * self.channels + 1


class DataConfig(Config):
    """How the recordings are aligned, split and cut.

    Parameters
    ----------
    latency_samples
        Lag of the output behind the input, negative if the output comes first; null measures it, from blips
        or else by cross-correlation. Its use is refused if the output follows the input elsewhere.
    safety_samples
        The output is shifted by this many samples less than the measured latency, because a causal model can
        delay but not predict. A given latency is used as it is.
    max_latency_ms
        Longest lag to search for.
    min_confidence
        Least confidence (0 to 1) with which a measured lag is accepted.
    drift
        What to do if the recorder's clock ran at another speed than the player's: ``correct`` resamples the
        output, ``refuse`` stops, ``ignore`` trains anyway, on recordings with lost buffers too.
    validation_fraction
        Share of the recording that is held out for validation.
    validation_start_s
        Start of the held-out part. Null means the passage that a known input reserves for validation, else
        the end of the recording, or the last part before it that is not nearly silent.
    crop_samples
        Outputs of a training crop. Null means four receptive fields, but at least 4096 samples and at most
        8192 or one receptive field.
    """

    latency_samples: int | None = Field(default=None, ge=-10_000_000, le=10_000_000)
    safety_samples: int = Field(default=1, ge=0, le=1000)
    max_latency_ms: float = Field(default=250.0, gt=0, le=5000)
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    drift: Literal["correct", "refuse", "ignore"] = "correct"
    validation_fraction: float = Field(default=0.1, gt=0, le=0.5)
    validation_start_s: float | None = Field(default=None, ge=0)
    crop_samples: int | None = Field(default=None, ge=16, le=1 << 22)


NetworkConfig = WaveNetConfig | NamWaveNetConfig | LstmConfig
"""Shape of a network that can be trained; its class decides the architecture."""


class _RunConfig(Config):
    """What all runs have: the sections of a configuration, in the order in which they are written."""

    description: str = ""
    architecture: str
    model: NetworkConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()
    about: AboutConfig = AboutConfig()

    @property
    def crop_samples(self) -> int:
        """Outputs of a training crop, with the default resolved."""
        field = self.model.receptive_field
        return self.data.crop_samples or max(4096, min(4 * field, max(field, 8192)))


class WaveNetAmpConfig(_RunConfig):
    """Everything that decides a run of a residual WaveNet, except the recordings.

    Parameters
    ----------
    description
        One line for people.
    architecture
        Tells the configurations of different networks apart.
    model, data, loss, training, about
        See the classes of these sections.
    """

    architecture: Literal["amp.wavenet"] = "amp.wavenet"
    model: WaveNetConfig = WaveNetConfig()


class NamAmpConfig(_RunConfig):
    """Everything that decides a run of a WaveNet of the ``.nam`` format, except the recordings.

    Parameters
    ----------
    description, architecture, data, loss, training, about
        As in `WaveNetAmpConfig`.
    model
        The layer arrays.
    """

    architecture: Literal["nam.wavenet"] = "nam.wavenet"
    model: NamWaveNetConfig


class LstmAmpConfig(_RunConfig):
    """Everything that decides a run of an LSTM, except the recordings.

    Parameters
    ----------
    description, architecture, data, loss, training, about
        As in `WaveNetAmpConfig`.
    model
        Size and burn-in.
    """

    architecture: Literal["nam.lstm"] = "nam.lstm"
    model: LstmConfig = LstmConfig()


AmpConfig = WaveNetAmpConfig | NamAmpConfig | LstmAmpConfig
"""Configuration of a run; ``architecture`` tells which one it is."""

_KINDS: dict[str, type[AmpConfig]] = {
    "amp.wavenet": WaveNetAmpConfig,
    "nam.wavenet": NamAmpConfig,
    "nam.lstm": LstmAmpConfig,
}


def build_config(tree: Mapping[str, Any], *, source: str = "configuration") -> AmpConfig:
    """Validate plain data as the configuration of the architecture that it names.

    Parameters
    ----------
    tree
        Nested mappings as YAML gives them; without an ``architecture`` a residual WaveNet.
    source
        Where the data come from, named in the error.

    Raises
    ------
    ConfigError
        As `neurdsp.config.build`, and for an unknown architecture.
    """
    kind = tree.get("architecture", "amp.wavenet")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(f"{source}: architecture is {kind!r}, but it must be one of {', '.join(_KINDS)}")
    return build(_KINDS[kind], tree, source=source)


@dataclass(frozen=True)
class PresetInfo:
    """A preset in the list: its aliases, its description and its true size."""

    name: str
    aliases: tuple[str, ...]
    description: str
    n_parameters: int
    receptive_field: int
    loss: str


def load_config(
    preset: str | None = None, *, file: Path | None = None, overrides: Iterable[str] = ()
) -> AmpConfig:
    """Build the configuration of a run from a preset or a file, with overrides.

    Parameters
    ----------
    preset
        A preset or one of `PRESET_ALIASES`; ``standard`` by default.
    file
        A YAML file in place of a preset.
    overrides
        Each is ``section.key=value``.

    Raises
    ------
    ConfigError
        For an unknown preset, key or value, with the nearest known name.

    Examples
    --------
    >>> load_config("seed-18x9", overrides=["training.minutes=1"]).model.channels
    18
    """
    if preset is not None and file is not None:
        raise ConfigError("give either a preset or a configuration file, not both")
    if file is not None:
        tree, source = load_yaml(file), str(file)
    else:
        name = preset or "standard"
        tree, source = load_preset("neurdsp.amp", name, aliases=PRESET_ALIASES), f"preset {name}"
    return build_config(apply_overrides(tree, overrides), source=source)


def describe_presets() -> list[PresetInfo]:
    """List the presets, smallest first, with their true numbers of parameters."""
    found = []
    for name in preset_names("neurdsp.amp"):
        config = load_config(name)
        aliases = tuple(alias for alias, target in PRESET_ALIASES.items() if target == name)
        found.append(
            PresetInfo(
                name=name,
                aliases=aliases,
                description=config.description,
                n_parameters=config.model.n_parameters,
                receptive_field=config.model.receptive_field,
                loss=config.loss.type,
            )
        )
    return sorted(found, key=lambda preset: (preset.n_parameters, preset.name))
