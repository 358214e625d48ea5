"""Options that the commands of training share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurdsp import _guard as guard
from neurdsp.errors import ParameterError

if TYPE_CHECKING:
    from neurdsp.music.recipe import Recipe

__all__ = [
    "ConfigFile",
    "Data",
    "Json",
    "Minutes",
    "NetworkName",
    "Overrides",
    "Precision",
    "Resume",
    "RunFolder",
    "Steps",
    "recipe_of",
    "run_folder",
    "show_steps",
]

Data = Annotated[Path, typer.Argument(help="File of 'neurdsp music prepare'."), guard.READS]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file instead of the preset."), guard.READS
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
Precision = Annotated[Literal["float32", "int8"], typer.Option(help="Number type of the matrices.")]
NetworkName = Annotated[str, typer.Option(help="Name of the network, for its metadata.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def recipe_of(
    preset: str,
    path: Path | None,
    overrides: Sequence[str] | None,
    minutes: float | None,
    steps: int | None,
    *,
    first: Sequence[str] = (),
) -> "Recipe":
    """Return the recipe of a command; settings of the user come behind ``first``, so they count.

    Raises
    ------
    ParameterError
        If two budgets are given.
    """
    from neurdsp.music.recipe import load_recipe

    if minutes is not None and steps is not None:
        raise ParameterError("--minutes and --steps are both given; give one of them")
    settings = [*first, *(overrides or ())]
    if minutes is not None:
        settings += [f"training.minutes={minutes}", "training.steps=null"]
    if steps is not None:
        settings += ["training.minutes=null", f"training.steps={steps}"]
    return load_recipe(preset, path=path, overrides=settings)


def run_folder(output: Path, run_dir: Path | None) -> Path:
    """Return the folder of a run whose model goes to a file."""
    return run_dir or output.with_suffix(".run")


def show_steps(steps: Sequence[Any]) -> None:
    """Print the figures of the files of a compression, a row each."""
    from rich.console import Console
    from rich.table import Table

    names = [name for name in steps[0].metrics if name != "score"]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "parameters", "kB of weights", *names):
        table.add_column(title.replace("_", " "), justify="left" if not title else "right")
    for step in steps:
        figures = [f"{step.metrics.get(name, float('nan')):.3g}" for name in names]
        size = f"{step.weight_bytes / 1e3:.1f}"
        table.add_row(f"{step.name}, {step.precision}", f"{step.parameters:,}", size, *figures)
    Console(highlight=False, width=110).print(table)
