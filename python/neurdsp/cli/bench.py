"""``neurdsp bench``: measures the speed of the engine on this machine."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from neurdsp import _core
from neurdsp import _guard as guard
from neurdsp.amp.infer import AmpModel
from neurdsp.errors import ParameterError

__all__ = [
    "AmpSpeed",
    "SeparatorSpeed",
    "app",
    "bench_amp",
    "bench_file",
    "bench_separator",
    "instruction_set",
]

app = typer.Typer(help="Measure the speed of the engine on this machine.", no_args_is_help=True)

#: Channels and layers of the amp presets, all with kernel size 3 and dilation base 2, and the per cent of one
#: core (of an unnamed processor) that the project behind them claimed.
SHAPES = {(16, 6): None, (18, 9): "2-3", (32, 10): "4-6", (48, 12): "6-8"}


@dataclass(frozen=True)
class AmpSpeed:
    """Speed of an amp model with one instruction set, in CPU time of one thread.

    Attributes
    ----------
    model
        Name of the file, or channels and layers of the shape.
    isa
        ``scalar``, ``avx2`` or ``avx512``.
    block_size
        Samples per call.
    x_realtime
        Seconds of audio per second of CPU time, at the model's sample rate; 48 kHz for a shape.
    percent_of_core
        Share of one core that one stream takes at that rate.
    gflops
        10⁹ operations per second. A multiply-add counts as two operations, an activation as none.
    peak_gflops
        Highest rate of multiply-adds alone, with the same instruction set in the same run. None for
        ``scalar``: its reference has one lane, but the compiler may use more lanes in the kernel.
    percent_of_peak
        ``gflops`` relative to ``peak_gflops``.
    claim
        Per cent of a core that the project behind the shape claimed for it, if any.
    """

    model: str
    isa: str
    block_size: int
    x_realtime: float
    percent_of_core: float
    gflops: float
    peak_gflops: float | None
    percent_of_peak: float | None
    claim: str | None


def bench_amp(
    channels: int, num_layers: int, *, isa: str, block_size: int = 64, seconds: float = 1.0
) -> AmpSpeed:
    """Measure an amp model with random weights.

    Parameters
    ----------
    channels, num_layers
        Shape of the model.
    isa
        One of ``neurdsp._core.instruction_sets()``.
    block_size
        Samples per call.
    seconds
        Duration of the measurement.

    Returns
    -------
    AmpSpeed
        The fastest of many short runs.

    Raises
    ------
    ParameterError
        If the shape or block size is out of range, or this machine lacks the instruction set.

    Examples
    --------
    >>> bench_amp(16, 6, isa="scalar", seconds=0.1).x_realtime > 0
    True
    """
    rates = _core.bench_amp(channels, num_layers, 3, 2, isa=isa, block_size=block_size, seconds=seconds)
    name = f"{channels}x{num_layers}"
    return _speed(name, isa, block_size, 48000.0, rates, SHAPES.get((channels, num_layers)))


def bench_file(
    path: str | os.PathLike[str], *, size: float | None = None, block_size: int = 64, seconds: float = 1.0
) -> AmpSpeed:
    """Measure the model in a file with the best instruction set of this machine.

    Each parameter counts as one multiply-add per sample.

    Parameters
    ----------
    path
        A file that `neurdsp.amp.AmpModel.load` reads, or the name of a shipped amp.
    size
        From 0 to 1, for a model with several sizes.
    block_size
        Samples per call.
    seconds
        Duration of the measurement.

    Returns
    -------
    AmpSpeed
        The fastest of many short runs.

    Raises
    ------
    ModelFileError
        If the file contains no model that can be played.
    ParameterError
        If the size or block size is out of range, or a size is given for a model that has one only.

    Examples
    --------
    >>> bench_file("ts9", seconds=0.1).x_realtime > 0
    True
    """
    model = AmpModel.load(path, size=size)
    rates = _core.bench_model(model._core, block_size=block_size, seconds=seconds)
    name = Path(path).stem if size is None else f"{Path(path).stem}@{size:g}"
    return _speed(name, instruction_set(), block_size, model.sample_rate, rates, None)


@dataclass(frozen=True)
class SeparatorSpeed:
    """Speed of a separator that streams, in CPU time of one thread.

    Attributes
    ----------
    model, isa, block_size, x_realtime, percent_of_core
        As those of `AmpSpeed`.
    channels
        1 for a mono recording, of which the network runs one row, or 2.
    """

    model: str
    isa: str
    block_size: int
    channels: int
    x_realtime: float
    percent_of_core: float


def bench_separator(
    path: str | os.PathLike[str] | None = None,
    *,
    channels: int = 2,
    block_size: int = 64,
    seconds: float = 1.0,
) -> SeparatorSpeed:
    """Measure a separator that streams with the best instruction set of this machine.

    Parameters
    ----------
    path
        A file that `neurdsp.drumsep.DrumSeparator.load` reads; by default the shipped network.
    channels
        1 or 2.
    block_size
        Samples per call.
    seconds
        Duration of the measurement.

    Returns
    -------
    SeparatorSpeed
        The fastest of many short runs, on noise.

    Raises
    ------
    ModelFileError, UnsupportedModelError
        If the file contains no model that streams.
    ParameterError
        If a value is out of range.

    Examples
    --------
    >>> bench_separator(seconds=0.1).x_realtime > 1  # doctest: +SKIP
    True
    """
    if channels not in (1, 2):
        raise ParameterError(f"channels is {channels}, but must be 1 or 2")
    if not 1 <= block_size <= 1 << 20:
        raise ParameterError(f"block_size is {block_size}, but must be 1 to 1048576")
    if not 0 < seconds <= 3600:
        raise ParameterError(f"seconds is {seconds}, but must be above 0 and at most 3600")
    # Here, so that the command starts light.
    from neurdsp.drumsep import DrumSeparator

    separator = DrumSeparator.load(path)
    stream = separator.stream()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (channels, block_size)).astype(np.float32)
    # A run is as many blocks as take a few hops, so that all of them have the same work.
    n_blocks = -(-8_192 // block_size)
    best, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end or best == math.inf:
        begin = time.thread_time()
        for _ in range(n_blocks):
            stream.process(noise)
        best = min(best, time.thread_time() - begin)
    x_realtime = n_blocks * block_size / stream.sample_rate / best
    return SeparatorSpeed(
        model=separator.path.stem,
        isa=instruction_set(),
        block_size=block_size,
        channels=channels,
        x_realtime=x_realtime,
        percent_of_core=100.0 / x_realtime,
    )


def instruction_set() -> str:
    """Return the instruction set that loaded models use: the best, or the one that ``NEURDSP_ISA`` names.

    Examples
    --------
    >>> instruction_set() in ("scalar", "avx2", "avx512")
    True
    """
    sets = _core.instruction_sets()
    wanted = os.environ.get("NEURDSP_ISA", "")
    return wanted if wanted in sets else sets[-1]


def _speed(
    name: str,
    isa: str,
    block_size: int,
    sample_rate: float,
    rates: tuple[float, float, float],
    claim: str | None,
) -> AmpSpeed:
    rate, gflops, peak = rates
    x_realtime = rate / sample_rate
    return AmpSpeed(
        model=name,
        isa=isa,
        block_size=block_size,
        x_realtime=x_realtime,
        percent_of_core=100.0 / x_realtime,
        gflops=gflops,
        peak_gflops=None if isa == "scalar" else peak,
        percent_of_peak=None if isa == "scalar" else 100.0 * gflops / peak,
        claim=claim,
    )


@app.callback()
def _root() -> None:
    """Measure the speed of the engine on this machine."""


@app.command("amp")
def _amp(
    models: Annotated[
        list[Path] | None,
        typer.Argument(help="Model files of any kind, or names of shipped amps. By default: the presets."),
        guard.READS,
    ] = None,
    isa: Annotated[str, typer.Option(help="For the presets: all, scalar, avx2 or avx512.")] = "all",
    size: Annotated[
        float | None, typer.Option(help="From 0 to 1, for model files with several sizes.")
    ] = None,
    block_size: Annotated[int, typer.Option(help="Samples per call.")] = 64,
    seconds: Annotated[float, typer.Option(help="Duration of each measurement.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure amp models in CPU time: speed relative to real time, GFLOP/s, and share of the FMA peak.

    The last column is the per cent of a core that the project behind the presets claimed for them.
    """
    available = _core.instruction_sets()
    if isa != "all" and isa not in available:
        raise ParameterError(f"--isa is {isa!r}, but it must be all, {', '.join(available)} on this machine")
    if models and isa != "all":
        raise ParameterError("--isa is for the presets; a model file plays with NEURDSP_ISA=" + isa)
    if size is not None and not models:
        raise ParameterError("--size is for model files with several sizes; give the files, or leave it out")
    chosen = available if isa == "all" else [isa]
    runs: list[Callable[[], AmpSpeed]]
    if models:
        runs = [
            partial(bench_file, path, size=size, block_size=block_size, seconds=seconds) for path in models
        ]
    else:
        runs = [
            partial(bench_amp, *shape, isa=name, block_size=block_size, seconds=seconds)
            for shape in SHAPES
            for name in chosen
        ]
    width = max([8, *(len(path.stem) + (0 if size is None else 6) for path in models or [])])
    if not as_json:
        typer.echo(f"blocks of {block_size} samples, one thread, CPU time ({os.cpu_count()} cores)")
        typer.echo(
            _row(width, "model", "isa", "x real time", "% of core", "GFLOP/s", "peak", "% of peak", "claim")
        )
    results = []
    for run in runs:
        speed = run()
        results.append(speed)
        if not as_json:
            rates = (speed.gflops, speed.peak_gflops, speed.percent_of_peak)
            cells = ["-" if rate is None else f"{rate:.1f}" for rate in rates]
            times = (f"{speed.x_realtime:.1f}", f"{speed.percent_of_core:.2f}")
            typer.echo(_row(width, speed.model, speed.isa, *times, *cells, speed.claim or "-"))
    if as_json:
        typer.echo(json.dumps([asdict(speed) for speed in results], indent=2))


@app.command("drumsep")
def _drumsep(
    model: Annotated[
        Path | None,
        typer.Argument(help="A model file that streams. By default the shipped network."),
        guard.READS,
    ] = None,
    block_size: Annotated[int, typer.Option(help="Samples per call.")] = 64,
    seconds: Annotated[float, typer.Option(help="Duration of each measurement.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a drum separator that plays live in CPU time, on stereo and on mono recordings."""
    speeds = [
        bench_separator(model, channels=channels, block_size=block_size, seconds=seconds)
        for channels in (2, 1)
    ]
    if as_json:
        typer.echo(json.dumps([asdict(speed) for speed in speeds], indent=2))
        return
    typer.echo(f"blocks of {block_size} samples, one thread, CPU time ({os.cpu_count()} cores)")
    for speed in speeds:
        name = "stereo" if speed.channels == 2 else "mono"
        typer.echo(
            f"{speed.model}, {name}, {speed.isa}: {speed.x_realtime:.1f} times real time, "
            f"{speed.percent_of_core:.2f} % of a core"
        )


def _row(first: int, *cells: str) -> str:
    widths = (first, 7, 12, 10, 8, 7, 10, 6)
    return " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
