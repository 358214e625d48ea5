"""Options of commands, for those that several families have; those of one family are in its ``commands``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from neurdsp import _guard as guard
from neurdsp.errors import ParameterError

__all__ = [
    "Address",
    "Cluster",
    "ConfigFile",
    "Json",
    "Minutes",
    "NetworkName",
    "NumberType",
    "Overrides",
    "RemoveEarlier",
    "Resume",
    "RunFolder",
    "Steps",
    "check_cluster",
    "check_resume",
    "run_folder",
    "settings_of",
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

# Of trainings.
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file instead of a preset."), guard.READS
]
Minutes = Annotated[float | None, typer.Option(help="Time to train for.")]
Steps = Annotated[int | None, typer.Option(help="Steps to train for, instead of a time.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeatable.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --run-dir.")]
RemoveEarlier = Annotated[
    bool,
    typer.Option("--overwrite", help="Remove an earlier run in --run-dir; otherwise it moves to earlier/."),
]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run-dir", "-r", help="Folder for the run; by default OUTPUT.run, without its suffix."),
    guard.FOLDER,
]
NumberType = Annotated[Literal["F16", "F32", "BF16"], typer.Option(help="Number type of the weights.")]
NetworkName = Annotated[str, typer.Option(help="Name of the network, for its metadata.")]

# Of work on many files.
Cluster = Annotated[
    bool, typer.Option("--cluster", help="Run on a Ray cluster: that of --address, or one started here.")
]
Address = Annotated[str | None, typer.Option(help="Head of the cluster: HOST:PORT, ray://HOST:PORT or auto.")]


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


def check_resume(*, resume: bool, overwrite: bool) -> None:
    """Refuse to continue a run that shall be removed.

    Raises
    ------
    ParameterError
        If both are given.
    """
    if resume and overwrite:
        raise ParameterError("--resume and --overwrite are both given; give one of them")


def run_folder(output: Path, run_dir: Path | None) -> Path:
    """Return the folder of a run whose model goes to a file."""
    return run_dir or output.with_suffix(".run")


def check_cluster(*, cluster: bool, address: str | None) -> None:
    """Refuse the address of a cluster without one.

    Raises
    ------
    ParameterError
        If only the address is given.
    """
    if address is not None and not cluster:
        raise ParameterError("--address is the address of a cluster; give --cluster too")
