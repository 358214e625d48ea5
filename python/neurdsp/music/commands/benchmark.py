"""``neurdsp music benchmark``: how long each network takes, and all of them together."""

import json
from typing import Annotated, Literal

import typer

from neurdsp._options import Json
from neurdsp.music.commands.options import Models

__all__ = ["benchmark"]


def benchmark(
    models: Models = "default",
    iterations: Annotated[int, typer.Option(help="Steps of each network.")] = 1000,
    cold: Annotated[
        bool, typer.Option("--cold", help="Empty the caches in front of each step, as a plugin meets them.")
    ] = False,
    backend: Annotated[
        Literal["stored", "f32", "int8", "ort", "torch"],
        typer.Option(help="The engine on the files as they are, in float32 or in int8; ONNX Runtime; torch."),
    ] = "stored",
    as_json: Json = False,
) -> None:
    """Measure load time, time of a step, and memory of each network, and of all after each other.

    One thread. Times hold for this machine as it is now: close other programs first.
    """
    from rich.console import Console
    from rich.table import Table

    from neurdsp.console import Progress
    from neurdsp.music.bench import bench_networks
    from neurdsp.music.infer import MusicPipeline

    missing = MusicPipeline.load(models).missing
    with Progress("measuring", total=float(iterations * (6 - len(missing)))) as progress:
        speeds = bench_networks(
            models,
            iterations=iterations,
            backend=backend,
            cold=cold,
            progress=lambda done: progress.advance(float(done)),
        )
    facts = {
        "backend": backend,
        "iterations": iterations,
        "cold": cold,
        "missing": list(missing),
    }
    if as_json:
        found = [speed.to_json() for speed in speeds]
        typer.echo(json.dumps({**facts, "models": found[:-1], "pipeline": found[-1]}))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "load ms", "mean µs", "median µs", "p99 µs", "memory kB"):
        table.add_column(title, justify="left" if not title else "right")
    for speed in speeds:
        times = [f"{value:.1f}" for value in (speed.mean_us, speed.median_us, speed.p99_us)]
        table.add_row(speed.name, f"{speed.load_ms:.2f}", *times, f"{speed.memory_bytes / 1e3:.1f}")
    console = Console(highlight=False, width=100)
    console.print(table)
    if missing:
        console.print(f"Missing: {', '.join(missing)}; the pipeline is what there is.")
