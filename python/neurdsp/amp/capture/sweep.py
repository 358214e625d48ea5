"""Captures of an LV2 plugin at many settings of its knobs, listed in a manifest.

A sweep can be stopped and started again: captures that an earlier run made of the same device and input are
kept.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neurdsp._output import check_output
from neurdsp.amp.capture import lv2, lv2_info
from neurdsp.amp.capture.manifest import (
    MAX_CAPTURES,
    MAX_KNOBS,
    Knob,
    Manifest,
    Method,
    Setting,
    load_manifest,
)
from neurdsp.amp.capture.settings import corner_settings, latin_hypercube
from neurdsp.config import save_yaml
from neurdsp.errors import ParameterError

__all__ = ["Player", "capture_missing", "new_setting", "parse_knob", "sweep"]

Player = Callable[[Path, Path, Mapping[str, float]], lv2.CaptureResult]
"""Plays an input file through a device into an output file, at the given values of its controls."""

Progress = Callable[[Setting, lv2.CaptureResult | None], None]
"""Is called after each capture with its setting and its result, which is None if the file existed already."""


def parse_knob(text: str, device: lv2_info.Device) -> tuple[str, Knob]:
    """Read ``CONTROL``, ``NAME=CONTROL`` or ``NAME=CONTROL:LOW:HIGH`` as a knob of a device.

    Returns
    -------
    tuple
        Name of the knob, and the knob.

    Raises
    ------
    ParameterError
        For an unknown control, a range outside the control's, or a name with other than small letters, digits
        and ``_``.
    """
    name, equals, control_text = text.partition("=")
    control_name, *limits = (control_text if equals else name).split(":")
    found = lv2_info.find_control(device, control_name)
    name = name if equals else found.name.casefold().replace(" ", "_")
    low, high = found.minimum, found.maximum
    if limits:
        try:
            low, high = (float(limit) for limit in limits)
        except ValueError:
            raise ParameterError(f"--knob takes NAME=CONTROL:LOW:HIGH, got '{text}'") from None
        for value in (low, high):
            lv2_info.resolve_controls(device, {control_name: value})
    default = (found.default - low) / (high - low) if high > low else 0.5
    if not name.replace("_", "").isalnum() or not name[0].isalpha() or name != name.casefold():
        raise ParameterError(f"'{name}' cannot name a knob: use small letters, digits and _")
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
    progress: Progress = lambda *_: None,
    player: Player | None = None,
    overwrite: bool = False,
) -> Path:
    """Capture an LV2 plugin at many settings.

    Parameters
    ----------
    input_path
        Mono file.
    folder
        Folder for the captures and ``manifest.yaml``; made if it is missing. Captures that an earlier run
        made of the same device and input are kept if they are still wanted, and so are those that
        `neurdsp.amp.knobs.active.extend` added to the same settings.
    device
        A URI, or a name that only one plugin has.
    knobs
        The knobs to sweep, by their names in the model.
    n_train, n_test
        Number of settings in the Latin hypercube, and of random test settings.
    corners
        Whether to capture the settings too at which every knob is at an end.
    fixed
        Values of other controls, by symbol or name.
    seed
        Of the settings.
    progress
        Called after each capture with its setting and its result; the result is None if the file existed.
    player
        Plays the device in place of ``lv2apply``; then no plugin is looked up.
    overwrite
        Whether captures of an earlier run that are no longer wanted may be deleted.

    Returns
    -------
    Path
        The manifest, which is written before the first capture.

    Raises
    ------
    MissingDependencyError, ParameterError, AudioFileError
        As `neurdsp.amp.capture.lv2.capture`, and for no knob, too many knobs, fewer than two settings, or
        captures of an earlier run that would be lost.

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
        found = lv2_info.describe_device(lv2_info.find_device(device))
        device, still = found.uri, lv2_info.resolve_controls(found, still)
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
    path = target / "manifest.yaml"
    manifest, unwanted = _keep(manifest, path)
    if target.is_dir():
        for output in (path, *unwanted, *(target / setting.output for setting in manifest.captures)):
            check_output(output, inputs=[source])
    if unwanted and not overwrite:
        raise ParameterError(
            f"{len(unwanted)} files in '{target}', such as '{unwanted[0].name}', are of another device, "
            "input or plan; give another folder, or --overwrite to delete them"
        )
    target.mkdir(parents=True, exist_ok=True)
    for capture in unwanted:
        capture.unlink(missing_ok=True)
    save_yaml(manifest, path)
    capture_missing(path, progress=progress, player=player)
    return path


def _plan(knobs: Mapping[str, Knob], n_train: int, n_test: int, *, corners: bool, seed: int) -> list[Setting]:
    """Return the settings to capture; corners that are in the hypercube are not repeated."""
    points = latin_hypercube(n_train, len(knobs), seed=seed)
    drawn = np.random.default_rng((seed, 1)).random((n_test, len(knobs)))
    rows: list[tuple[Method, str, npt.NDArray[np.float64]]]
    rows = [("latin_hypercube", "Latin hypercube", point) for point in points]
    if corners:
        there = {tuple(point) for point in points}
        ends = corner_settings(len(knobs))
        rows += [("corner", "corner", corner) for corner in ends if tuple(corner) not in there]
    settings = [
        new_setting(knobs, f"train_{i:03d}.wav", point, method=method, chosen=chosen)
        for i, (method, chosen, point) in enumerate(rows)
    ]
    tests = [
        new_setting(knobs, f"test_{i:03d}.wav", point, method="random", chosen="at random")
        for i, point in enumerate(drawn)
    ]
    return settings + [setting.model_copy(update={"part": "test"}) for setting in tests]


def new_setting(
    knobs: Mapping[str, Knob], output: str, point: npt.NDArray[np.float64], *, method: Method, chosen: str
) -> Setting:
    """Return the setting at a point ``(n_knobs,)``, rounded to the four decimals that a manifest keeps."""
    positions = {name: round(float(at), 4) for name, at in zip(knobs, point, strict=True)}
    return Setting(output=output, positions=positions, chosen=chosen, method=method)


def _keep(manifest: Manifest, path: Path) -> tuple[Manifest, list[Path]]:
    """Keep what an earlier run captured and is still wanted; return what else is in the way, too."""
    if not path.is_file():
        return manifest, [file for s in manifest.captures if (file := path.parent / s.output).is_file()]
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
        added = tuple(s for s in before.captures if s.method == "active" and at(s) not in wanted)
        manifest = manifest.model_copy(update={"captures": manifest.captures + added})
        wanted |= {at(setting) for setting in added}
    unwanted = {
        path.parent / setting.output: None
        for setting in (*before.captures, *manifest.captures)
        if at(setting) not in wanted & there and not Path(setting.output).is_absolute()
    }
    return manifest, [capture for capture in unwanted if capture.is_file()]


def capture_missing(
    path: Path,
    *,
    progress: Progress = lambda *_: None,
    player: Player | None = None,
) -> None:
    """Capture every setting of a manifest whose file is missing.

    Parameters
    ----------
    path
        The manifest.
    progress, player
        As in `sweep`.
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
