"""Options that the commands of training share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from neurdsp import _guard as guard
from neurdsp.errors import ParameterError

__all__ = [
    "ConfigFile",
    "Minutes",
    "ModelName",
    "NumberType",
    "Overrides",
    "Preset",
    "Resume",
    "RunFolder",
    "Steps",
    "run_folder",
    "settings_of",
]

Preset = Annotated[str, typer.Option("--preset", "-p", help="draft, or tiny to try it.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file instead of a preset."), guard.READS
]
Minutes = Annotated[float | None, typer.Option(help="Time to train for.")]
Steps = Annotated[int | None, typer.Option(help="Steps to train for, instead of a time.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeatable.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --run-dir.")]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run-dir", "-r", help="Folder for the run; by default OUTPUT.run, without its suffix."),
    guard.FOLDER,
]
NumberType = Annotated[Literal["F16", "F32", "BF16"], typer.Option(help="Number type of the weights.")]
ModelName = Annotated[str, typer.Option(help="Name of the network, for its metadata.")]


def settings_of(overrides: Sequence[str] | None, minutes: float | None, steps: int | None) -> list[str]:
    """Return all settings as ``KEY=VALUE``, with the budget.

    Raises
    ------
    ParameterError
        If two budgets are given.
    """
    if minutes is not None and steps is not None:
        raise ParameterError("--minutes and --steps are both given; give one of them")
    settings = list(overrides or ())
    if minutes is not None:
        settings += [f"training.minutes={minutes}", "training.steps=null"]
    if steps is not None:
        settings += ["training.minutes=null", f"training.steps={steps}"]
    return settings


def run_folder(output: Path, run_dir: Path | None) -> Path:
    """Return the folder of a run whose model goes to a file."""
    return run_dir or output.with_suffix(".run")
