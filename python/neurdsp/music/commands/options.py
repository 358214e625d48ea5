"""Options that several commands share: those that play networks, and those that train them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurdsp import _guard as guard
from neurdsp._options import settings_of

if TYPE_CHECKING:
    from neurdsp.music.dataset import Dataset
    from neurdsp.music.recipe import Recipe

__all__ = [
    "ConfigFile",
    "Data",
    "Models",
    "Output",
    "Precision",
    "open_data",
    "recipe_of",
    "show_steps",
]

Models = Annotated[
    str, typer.Option("--models", help="Folder with model files; by default those that come with neurdsp.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="MIDI file to write."), guard.FILE]

# Of training.
Data = Annotated[Path, typer.Argument(help="File of 'neurdsp music prepare'."), guard.READS]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file instead of the preset."), guard.READS
]
Precision = Annotated[Literal["float32", "int8"], typer.Option(help="Number type of the matrices.")]


def open_data(path: Path, network: str) -> "Dataset":
    """Return the prepared data of a network."""
    from neurdsp.music.dataset import open_dataset

    return open_dataset(path, task=network)


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

    return load_recipe(preset, path=path, overrides=[*first, *settings_of(overrides, minutes, steps)])


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
