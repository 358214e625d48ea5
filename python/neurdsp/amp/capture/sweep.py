"""A device at many settings of its knobs: which settings to capture, and the manifest of the captures.

Settings come from a Latin hypercube (M. McKay, R. Beckman, W. Conover, 1979): with ``n`` captures every
knob stands at ``n`` different positions, evenly spread from one end to the other. Of many such hypercubes the
one is taken whose nearest two settings are farthest apart. A hypercube rarely reaches the corners, where all
knobs stand at an end: those can be captured too, so that a model never has to guess beyond what was captured.
Settings for testing are drawn at random.

A position is a number from 0 (knob fully left) to 1 (fully right); what that is in the device's own unit
stands in the manifest.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from neurdsp.amp.capture import lv2
from neurdsp.config import Config, build, load_yaml, save_yaml
from neurdsp.errors import ParameterError

__all__ = [
    "Knob",
    "Manifest",
    "Player",
    "Setting",
    "corner_settings",
    "latin_hypercube",
    "load_manifest",
    "parse_knob",
    "sweep",
]

Player = Callable[[Path, Path, Mapping[str, float]], lv2.CaptureResult]
"""Plays a file through a device into another file, at values of its controls."""

MAX_KNOBS = 8
MAX_CAPTURES = 256
_MAX_CORNER_KNOBS = 4
_DRAWS = 2_000
DISPUTED = "disputed"
"""How the words begin by which a setting says that models disagreed there."""


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
    """One capture of a device.

    Parameters
    ----------
    output
        Its file, beside the manifest or absolute.
    positions
        Where the knobs stood, 0 to 1.
    part
        Whether to train on it, or only to judge by it.
    chosen
        How the setting was found, in words.
    latency_samples
        By how much this capture is late, where it is known; it is estimated where it is not.
    """

    output: str = Field(min_length=1)
    positions: dict[str, float]
    part: Literal["train", "test"] = "train"
    chosen: str = ""
    latency_samples: int | None = Field(default=None, ge=0, le=1 << 20)


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


def corner_settings(n_knobs: int) -> npt.NDArray[np.float64]:
    """Return the settings at which every knob stands at one of its ends.

    Parameters
    ----------
    n_knobs
        1 to 4: the number of corners doubles with each knob.

    Returns
    -------
    ndarray of float64, shape (2**n_knobs, n_knobs)

    Raises
    ------
    ParameterError
        For other numbers of knobs.

    Examples
    --------
    >>> corner_settings(2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    if not 1 <= n_knobs <= _MAX_CORNER_KNOBS:
        raise ParameterError(
            f"{n_knobs} knobs have {2**n_knobs} corners, too many to capture; sweep at most "
            f"{_MAX_CORNER_KNOBS} knobs, or leave the corners out: --no-corners"
        )
    return np.array(list(itertools.product((0.0, 1.0), repeat=n_knobs)))


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
    corners: bool = False,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[Setting, lv2.CaptureResult | None], None] = lambda *_: None,
    player: Player | None = None,
) -> Path:
    """Capture an LV2 plugin at many settings.

    Parameters
    ----------
    input_path
        Mono.
    folder
        Where the captures and ``manifest.yaml`` go; made where it is absent. What an earlier run captured of
        the same device and input stays where it is wanted again, and so do the settings that
        :func:`neurdsp.amp.knobs.active.extend` added to the same beginning.
    device
        A URI, or a name that only one plugin has.
    knobs
        What is swept, by the name that the model will have for it.
    n_train, n_test
        Settings of the Latin hypercube, and random ones.
    corners
        Whether to capture those settings too at which every knob stands at an end.
    fixed
        Other controls, by symbol or name.
    seed
        Of the settings.
    progress
        Called after each capture with its setting, and its result, or None where it was there already.
    player
        Plays the device in place of ``lv2apply``, which then needs no plugin of this name.

    Returns
    -------
    Path
        Of the manifest, which is written before the first capture.

    Raises
    ------
    MissingDependencyError, ParameterError, AudioFileError
        As :func:`neurdsp.amp.capture.lv2.capture`, and for no knob or too many, or fewer than two settings.

    Examples
    --------
    >>> knobs = {"drive": Knob(control="fslider2_")}
    >>> sweep("in.wav", "runs/drive", "GxTubeScreamer", knobs, n_train=5)  # doctest: +SKIP
    """
    if not 1 <= len(knobs) <= MAX_KNOBS:
        raise ParameterError(f"{len(knobs)} knobs to sweep; give 1 to {MAX_KNOBS}: --knob NAME=CONTROL")
    settings = _plan(knobs, n_train, n_test, corners=corners, seed=seed)
    if len(settings) > MAX_CAPTURES:
        raise ParameterError(f"{len(settings)} captures are too many; {MAX_CAPTURES} are allowed")
    still = dict(fixed or {})
    if player is None:
        found = lv2.describe_device(lv2.find_device(device))
        device, still = found.uri, lv2.resolve_controls(found, still)
    source, target = Path(input_path).resolve(), Path(folder)
    manifest = Manifest(
        input=str(source),
        device=device,
        fingerprint=hashlib.sha256(source.read_bytes()).hexdigest()[:16],
        fixed={
            symbol: still[symbol] for symbol in still if symbol not in {k.control for k in knobs.values()}
        },
        knobs=dict(knobs),
        captures=tuple(settings),
    )
    target.mkdir(parents=True, exist_ok=True)
    path = target / "manifest.yaml"
    manifest = _keep(manifest, path)
    save_yaml(manifest, path)
    capture_missing(path, progress=progress, player=player)
    return path


