"""``neurdsp music prune``, ``distil`` and ``quantise``: smaller networks, each step with its figures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurdsp import _guard as guard
from neurdsp._options import Json, Minutes, NetworkName, Overrides, Resume, RunFolder, Steps, run_folder
from neurdsp.music.commands.options import ConfigFile, Data, Precision, open_data, recipe_of, show_steps

if TYPE_CHECKING:
    from neurdsp.music.prune import Compressed

__all__ = ["distil", "prune", "quantise"]

Model = Annotated[
    Path, typer.Argument(help="Model file, or the name of a network that comes with neurdsp."), guard.READS
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.MODEL]
Teacher = Annotated[float, typer.Option("--teacher", help="Part of the loss that asks for its answers.")]
#: What is trained on is near already: lower rates, and half the steps.
_TUNING = ("training.learning_rate=0.001", "training.warmup_steps=20")


@guard.guarded
def prune(
    model: Model,
    data: Data,
    output: Output,
    keep: Annotated[float, typer.Option(help="Part of the parameters that stays.")] = 0.5,
    teacher: Teacher = 0.5,
    run_dir: RunFolder = None,
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps to train what is left; 0 leaves it as it is.")
    ] = None,
    overrides: Overrides = None,
    precision: Precision = "float32",
    name: NetworkName = "",
    resume: Resume = False,
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Take the least important units out of a network, and train what is left.

    Units go by gradient times weight on training batches; the network that it was teaches what is left.
    """
    from neurdsp.dependencies import require
    from neurdsp.music.lookup import find_network

    require("torch", extra="train", purpose="music prune")
    from neurdsp.music.prune import prune as run

    guard.check_new(output, overwrite=overwrite or resume)
    source, tune = find_network(model), steps != 0
    first = [*_TUNING, f"teacher={teacher if tune else 0}"]
    recipe = recipe_of(_name(source), config_path, overrides, minutes, steps or None, first=first)
    result = run(
        source,
        open_data(data, recipe.network),
        output,
        recipe,
        run_dir=run_folder(output, run_dir),
        keep=keep,
        tune=tune,
        precision=precision,
        name=name,
        resume=resume,
        show=True,
    )
    _tell(result, output, as_json)


@guard.guarded
def distil(
    model: Model,
    data: Data,
    output: Output,
    teacher: Teacher = 0.7,
    run_dir: RunFolder = None,
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Steps = None,
    overrides: Overrides = None,
    precision: Precision = "float32",
    name: NetworkName = "",
    resume: Resume = False,
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a network of another shape on what a teacher says: --set model.first=64 makes it smaller."""
    from neurdsp.dependencies import require
    from neurdsp.music.lookup import find_network

    require("torch", extra="train", purpose="music distil")
    from neurdsp.music.prune import distil as run

    guard.check_new(output, overwrite=overwrite or resume)
    source = find_network(model)
    recipe = recipe_of(_name(source), config_path, overrides, minutes, steps, first=[f"teacher={teacher}"])
    result = run(
        source,
        open_data(data, recipe.network),
        output,
        recipe,
        run_dir=run_folder(output, run_dir),
        precision=precision,
        name=name,
        resume=resume,
        show=True,
    )
    _tell(result, output, as_json)


@guard.guarded
def quantise(
    model: Model,
    data: Data,
    output: Output,
    teacher: Teacher = 0.5,
    run_dir: RunFolder = None,
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps to train in int8; 0 rounds the weights as they are.")
    ] = None,
    overrides: Overrides = None,
    name: NetworkName = "",
    resume: Resume = False,
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a network on in the arithmetic of int8, and write it in int8."""
    from neurdsp.dependencies import require
    from neurdsp.music.lookup import find_network

    require("torch", extra="train", purpose="music quantise")
    from neurdsp.music.prune import quantise as run

    guard.check_new(output, overwrite=overwrite or resume)
    source, tune = find_network(model), steps != 0
    first = [*_TUNING, f"teacher={teacher if tune else 0}"]
    recipe = recipe_of(_name(source), config_path, overrides, minutes, steps or None, first=first)
    result = run(
        source,
        open_data(data, recipe.network),
        output,
        recipe,
        run_dir=run_folder(output, run_dir),
        tune=tune,
        name=name,
        resume=resume,
        show=True,
    )
    _tell(result, output, as_json)


def _name(source: Path) -> str:
    from neurdsp.music.network import MusicNetwork

    return MusicNetwork(source).name


def _tell(result: "Compressed", output: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"output": str(output), **result.to_json()}))
        return
    show_steps(result.steps)
