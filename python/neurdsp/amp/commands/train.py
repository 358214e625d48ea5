"""The commands ``neurdsp amp train``, ``train-many`` and ``presets``."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import options

if TYPE_CHECKING:
    from neurdsp.amp.config import PresetInfo

__all__ = ["presets", "train", "train_many"]

_GROUPS = {
    "": "WaveNets with long kernels, for this trainer",
    "a1-": "NAM's first WaveNets",
    "a2-": "NAM's second WaveNets",
    "lstm-": "NAM's LSTMs, which learn slowly",
    "seed-": "Residual WaveNets, channels x layers",
    "real-": "Residual WaveNets with as many parameters as they say",
}
"""Titles of groups of presets, by how their names begin."""


@guard.guarded
@options.described()
def train(
    input_path: Annotated[
        Path, typer.Argument(metavar="IN.wav", help="Input of the device, mono."), guard.READS
    ],
    output_path: Annotated[
        Path,
        typer.Argument(metavar="OUT.wav", help="Output of the device, mono, at the same sample rate."),
        guard.READS,
    ],
    model_path: options.ModelPath,
    preset: options.Preset = None,
    config_path: options.Config = None,
    minutes: options.Minutes = None,
    steps: options.Steps = None,
    esr: options.Esr = None,
    overrides: options.Set = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the initial weights and the crops.")] = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    run_dir: options.RunDir = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html into the run folder.")
    ] = True,
    about: options.About = (),
    as_json: options.Json = False,
) -> None:
    """Train an amp model on a recording of a device, and measure the exported file with the engine.

    Ctrl-C stops the run and keeps the best model so far.
    """
    from neurdsp.amp.config import load_config
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    settings = options.budget_settings(overrides, minutes=minutes, steps=steps, esr=esr, seed=seed)
    settings += about
    config = load_config(preset, file=config_path, overrides=settings)

    require("torch", extra="train", purpose="neurdsp amp train")
    from neurdsp.amp.train import train as run

    folder = run_dir or Path("runs") / model_path.stem
    result = run(
        config,
        input_path,
        output_path,
        model_path=model_path,
        run_dir=folder,
        resume=resume,
        show=not as_json,
        report=report,
        overwrite=overwrite,
        config_path=config_path,
    )
    if int(os.environ.get("RANK", "0")) > 0:  # only one process of torchrun prints
        return
    if result.older_model:
        typer.echo(f"note: {result.older_model}", err=True)
    if as_json:
        typer.echo(json.dumps(result.to_json()))
        return
    summary = result.summary
    print_table(
        [
            ("model", f"{result.model_path}, {result.n_parameters:,} parameters"),
            (
                "error-to-signal ratio",
                f"{result.esr:.3g}  (this file, played by the engine, on held-out audio)",
            ),
            ("  pre-emphasised", f"{result.pre_emphasised_esr:.3g}"),
            ("spectral distance", f"{result.spectral_distance:.3g}"),
            ("latency", f"{result.latency_samples} samples, confidence {result.confidence:.2f}"),
            ("trained", f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})"),
            ("rate", f"{summary.samples_per_second:,.0f} samples/s"),
            ("run folder", str(result.run_dir)),
            *([("report", str(result.run_dir / "report.html"))] if report else []),
        ]
    )


@guard.guarded
@options.described(name=False)
def train_many(
    input_path: Annotated[
        Path, typer.Argument(metavar="IN.wav", help="Input of the devices, mono."), guard.READS
    ],
    output_paths: Annotated[
        list[Path],
        typer.Argument(metavar="OUT.wav...", help="Output of each, at the same sample rate."),
        guard.READS,
    ],
    folder: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for models, runs and leaderboard."),
        guard.FOLDER,
    ],
    preset: options.Preset = None,
    config_path: options.Config = None,
    minutes: options.Minutes = None,
    steps: options.Steps = None,
    esr: options.Esr = None,
    overrides: options.Set = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    about: options.About = (),
    as_json: options.Json = False,
) -> None:
    """Train a model for each of several captures of one input, and rank the models by their error.

    A capture that cannot be used does not stop the others; the exit status is then 1.
    """
    from dataclasses import asdict

    from neurdsp.amp.config import load_config
    from neurdsp.dependencies import require

    settings = options.budget_settings(overrides, minutes=minutes, steps=steps, esr=esr, seed=None)
    settings += about
    config = load_config(preset, file=config_path, overrides=settings)

    require("torch", extra="train", purpose="neurdsp amp train-many")
    from neurdsp.amp.train_many import train_many as run

    def started(name: str) -> None:
        if not as_json:
            typer.echo(f"{name}:", err=True)

    entries = run(
        config,
        input_path,
        output_paths,
        folder=folder,
        resume=resume,
        show=not as_json,
        started=started,
        overwrite=overwrite,
        config_path=config_path,
    )
    for entry in entries:
        if entry.older_model:
            typer.echo(f"note: {entry.older_model}", err=True)
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries]))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0))
        for title in ("", "capture", "ESR", "pre-emphasised", "spectral", "ended by"):
            table.add_column(title, justify="left" if title in ("capture", "ended by") else "right")
        for place, entry in enumerate(entries, 1):
            if entry.esr is None:
                table.add_row("", entry.name, "", "", "", entry.error)
                continue
            figures = (entry.esr, entry.pre_emphasised_esr, entry.spectral_distance)
            table.add_row(
                str(place),
                entry.name,
                *(f"{value:.3g}" for value in figures if value is not None),
                entry.stopped,
            )
        Console(highlight=False).print(table)
    if any(entry.error for entry in entries):
        raise typer.Exit(1)


def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the presets, with their true numbers of parameters, and the amps that come with neurdsp."""
    from dataclasses import asdict

    from neurdsp.amp.catalogue import describe_amps
    from neurdsp.amp.config import describe_presets

    found, amps = describe_presets(), describe_amps()
    if as_json:
        lists = {"presets": [asdict(one) for one in found], "amps": [asdict(one) for one in amps]}
        typer.echo(json.dumps(lists))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    titles = ("preset", "parameters", "memory")
    widths = [max(map(len, (titles[0], *(preset.name for preset in found)))), len(titles[1]), 7]
    for number, (group, members) in enumerate(_grouped(found)):
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for title, width in zip(titles, widths, strict=True):
            table.add_column(width=width, no_wrap=True, justify="left" if title == "preset" else "right")
        table.add_column()
        if number == 0:
            table.add_row(*(Text(title, style="dim") for title in titles))
        for preset in members:
            sizes = (f"{preset.n_parameters:,}", f"{preset.receptive_field:,}")
            table.add_row(preset.name, *sizes, preset.description)
        console.print(Text(group, style="bold"))
        console.print(table)
        console.print()
    console.print(Text("Memory is the receptive field in samples.", style="dim"))
    console.print()
    shipped = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("amp", "knobs", "ESR"):
        shipped.add_column(title, no_wrap=True)
    shipped.add_column()
    for amp in amps:
        ratio = "" if amp.test_esr is None else f"{amp.test_esr:.2g}"
        shipped.add_row(amp.name, ", ".join(amp.knobs), ratio, amp.description)
    console.print(Text("The amps that come with neurdsp", style="bold"))
    console.print(shipped)


def _grouped(found: "list[PresetInfo]") -> "list[tuple[str, list[PresetInfo]]]":
    """Return the presets in groups of one kind of network, each with a title; none is left out."""
    groups: dict[str, list[PresetInfo]] = {title: [] for title in _GROUPS.values()}
    for preset in found:
        start = max((start for start in _GROUPS if preset.name.startswith(start)), key=len)
        groups[_GROUPS[start]].append(preset)
    return [(title, members) for title, members in groups.items() if members]
