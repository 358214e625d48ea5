"""``neurdsp drumsep train`` and ``export``: a network of our own, from a bank to a model file."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from neurdsp import _guard as guard
from neurdsp._options import (
    ConfigFile,
    Json,
    Minutes,
    NetworkName,
    NumberType,
    Overrides,
    RemoveEarlier,
    Resume,
    Steps,
    check_resume,
    settings_of,
)
from neurdsp.drumsep.commands.options import Bank, Preset

__all__ = ["export", "train"]


@guard.guarded
def train(
    bank: Bank,
    run_dir: Annotated[
        Path,
        typer.Option("--run-dir", "-r", help="Folder for the configuration, the log and the checkpoint."),
        guard.FOLDER,
    ],
    preset: Preset = "draft",
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Steps = None,
    overrides: Overrides = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Model file, or name of a shipped network, whose weights training begins with, instead of "
            "random ones."
        ),
        guard.READS,
    ] = None,
    resume: Resume = False,
    overwrite: RemoveEarlier = False,
    as_json: Json = False,
) -> None:
    """Train the causal network on mixtures that are rendered from a bank.

    Ctrl-C stops the run; --resume continues it. 'neurdsp drumsep export' makes a model file of it any time.
    """
    from neurdsp.console import print_table
    from neurdsp.dependencies import require
    from neurdsp.drumsep.bandsplit.recipe import load_recipe

    for module in ("torch", "scipy"):
        require(module, extra="train", purpose="drumsep train")
    from neurdsp.drumsep.bandsplit.start import read_start
    from neurdsp.drumsep.bandsplit.train import train as run

    check_resume(resume=resume, overwrite=overwrite)
    recipe = load_recipe(preset, path=config_path, overrides=settings_of(overrides, minutes, steps))
    begin = None if start is None else read_start(start, recipe.model)
    result = run(
        recipe,
        bank,
        run_dir=run_dir,
        resume=resume,
        show=True,
        overwrite=overwrite,
        config_path=config_path,
        start=None if begin is None else begin.state,
        source="" if begin is None else begin.fingerprint,
        sources=() if begin is None else [begin.path],
    )
    if as_json:
        typer.echo(json.dumps(result.to_json()))
        return
    figures = [
        (name.removesuffix("_sdr_db"), f"{value:.1f} dB")
        for name, value in result.metrics.items()
        if name.endswith("_sdr_db")
    ]
    summary = result.summary
    print_table(
        [
            ("network", f"{result.n_parameters:,} parameters"),
            ("trained", f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})"),
            ("SDR on held-out kits", f"{result.metrics.get('sdr_db', float('nan')):.2f} dB"),
            *figures,
        ]
    )


@guard.guarded
def export(
    run_dir: Annotated[
        Path, typer.Argument(help="Folder of a run, which may still be going on."), guard.READS
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.FILE],
    weights: Annotated[
        Literal["best", "average", "last"],
        typer.Option(help="best by validation, average of the last steps, or the last step's."),
    ] = "best",
    dtype: NumberType = "F16",
    name: NetworkName = "",
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Write the network of a run to a model file that proves itself, and verify it in the engine."""
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    require("torch", extra="train", purpose="drumsep export")
    from neurdsp.drumsep.bandsplit.train import export_run

    verdict = export_run(run_dir, output, which=weights, dtype=dtype, name=name)
    if as_json:
        typer.echo(
            json.dumps({"output": str(output), "error_db": verdict.error_db, "passed": verdict.passed})
        )
        return
    print_table(
        [
            ("output", f"{output}, {output.stat().st_size / 1e6:.2f} MB"),
            ("engine", f"{verdict.error_db:.1f} dB from torch"),
        ]
    )
