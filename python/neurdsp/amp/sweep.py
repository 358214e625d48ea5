"""A device at many settings of its knobs: which settings to capture, and the manifest of the captures.

Settings come from a Latin hypercube (M. McKay, R. Beckman, W. Conover, 1979): with ``n`` captures every
knob stands at ``n`` different positions, evenly spread from one end to the other. Of many such hypercubes the
one is taken whose nearest two settings are farthest apart. Settings for testing are drawn at random.

A position is a number from 0 (knob fully left) to 1 (fully right); what that is in the device's own unit
stands in the manifest.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from neurdsp.amp import lv2
from neurdsp.config import Config, build, load_yaml, save_yaml
from neurdsp.errors import ParameterError

__all__ = ["Knob", "Manifest", "Setting", "latin_hypercube", "load_manifest", "parse_knob", "sweep"]

MAX_KNOBS = 8
MAX_CAPTURES = 256
_DRAWS = 2_000
_NAME = r"^[a-z][a-z0-9_]{0,31}$"


class Knob(Config):
    """A knob of the device, and of the model.

    Parameters
    ----------
    control
        The plugin's symbol; empty for a device of metal.
    minimum, maximum
        What the positions 0 and 1 are in the device's unit.
    default
        Position at which a model begins.
    """

    control: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = Field(default=0.5, ge=0, le=1)

    def value(self, position: float) -> float:
        """Return a position in the device's unit."""
        return self.minimum + position * (self.maximum - self.minimum)


class Setting(Config):
    """One capture: its file, beside the manifest or absolute, where the knobs stood, and what it is for."""

    output: str = Field(min_length=1)
    positions: dict[str, float]
    part: Literal["train", "test"] = "train"


class Manifest(Config):
    """Captures of one device at several settings, made from one input.

    Parameters
    ----------
    input
        What was played into the device, beside the manifest or absolute.
    device
        URI of the plugin, or any words.
    fingerprint
        Of the input's samples, where a sweep made the captures.
    fixed
        Controls that stood still, by symbol, in the device's unit.
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
    """
    return build(Manifest, load_yaml(path), source=str(path))


