"""The folder of a run: what is written first, and whether a run in it can be resumed."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from neurdsp._output import atomic_output
from neurdsp.config import Config, save_yaml
from neurdsp.errors import ConfigError

__all__ = ["begin_run", "check_resumable", "save_json"]

_OF_A_RUN = ("metrics.jsonl", "checkpoint.pt", "result.json")

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


def begin_run(folder: Path, config: Config, facts: Mapping[str, Any], *, fresh: bool) -> None:
    """Make the run folder, and write the configuration and the facts about the data into it.

    Parameters
    ----------
    folder
        Made if it is missing.
    config
        The resolved configuration, for ``config.yaml``.
    facts
        What identifies the data, for ``data.json``; ``fingerprint`` is a hash of all samples.
    fresh
        Whether to remove the log, the checkpoint and the result of an earlier run.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        for name in _OF_A_RUN:
            (folder / name).unlink(missing_ok=True)
    save_yaml(config, folder / "config.yaml")
    save_json(folder / "data.json", facts)


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


def save_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values as indented JSON, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
