"""The manifest of a sweep: the captures of one device at several settings of its knobs.

A position is a number from 0 (knob fully left) to 1 (fully right). The manifest says what that is in the
device's own unit.
"""

import os
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from neurdsp.config import Config, build, load_yaml

__all__ = ["MAX_CAPTURES", "MAX_KNOBS", "Knob", "Manifest", "Method", "Setting", "load_manifest"]

MAX_KNOBS = 8
MAX_CAPTURES = 256

Method = Literal["hand", "latin_hypercube", "corner", "random", "active"]
"""How a setting was chosen; ``active`` means by the disagreement of models."""


class Knob(Config):
    """A knob of the device, and of the model.

    Parameters
    ----------
    control
        Symbol of the plugin's control; empty for a hardware device.
    minimum, maximum
        What the positions 0 and 1 are in the device's unit.
    default
        Position of the knob in a model that was just loaded.
    """

    control: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = Field(default=0.5, ge=0, le=1)

    def value(self, position: float) -> float:
        """Return a position in the device's unit."""
        return self.minimum + position * (self.maximum - self.minimum)


class Setting(Config):
    """One capture of a device.

    Parameters
    ----------
    output
        The recorded file; a relative path starts at the manifest.
    positions
        Position of each knob by name, 0 to 1.
    part
        Whether to train on the capture, or only to test with it.
    chosen
        How the setting was chosen, in words.
    method
        The same for programs.
    latency_samples
        Latency of this capture; null measures it.
    """

    output: str = Field(min_length=1)
    positions: dict[str, float]
    part: Literal["train", "test"] = "train"
    chosen: str = ""
    method: Method = "hand"
    latency_samples: int | None = Field(default=None, ge=-10_000_000, le=10_000_000)

    @model_validator(mode="before")
    @classmethod
    def _with_method(cls, tree: Any) -> Any:
        """Read manifests of versions up to 0.1, which give the method in words only."""
        if not isinstance(tree, dict) or "method" in tree:
            return tree
        methods: dict[str, Method] = {
            "Latin hypercube": "latin_hypercube",
            "corner": "corner",
            "at random": "random",
            "disputed": "active",
        }
        words = str(tree.get("chosen", "")).partition(":")[0]
        return {**tree, "method": methods[words]} if words in methods else tree


class Manifest(Config):
    """Captures of one device at several settings, all made from one input.

    Parameters
    ----------
    input
        The file that was played into the device; a relative path starts at the manifest.
    device
        URI of the plugin, or any description.
    fingerprint
        Hash of the input's samples, if a sweep made the captures.
    fixed
        Controls that were not moved, by symbol, in the device's unit.
    knobs
        One to eight, by name.
    captures
        At least two for training.

    Examples
    --------
    >>> tree = {"input": "in.wav", "knobs": {"gain": {}}, "captures": [
    ...     {"output": "a.wav", "positions": {"gain": 0}}, {"output": "b.wav", "positions": {"gain": 1}}]}
    >>> build(Manifest, tree).knobs["gain"].default
    0.5
    """

    input: str = Field(min_length=1)
    device: str = ""
    fingerprint: str = ""
    fixed: dict[str, float] = Field(default_factory=dict)
    knobs: dict[str, Knob] = Field(min_length=1, max_length=MAX_KNOBS)
    captures: tuple[Setting, ...] = Field(min_length=2, max_length=MAX_CAPTURES)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for setting in self.captures:
            if set(setting.positions) != set(self.knobs):
                raise ValueError(
                    f"{setting.output} has positions of {', '.join(setting.positions) or 'no knob'}, but the "
                    f"knobs are {', '.join(self.knobs)}; give one for each"
                )
            for name, position in setting.positions.items():
                if not 0 <= position <= 1:
                    raise ValueError(
                        f"{setting.output} has {name} at {position:g}, but positions go from 0 to 1"
                    )
        if sum(setting.part == "train" for setting in self.captures) < 2:
            raise ValueError("fewer than two captures are for training; add some")
        return self


def load_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read and check a manifest.

    Raises
    ------
    ConfigError
        For an unknown key, a setting without a position for each knob, or a position outside 0 to 1.

    Examples
    --------
    >>> load_manifest("runs/drive/manifest.yaml").captures[0].positions  # doctest: +SKIP
    {'gain': 0.0}
    """
    return build(Manifest, load_yaml(path), source=str(path))
