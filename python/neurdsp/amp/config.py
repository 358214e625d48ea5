"""What an amp training run is made of: network, data, loss, budget; and the presets. Needs no torch."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

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
    "PresetInfo",
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
"""The size labels that these networks have always been known by. They say more than is true:
``neurdsp amp presets`` prints the true numbers of parameters beside them."""

MAX_RECEPTIVE_FIELD = 1 << 20
MAX_PARAMETERS = 1 << 24


class WaveNetConfig(Config):
    """Shape of the residual WaveNet, with the bounds of the engine.

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
        """The network as the training operators name it."""
        return json.dumps(self.model_dump())

    @property
    def n_parameters(self) -> int:
        """The number of trained values."""
        layer = self.channels * self.channels * self.kernel_size + self.channels
        return self.num_layers * layer + 3 * self.channels + 1


class DataConfig(Config):
    """How the recordings are aligned, split and cut.

    Parameters
    ----------
    latency_samples
        By how much the output lags the input; null finds it from blips, or else by cross-correlation.
    safety_samples
        The output is shifted by this much less than the latency that was found, because a causal model
        can wait but not foresee. A latency that is given is used as it is.
    max_latency_ms
        Longest lag that is looked for.
    min_confidence
        A lag found with less confidence than this (0 to 1) is refused.
    drift
        What to do where the recorder's clock ran at another speed than the player's: undo it by resampling
        the output, refuse, or ignore it (lost buffers are then ignored too).
    validation_fraction
        Part of the recording that is held out and only measured on.
    validation_start_s
        Where the held-out part begins; null takes what the input is made for where it is a known one, else
        the end of the recording, or the last part before it that is not nearly silent.
    crop_samples
        Outputs of a training crop; null takes four receptive fields, but at least 4096 samples, and at most
        8192 or one receptive field.
    """

    latency_samples: int | None = Field(default=None, ge=0, le=10_000_000)
    safety_samples: int = Field(default=1, ge=0, le=1000)
    max_latency_ms: float = Field(default=250.0, gt=0, le=5000)
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    drift: Literal["correct", "refuse", "ignore"] = "correct"
    validation_fraction: float = Field(default=0.1, gt=0, le=0.5)
    validation_start_s: float | None = Field(default=None, ge=0)
    crop_samples: int | None = Field(default=None, ge=16, le=1 << 22)


class AmpConfig(Config):
    """Everything that decides a run of a residual WaveNet, apart from the recordings.

    Parameters
    ----------
    description
        One line for people.
    architecture
        The kind of network; :class:`NamAmpConfig` is that of the other one.
    model, data, loss, training
        See the classes of these sections.
    """

    description: str = ""
    architecture: Literal["amp.wavenet"] = "amp.wavenet"
    model: WaveNetConfig = WaveNetConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def crop_samples(self) -> int:
        """Outputs of a training crop, with the default resolved."""
        field = self.model.receptive_field
        return self.data.crop_samples or max(4096, min(4 * field, max(field, 8192)))


class NamAmpConfig(AmpConfig):
    """Everything that decides a run of a WaveNet of the ``.nam`` format, apart from the recordings.

    Parameters
    ----------
    description, data, loss, training
        As in :class:`AmpConfig`.
    architecture
        The kind of network.
    model
        Its layer arrays.
    """

    architecture: Literal["nam.wavenet"] = "nam.wavenet"  # type: ignore[assignment]
    model: NamWaveNetConfig  # type: ignore[assignment]


class LstmAmpConfig(AmpConfig):
    """Everything that decides a run of an LSTM, apart from the recordings.

    Parameters
    ----------
    description, data, loss, training
        As in :class:`AmpConfig`.
    architecture
        The kind of network.
    model
        Its shape.
    """

    architecture: Literal["nam.lstm"] = "nam.lstm"  # type: ignore[assignment]
    model: LstmConfig = LstmConfig()  # type: ignore[assignment]


_KINDS: dict[str, type[AmpConfig]] = {
    "amp.wavenet": AmpConfig,
    "nam.wavenet": NamAmpConfig,
    "nam.lstm": LstmAmpConfig,
}


def build_config(tree: Mapping[str, Any], *, source: str = "configuration") -> AmpConfig:
    """Validate plain data as the configuration of the kind of network that its ``architecture`` names.

    Raises
    ------
    ConfigError
        As `neurdsp.config.build`, and for an architecture that is not known.
    """
    kind = tree.get("architecture", "amp.wavenet")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(f"{source}: architecture is {kind!r}, but must be one of {', '.join(_KINDS)}")
    return build(_KINDS[kind], tree, source=source)


@dataclass(frozen=True)
class PresetInfo:
    """One line of the list of presets: its aliases, what it says of itself, and its true size."""

    name: str
    aliases: tuple[str, ...]
    description: str
    n_parameters: int
    receptive_field: int
    loss: str


def load_config(
    preset: str | None = None, *, file: Path | None = None, overrides: Iterable[str] = ()
) -> AmpConfig:
    """Build the configuration of a run from a preset or a file, and overrides.

    Parameters
    ----------
    preset
        A preset or one of :data:`PRESET_ALIASES`.
    file
        A YAML file of one's own; not together with a preset.
    overrides
        ``section.key=value`` each.

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
