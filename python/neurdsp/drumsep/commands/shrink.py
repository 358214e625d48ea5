"""``neurdsp drumsep distil`` and ``prune``: a smaller network from a separator that exists."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neurdsp import _guard as guard
from neurdsp._options import (
    ConfigFile,
    Json,
    Minutes,
    NetworkName,
    NumberType,
    Overrides,
    Resume,
    RunFolder,
    Steps,
    run_folder,
    settings_of,
)
from neurdsp.drumsep.commands.options import Bank, ModelFile, Preset

if TYPE_CHECKING:
    from neurdsp.drumsep.bandsplit.prune import Measured

__all__ = ["distil", "prune"]

_TUNING = ["training.learning_rate=0.001", "training.ema_decay=0.98", "training.warmup_steps=20"]


@guard.guarded
def distil(
    teacher: Annotated[
        Path, typer.Argument(help="Model file of any separator, or the name of a shipped one."), guard.READS
    ],
    bank: Bank,
    output: ModelFile,
    run_dir: RunFolder = None,
    weight: Annotated[
        float, typer.Option(help="The teacher's part of the targets, beside the true stems.")
    ] = 0.5,
    recordings: Annotated[
        Path | None,
        typer.Option(help="Folder of recordings without stems, to learn from the teacher on."),
        guard.READS,
    ] = None,
    unlabelled: Annotated[float, typer.Option(help="Part of the steps that hear --recordings.")] = 0.3,
    tier: Annotated[
        Literal["exact", "balanced", "fast", "turbo"] | None,
        typer.Option(help="Of an MDX23C teacher; fast by default."),
    ] = None,
    preset: Preset = "draft",
    config_path: ConfigFile = None,
    minutes: Minutes = None,
    steps: Steps = None,
    overrides: Overrides = None,
    dtype: NumberType = "F16",
    name: NetworkName = "",
    resume: Resume = False,
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a small network on the stems that another separator gives.

    The teacher runs in the engine on each rendered mixture; its stems and the true ones are mixed. --set
    model.width=32 and the like make the student smaller. Ctrl-C stops the run, and --resume continues it.
    """
    from neurdsp.console import print_table
    from neurdsp.dependencies import require
    from neurdsp.drumsep.bandsplit.recipe import load_recipe

    for module in ("torch", "scipy"):
        require(module, extra="train", purpose="drumsep distil")
    from neurdsp.drumsep.bandsplit.distil import distil as run

    guard.check_new(output, overwrite=overwrite or resume)
    settings = [*settings_of(overrides, minutes, steps), f"loss.teacher={weight}"]
    settings += [f"data.unlabelled={0 if recordings is None else unlabelled}"]
    result = run(
        teacher,
        bank,
        output,
        load_recipe(preset, path=config_path, overrides=settings),
        run_dir=run_folder(output, run_dir),
        recordings=recordings,
        tier=tier,
        dtype=dtype,
        name=name,
        resume=resume,
        show=True,
        config_path=config_path,
    )
    if as_json:
        typer.echo(json.dumps({"output": str(output), **result.to_json()}))
        return
    summary = result.run.summary
    print_table(
        [
            ("output", f"{output}, {output.stat().st_size / 1e6:.2f} MB"),
            ("network", f"{result.run.n_parameters:,} parameters"),
            ("trained", f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})"),
            ("SDR on test kits", _ratios(result.sdr_db)),
        ]
    )


@guard.guarded
def prune(
    model: Annotated[
        Path, typer.Argument(help="Band-split model file, or the name of a shipped one."), guard.READS
    ],
    bank: Bank,
    output: ModelFile,
    keep: Annotated[float, typer.Option(help="Part of the units that stay.")] = 0.5,
    run_dir: RunFolder = None,
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="Whose mixtures and training to take: draft or tiny.")
    ] = "draft",
    config_path: ConfigFile = None,
    minutes: Annotated[
        float | None, typer.Option(help="Time to train what is left; 0 leaves it as it is. [default: 5]")
    ] = None,
    steps: Steps = None,
    overrides: Overrides = None,
    dtype: NumberType = "F16",
    name: NetworkName = "",
    resume: Resume = False,
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Take the least important units out of a network, and train what is left.

    Units of the recurrences, the mixers and the head are pruned by the loss's change without them, on
    rendered mixtures. The engine runs the result as any network of its kind.
    """
    from neurdsp.dependencies import require
    from neurdsp.drumsep.bandsplit.recipe import load_recipe

    for module in ("torch", "scipy"):
        require(module, extra="train", purpose="drumsep prune")
    from neurdsp.drumsep.bandsplit.prune import prune as run

    guard.check_new(output, overwrite=overwrite or resume)
    tune = 0 not in (minutes, steps)
    budget = 5.0 if minutes is None and steps is None else minutes
    own = settings_of(overrides, budget if tune else None, steps if tune else None)
    # Settings of the user come behind, so they count.
    recipe = load_recipe(preset, path=config_path, overrides=[*([] if config_path else _TUNING), *own])
    result = run(
        model,
        bank,
        output,
        recipe,
        keep=keep,
        tune=tune,
        run_dir=run_folder(output, run_dir),
        dtype=dtype,
        name=name,
        resume=resume,
        show=True,
        config_path=config_path,
    )
    if as_json:
        typer.echo(json.dumps({"output": str(output), **result.to_json()}))
        return
    _print([("before", result.before), ("pruned", result.pruned), ("trained on", result.tuned)])


def _print(rows: "list[tuple[str, Measured | None]]") -> None:
    from rich.console import Console
    from rich.table import Table

    stems = list(rows[0][1].sdr_db) if rows[0][1] else []
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "parameters", "MMAC/s", *stems, "mean SDR"):
        table.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for title, found in rows:
        if found is not None:
            ratios = [f"{found.sdr_db.get(stem, float('nan')):.2f}" for stem in stems]
            costs = [f"{found.n_parameters:,}", f"{found.macs_per_second / 1e6:.0f}"]
            table.add_row(title, *costs, *ratios, f"{found.mean_sdr_db:.2f}")
    Console(highlight=False, width=100).print(table)


def _ratios(found: Mapping[str, float]) -> str:
    mean = sum(found.values()) / max(len(found), 1)
    return ", ".join([f"{mean:.2f} dB", *(f"{name} {value:.1f}" for name, value in found.items())])
