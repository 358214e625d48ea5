"""The folder of a run: what is written first, and whether a run in it can be resumed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from neurdsp._output import atomic_output, check_output, same_file
from neurdsp.config import Config, save_yaml
from neurdsp.errors import ConfigError

__all__ = ["begin_run", "check_resumable", "file_fingerprint", "save_json"]

_OF_A_RUN = ("metrics.jsonl", "checkpoint.pt", "result.json")
_SETTINGS, _DATA = "config.yaml", "data.json"

_FREE = {
    "description",
    *(
        f"training.{key}"
        for key in (
            *("minutes", "steps", "target_score", "threads", "device", "validate_seconds", "validate_steps"),
            *("tensorboard", "precision", "compile"),
        )
    ),
}
"""Settings that may change when a run is resumed."""


def begin_run(
    folder: Path,
    config: Config,
    facts: Mapping[str, Any],
    *,
    fresh: bool,
    overwrite: bool = False,
    names: Sequence[str] = (),
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> None:
    """Make the run folder, and write the configuration and the facts about the data into it.

    What is there of an earlier run moves to ``earlier/1``, ``earlier/2`` and so on.

    Parameters
    ----------
    folder
        Made if it is missing.
    config
        The resolved configuration, for ``config.yaml``.
    facts
        What identifies the data, for ``data.json``; ``fingerprint`` is a hash of all samples.
    fresh
        Whether a new run begins; otherwise the run in the folder continues.
    overwrite
        Whether a new run removes the log, the checkpoint and the result of an earlier run instead.
    names
        Further files and folders that the run will write into the folder.
    inputs
        What the run reads. It writes none of these files: a resumed run leaves a configuration that it was
        given as it is.

    Raises
    ------
    OSError
        If a file cannot be written, or is an input.
    """
    settings = folder / _SETTINGS
    given = not fresh and any(same_file(settings, source) for source in inputs)
    written = (*_OF_A_RUN, *(() if given else (_SETTINGS,)), _DATA, *names)
    if folder.is_dir():
        for name in written:
            if any(same_file(folder / name, source) for source in inputs):
                raise FileExistsError(
                    f"cannot write '{folder / name}': it is also an input, which would be lost; give another "
                    "folder for the run, or a copy of the file"
                )
            if not (folder / name).is_dir():
                check_output(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    if fresh and overwrite:
        for name in _OF_A_RUN:
            (folder / name).unlink(missing_ok=True)
    elif fresh:
        _set_aside(folder, [name for name in written if (folder / name).exists()])
    if not given:
        save_yaml(config, settings)
    save_json(folder / _DATA, facts)


def _set_aside(folder: Path, names: Sequence[str]) -> None:
    """Move what an earlier run wrote into a folder of its own."""
    if not names:
        return
    number = 1
    while (aside := folder / "earlier" / str(number)).exists():
        number += 1
    aside.mkdir(parents=True)
    for name in names:
        (folder / name).rename(aside / name)


def check_resumable(
    folder: Path,
    config: Config,
    facts: Mapping[str, Any],
    *,
    load: Callable[[Path], Config],
    facts_required: bool = True,
) -> None:
    """Refuse to resume a run with other data, or with settings that would make it another run.

    The budget, the device and how often to validate may change.

    Parameters
    ----------
    folder, config, facts
        As in `begin_run`.
    load
        Reads ``config.yaml``.
    facts_required
        Whether a folder without ``data.json`` is refused. Older versions wrote none for some runs.

    Raises
    ------
    ConfigError
        If there is no run, or a setting or the data differ from those that the run began with.
    """
    if not (folder / "checkpoint.pt").is_file():
        raise ConfigError(f"{folder}: there is no run to resume; start it without --resume")
    before = load(folder / "config.yaml").model_dump()
    for key, old, new in _differences(before, config.model_dump()):
        raise ConfigError(
            f"{folder}: the run began with {key} = {old}, now it is {new}; set it back, or start a new run"
        )
    path = folder / "data.json"
    if not facts_required and not path.exists():
        return
    try:
        fingerprint = json.loads(path.read_text(encoding="utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{folder}: data.json is missing or damaged; start a new run") from None
    if fingerprint != facts["fingerprint"]:
        raise ConfigError(
            f"{folder}: the run began with other recordings; give those again, or start a new run"
        )


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, old and new value of each setting that must not change but has."""
    for section in {**new, **old}:
        a, b = old.get(section), new.get(section)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            pairs = [(f"{section}.{key}", a.get(key), b.get(key)) for key in {**b, **a}]
        else:
            pairs = [(section, a, b)]
        # What is known of the device does not change the run.
        yield from (
            pair
            for pair in pairs
            if pair[0] not in _FREE and not pair[0].startswith("about") and pair[1] != pair[2]
        )


def file_fingerprint(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file that a run starts from or learns from, by which a resumed run knows it."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values as indented JSON, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
