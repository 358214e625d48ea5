"""The folder of a run: what is written first, and whether what lies there can be resumed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neurdsp._output import atomic_output
from neurdsp.config import Config, load_yaml, save_yaml
from neurdsp.errors import ConfigError

__all__ = ["begin_run", "check_resumable", "save_json"]


def begin_run(folder: Path, config: Config, facts: Mapping[str, Any], *, fresh: bool) -> None:
    """Make the run folder, and write what the run is; a fresh one removes what an older one left."""
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        for name in ("metrics.jsonl", "checkpoint.pt", "result.json"):
            (folder / name).unlink(missing_ok=True)
    save_yaml(config, folder / "config.yaml")
    save_json(folder / "data.json", facts)


def check_resumable(
    folder: Path, config: Any, facts: Mapping[str, Any], *, build_config: Callable[..., Any]
) -> None:
    """Refuse to resume with another network, loss, data section or recording than the run began with."""
    if not (folder / "checkpoint.pt").is_file():
        raise ConfigError(f"{folder}: there is no run to resume; start it without --resume")
    before = build_config(load_yaml(folder / "config.yaml"), source=str(folder / "config.yaml"))
    free = {"minutes", "steps", "target_score", "threads", "device", "validate_seconds", "validate_steps"}
    free |= {"tensorboard", "precision", "compile"}
    old, new = before.model_dump(), config.model_dump()
    if before.architecture != config.architecture:
        raise ConfigError(
            f"{folder}: the run began with architecture = {before.architecture}, now it is "
            f"{config.architecture}; set it back, or start a new run"
        )
    for section in ("model", "data", "loss", "training"):
        for key, value in new[section].items():
            if old[section][key] != value and not (section == "training" and key in free):
                raise ConfigError(
                    f"{folder}: the run began with {section}.{key} = {old[section][key]}, now it is "
                    f"{value}; set it back, or start a new run"
                )
    try:
        fingerprint = json.loads((folder / "data.json").read_text(encoding="utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{folder}: data.json is missing or damaged; start a new run") from None
    if fingerprint != facts["fingerprint"]:
        raise ConfigError(f"{folder}: the run began with other recordings; name those, or start a new run")


def save_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values in one step, for people too."""
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
