"""``neurdsp drumsep separate`` and ``list``."""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp import _guard as guard

__all__ = ["list_networks", "separate"]


@guard.guarded
def separate(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="Recording.", show_default=False),
        guard.READS,
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the stems."), guard.FOLDER],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model file, or the name of a shipped network.")
    ] = "draft",
    tier: Annotated[
        str | None,
        typer.Option(help="exact, balanced (default), fast, turbo; draft for the shipped network."),
    ] = None,
    stems: Annotated[
        str | None, typer.Option(help="Stems to write, such as kick,snare; all of them by default.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--format", help="float (WAV), wav24, wav16 or flac; all but float clip.")
    ] = "float",
    gain: Annotated[float, typer.Option(metavar="DB", help="Gain of all stems alike.")] = 0.0,
    residual: Annotated[bool, typer.Option("--residual", help="Write what is in no stem, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take a drum recording apart into stems, one file each."""
    from neurdsp.console import Progress, print_table
    from neurdsp.drumsep.infer import DrumSeparator

    settings: Any = {"tier": tier}
    chosen: Any = kind
    started = time.monotonic()
    separator = DrumSeparator.load(model)
    with Progress("separating", 1.0) as bar:
        done = separator.separate_file(
            source,
            output,
            stems=None if stems is None else [name.strip() for name in stems.split(",")],
            residual=residual,
            file_format=chosen,
            gain_db=gain,
            progress=lambda _, total: bar.advance(1 / total),
            **settings,
        )
    elapsed_s = time.monotonic() - started
    for text in done.warnings:
        typer.echo(f"neurdsp: {source}: warning: {text}", err=True)
    if as_json:
        # JSON has no infinity: the peak of silence is null.
        peaks = {name: peak if math.isfinite(peak) else None for name, peak in done.peaks_db.items()}
        outputs = {name: str(path) for name, path in done.outputs.items()}
        typer.echo(
            json.dumps({**asdict(done), "outputs": outputs, "peaks_db": peaks, "elapsed_s": elapsed_s})
        )
        return
    rows = [(name, f"{path}, peak {done.peaks_db[name]:.1f} dBFS") for name, path in done.outputs.items()]
    seconds = done.n_samples / done.sample_rate
    print_table([*rows, ("time", f"{elapsed_s:.1f} s, {seconds / max(elapsed_s, 1e-9):.1f} x real time")])


@guard.guarded
def list_networks(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the networks that come with neurdsp."""
    from neurdsp.drumsep.lookup import shipped_networks

    names = shipped_networks()
    typer.echo(json.dumps(names) if as_json else "\n".join(names) or "none; convert a checkpoint first")
