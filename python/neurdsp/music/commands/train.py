"""``neurdsp music prepare``, ``train``, ``export`` and ``evaluate``: from data sets to judged model files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp._options import (
    Json,
    Minutes,
    NetworkName,
    Overrides,
    RemoveEarlier,
    Resume,
    Steps,
    check_resume,
)
from neurdsp.music.commands.options import ConfigFile, Data, Precision, open_data, recipe_of

__all__ = ["evaluate", "export", "prepare", "train"]


@guard.guarded
def prepare(
    network: Annotated[str, typer.Argument(help="Name of the network that the data are for.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write (.safetensors)."), guard.FILE],
    groove: Annotated[
        Path | None, typer.Option(help="Groove MIDI: a folder, or its archive."), guard.READS
    ] = None,
    pop909: Annotated[
        Path | None, typer.Option(help="POP909: a folder, or its archive."), guard.READS
    ] = None,
    music21: Annotated[
        bool, typer.Option("--music21", help="Read the corpus of the package music21.")
    ] = False,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont to render with."), guard.READS] = None,
    as_json: Json = False,
) -> None:
    """Read data sets, and write what a network is trained on, by split.

    groove needs --groove; dynamics needs --groove and --pop909; emotion needs --soundfont and fluidsynth.
    """
    from neurdsp.console import Progress, print_table
    from neurdsp.music.tasks import Sources, task_of

    sources = Sources(groove=groove, pop909=pop909, music21=music21, soundfont=soundfont)
    entry = task_of(network)
    with Progress("reading", total=1.0) as progress:
        before = 0.0

        def show(done: int, of_all: int) -> None:
            nonlocal before
            share = min(done / max(of_all, 1), 1.0)
            progress.advance(share - before)
            before = share

        data = entry.prepare(sources, progress=show)
    data.save(output)
    if as_json:
        typer.echo(json.dumps({"output": str(output), "facts": dict(data.facts)}))
        return
    size = f"{output.stat().st_size / 1e6:.1f} MB"
    facts = [(name, str(value)) for name, value in data.facts.items()]
    print_table([("output", f"{output}, {size}"), *facts])


@guard.guarded
def train(
    network: Annotated[
        str, typer.Argument(help="Name of a network, or all: each that has data, one after another.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            help="File of 'neurdsp music prepare'; for all, a folder with groove.safetensors and so on."
        ),
        guard.READS,
    ],
    run_dir: Annotated[
        Path,
        typer.Option("--run-dir", "-r", help="Folder for the run; for all, one with a folder for each."),
        guard.FOLDER,
    ],
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Steps = None,
    overrides: Overrides = None,
    resume: Resume = False,
    overwrite: RemoveEarlier = False,
    as_json: Json = False,
) -> None:
    """Train a network on prepared data. Ctrl-C stops the run, and --resume continues it.

    'neurdsp music export' makes a model file of the run at any time.
    """
    from neurdsp.console import print_table
    from neurdsp.dependencies import require
    from neurdsp.errors import ParameterError

    require("torch", extra="train", purpose="music train")
    from neurdsp.music.tasks import TASKS
    from neurdsp.music.train import train as run

    check_resume(resume=resume, overwrite=overwrite)
    every = network == "all"
    if every and config_path is not None:
        raise ParameterError("--config is for one network; give its name instead of all")
    names = [network]
    if every:
        names = [entry.name for entry in TASKS if (data / f"{entry.name}.safetensors").is_file()]
        if not names:
            raise ParameterError(f"{data} has no data of a network; 'neurdsp music prepare' makes them")
    results = []
    for name in names:
        source = data / f"{name}.safetensors" if every else data
        recipe = recipe_of(name, config_path, overrides, minutes, steps)
        folder = run_dir / name if every else run_dir
        goes_on = resume and (not every or (folder / "checkpoint.pt").is_file())
        result = run(
            recipe,
            open_data(source, recipe.network),
            run_dir=folder,
            resume=goes_on,
            show=True,
            overwrite=overwrite,
            inputs=[source, *([] if config_path is None else [config_path])],
        )
        results.append(result)
    if as_json:
        found = [result.to_json() for result in results]
        typer.echo(json.dumps(found if every else found[0]))
        return
    for result in results:
        summary = result.summary
        figures = [(name.replace("_", " "), f"{value:.4g}") for name, value in result.metrics.items()]
        trained = f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})"
        print_table(
            [
                ("network", f"{result.network}, {result.n_parameters:,} parameters"),
                ("trained", trained),
                *figures,
            ]
        )


@guard.guarded
def export(
    run_dir: Annotated[
        Path, typer.Argument(help="Folder of a run, which may still be going on."), guard.READS
    ],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.FILE],
    precision: Precision = "float32",
    name: NetworkName = "",
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Json = False,
) -> None:
    """Write the network of a run to a model file with its figures, and verify it in the engine."""
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    require("torch", extra="train", purpose="music export")
    from neurdsp.music.train import export_run, load_trained

    recipe = load_trained(run_dir)[1]
    verdict = export_run(run_dir, open_data(data, recipe.network), output, precision=precision, name=name)
    if as_json:
        found = {"output": str(output), "error_db": verdict.error_db, "passed": verdict.passed}
        typer.echo(json.dumps(found))
        return
    size = f"{output.stat().st_size / 1e3:.1f} kB"
    print_table([("output", f"{output}, {size}"), ("engine", f"{verdict.error_db:.1f} dB from torch")])


@guard.guarded
def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file."), guard.READS],
    data: Data,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    config_path: ConfigFile = None,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Judge a model file by the engine, beside what is known without a network."""
    from rich.console import Console
    from rich.table import Table

    from neurdsp.dependencies import require
    from neurdsp.errors import ParameterError
    from neurdsp.music.dataset import SPLITS
    from neurdsp.music.evaluate import evaluate as run
    from neurdsp.music.network import MusicNetwork

    require("torch", extra="train", purpose="music evaluate")
    if split not in SPLITS:
        raise ParameterError(f"split is '{split}', but must be one of {', '.join(SPLITS)}")
    name = MusicNetwork(model).name
    recipe = recipe_of(name, config_path, overrides, None, None)
    found = run(model, open_data(data, name), split=split, recipe=recipe)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    columns = {f"{name}, {found.precision}": found.metrics, **found.baselines}
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(split)
    for title in columns:
        table.add_column(title.replace("_", " "), justify="right")
    for figure in found.metrics:
        if figure != "score":
            cells = [f"{column[figure]:.4g}" if figure in column else "–" for column in columns.values()]
            table.add_row(figure.replace("_", " "), *cells)
    Console(highlight=False, width=110).print(table)