def latin_hypercube(n_settings: int, n_knobs: int, *, seed: int = 0) -> npt.NDArray[np.float64]:
    """Spread settings over all positions.

    Parameters
    ----------
    n_settings
        At least 2.
    n_knobs
        1 or more.
    seed
        The same seed gives the same settings.

    Returns
    -------
    ndarray of float64, shape (n_settings, n_knobs)
        In each column every one of ``0, 1 / (n - 1), ..., 1`` once.

    Raises
    ------
    ParameterError
        If a number is too small.

    Examples
    --------
    >>> latin_hypercube(3, 1).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    if n_settings < 2 or n_knobs < 1:
        raise ParameterError(
            f"{n_settings} settings of {n_knobs} knobs are no sweep; take 2 settings of 1 knob at least"
        )
    if n_knobs == 1:
        return np.linspace(0, 1, n_settings)[:, None]
    rng = np.random.default_rng(seed)
    best, farthest = np.zeros((n_settings, n_knobs)), -1.0
    for _ in range(_DRAWS):
        columns = [rng.permutation(n_settings) for _ in range(n_knobs)]
        settings = np.stack(columns, axis=1) / (n_settings - 1)
        squares = np.sum((settings[:, None] - settings[None]) ** 2, axis=2)
        nearest = float(squares[np.triu_indices(n_settings, 1)].min())
        if nearest > farthest:
            best, farthest = settings, nearest
    return best


def parse_knob(text: str, device: lv2.Device) -> tuple[str, Knob]:
    """Read ``CONTROL``, ``NAME=CONTROL`` or ``NAME=CONTROL:LOW:HIGH`` as a knob of a device.

    Raises
    ------
    ParameterError
        For an unknown control, a range outside the control's, or a name of other than small letters.
    """
    name, equals, control_text = text.partition("=")
    control_name, *limits = (control_text if equals else name).split(":")
    found = lv2.find_control(device, control_name)
    name = name if equals else found.name.casefold().replace(" ", "_")
    low, high = found.minimum, found.maximum
    if limits:
        try:
            low, high = (float(limit) for limit in limits)
        except ValueError:
            raise ParameterError(f"--knob takes NAME=CONTROL:LOW:HIGH, got '{text}'") from None
        for value in (low, high):
            lv2.resolve_controls(device, {control_name: value})
    default = (found.default - low) / (high - low) if high > low else 0.5
    if not name.replace("_", "").isalnum() or not name[0].isalpha() or name != name.casefold():
        raise ParameterError(f"'{name}' is no name for a knob: use small letters, digits and _")
    return name, Knob(
        control=found.symbol, minimum=low, maximum=high, default=min(max(round(default, 6), 0.0), 1.0)
    )


def sweep(
    input_path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    device: str,
    knobs: Mapping[str, Knob],
    *,
    n_train: int,
    n_test: int = 0,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[Setting, lv2.CaptureResult | None], None] = lambda *_: None,
) -> Path:
    """Capture an LV2 plugin at many settings.

    Parameters
    ----------
    input_path
        Mono.
    folder
        Where the captures and ``manifest.yaml`` go; made where it is absent. Captures of an earlier run with
        the same manifest are kept.
    device
        A URI, or a name that only one plugin has.
    knobs
        What is swept, by the name that the model will have for it.
    n_train, n_test
        Settings of the Latin hypercube, and random ones.
    fixed
        Other controls, by symbol or name.
    seed
        Of the settings.
    progress
        Called after each capture with its setting, and its result, or None where it was there already.

    Returns
    -------
    Path
        Of the manifest, which is written before the first capture.

    Raises
    ------
    MissingDependencyError, ParameterError, AudioFileError
        As :func:`neurdsp.amp.lv2.capture`, and for no knob or too many, or fewer than two settings.

    Examples
    --------
    >>> knobs = {"drive": Knob(control="fslider2_")}
    >>> sweep("in.wav", "runs/drive", "GxTubeScreamer", knobs, n_train=5)  # doctest: +SKIP
    """
    if not 1 <= len(knobs) <= MAX_KNOBS:
        raise ParameterError(f"{len(knobs)} knobs to sweep; give 1 to {MAX_KNOBS}: --knob NAME=CONTROL")
    if n_train + n_test > MAX_CAPTURES:
        raise ParameterError(f"{n_train + n_test} captures are too many; {MAX_CAPTURES} are allowed")
    found = lv2.describe_device(lv2.find_device(device))
    source, target = Path(input_path).resolve(), Path(folder)
    points = latin_hypercube(n_train, len(knobs), seed=seed)
    drawn = np.random.default_rng((seed, 1)).random((n_test, len(knobs)))
    settings = [
        Setting(
            output=f"{part}_{index:03d}.wav",
            positions={name: round(float(at), 4) for name, at in zip(knobs, point, strict=True)},
            part=part,
        )
        for part, rows in (("train", points), ("test", drawn))
        for index, point in enumerate(rows)
    ]
    positions = lv2.resolve_controls(found, fixed or {})
    still = {
        symbol: positions[symbol] for symbol in positions if symbol not in {k.control for k in knobs.values()}
    }
    manifest = Manifest(
        input=str(source),
        device=found.uri,
        fingerprint=hashlib.sha256(source.read_bytes()).hexdigest()[:16],
        fixed=still,
        knobs=dict(knobs),
        captures=tuple(settings),
    )
    target.mkdir(parents=True, exist_ok=True)
    path = target / "manifest.yaml"
    same = path.is_file() and load_manifest(path) == manifest
    if not same:
        for setting in settings:
            (target / setting.output).unlink(missing_ok=True)
        save_yaml(manifest, path)
    for setting in settings:
        output = target / setting.output
        if output.is_file():
            progress(setting, None)
            continue
        moved = {knobs[name].control: knobs[name].value(at) for name, at in setting.positions.items()}
        progress(setting, lv2.capture(source, output, found.uri, {**still, **moved}))
    return path