def _plan(knobs: Mapping[str, Knob], n_train: int, n_test: int, *, corners: bool, seed: int) -> list[Setting]:
    """Return the settings to capture; a corner that the hypercube has is not captured twice."""
    points = latin_hypercube(n_train, len(knobs), seed=seed)
    drawn = np.random.default_rng((seed, 1)).random((n_test, len(knobs)))
    rows = [("train", "Latin hypercube", point) for point in points]
    if corners:
        there = {tuple(point) for point in points}
        ends = corner_settings(len(knobs))
        rows += [("train", "corner", corner) for corner in ends if tuple(corner) not in there]
    settings = [new_setting(knobs, f"train_{i:03d}.wav", *row[1:]) for i, row in enumerate(rows)]
    tests = [new_setting(knobs, f"test_{i:03d}.wav", "at random", point) for i, point in enumerate(drawn)]
    return settings + [setting.model_copy(update={"part": "test"}) for setting in tests]


def new_setting(
    knobs: Mapping[str, Knob], output: str, chosen: str, point: npt.NDArray[np.float64]
) -> Setting:
    """Return the setting at a point ``(n_knobs,)``, rounded to what a manifest keeps of it."""
    positions = {name: round(float(at), 4) for name, at in zip(knobs, point, strict=True)}
    return Setting(output=output, positions=positions, chosen=chosen)


def _keep(manifest: Manifest, path: Path) -> Manifest:
    """Take over what an earlier run has that is still wanted, and delete the captures that are not."""
    if not path.is_file():
        return manifest
    before = load_manifest(path)

    def base(one: Manifest) -> tuple[object, ...]:
        ranges = {name: (knob.control, knob.minimum, knob.maximum) for name, knob in one.knobs.items()}
        return one.device, one.fingerprint, one.fixed, ranges

    def at(setting: Setting) -> tuple[object, ...]:
        return setting.output, tuple(sorted(setting.positions.items()))

    same = base(before) == base(manifest)
    there = {at(setting) for setting in before.captures} if same else set()
    wanted = {at(setting) for setting in manifest.captures}
    if wanted <= there:
        added = tuple(s for s in before.captures if s.chosen.startswith(DISPUTED) and at(s) not in wanted)
        manifest = manifest.model_copy(update={"captures": manifest.captures + added})
        wanted |= {at(setting) for setting in added}
    for setting in before.captures:
        if at(setting) not in wanted & there and not Path(setting.output).is_absolute():
            (path.parent / setting.output).unlink(missing_ok=True)
    return manifest


def capture_missing(
    path: Path,
    *,
    progress: Callable[[Setting, lv2.CaptureResult | None], None] = lambda *_: None,
    player: Player | None = None,
) -> None:
    """Capture every setting of a manifest whose file is not there.

    Parameters
    ----------
    path
        Of the manifest.
    progress, player
        As in :func:`sweep`.
    """
    manifest = load_manifest(path)
    for setting in manifest.captures:
        output = path.parent / setting.output
        if output.is_file():
            progress(setting, None)
            continue
        moved = {
            manifest.knobs[name].control: manifest.knobs[name].value(at)
            for name, at in setting.positions.items()
        }
        controls = {**manifest.fixed, **moved}
        source = path.parent / manifest.input
        if player is None:
            progress(setting, lv2.capture(source, output, manifest.device, controls))
        else:
            progress(setting, player(source, output, controls))
