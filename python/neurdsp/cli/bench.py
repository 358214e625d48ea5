"""``neurdsp bench``: how fast the engine is on this machine."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from neurdsp import _core
from neurdsp.errors import ParameterError

__all__ = ["AmpSpeed", "app", "bench_amp"]

app = typer.Typer(help="Measure the engine on this machine.", no_args_is_help=True)

#: Channels and layers of the amp presets; all have kernel size 3 and dilation base 2.
SHAPES = ((16, 6), (18, 9), (32, 10), (48, 12))


@dataclass(frozen=True)
class AmpSpeed:
    """The speed of an amp model of one shape on one instruction set, by the CPU time of one thread.

    Attributes
    ----------
    channels, num_layers
        The shape; kernel size 3, dilation base 2.
    isa
        ``scalar``, ``avx2`` or ``avx512``.
    block_size
        Samples a call.
    x_realtime
        Seconds of audio at 48 kHz in a second of CPU time.
    percent_of_core
        What one stream takes of one core at 48 kHz.
    gflops
        Operations of the convolutions in 10⁹ a second; a multiply-add counts as two, the tanh as none.
    peak_gflops
        The most that the same instruction set reached on multiply-adds alone, in the same run; None for
        ``scalar``, whose yardstick has one lane while the compiler may give the kernel more.
    percent_of_peak
        The ratio of the two.
    """

    channels: int
    num_layers: int
    isa: str
    block_size: int
    x_realtime: float
    percent_of_core: float
    gflops: float
    peak_gflops: float | None
    percent_of_peak: float | None


def bench_amp(
    channels: int, num_layers: int, *, isa: str, block_size: int = 64, seconds: float = 1.0
) -> AmpSpeed:
    """Measure an amp model of one shape.

    Parameters
    ----------
    channels, num_layers
        The shape.
    isa
        One of ``neurdsp._core.instruction_sets()``.
    block_size
        Samples a call.
    seconds
        How long to measure.

    Returns
    -------
    AmpSpeed
        The fastest of many short turns.

    Raises
    ------
    ParameterError
        A shape or block size out of bounds, or an instruction set that this machine lacks.

    Examples
    --------
    >>> bench_amp(16, 6, isa="scalar", seconds=0.1).x_realtime > 0
    True
    """
    rate, gflops, peak = _core.bench_amp(
        channels, num_layers, 3, 2, isa=isa, block_size=block_size, seconds=seconds
    )
    x_realtime = rate / 48000.0
    return AmpSpeed(
        channels=channels,
        num_layers=num_layers,
        isa=isa,
        block_size=block_size,
        x_realtime=x_realtime,
        percent_of_core=100.0 / x_realtime,
        gflops=gflops,
        peak_gflops=None if isa == "scalar" else peak,
        percent_of_peak=None if isa == "scalar" else 100.0 * gflops / peak,
    )


@app.callback()
def _root() -> None:
    """Measure the engine on this machine."""


@app.command("amp")
def _amp(
    isa: Annotated[str, typer.Option(help="Instruction set: all, scalar, avx2 or avx512.")] = "all",
    block_size: Annotated[int, typer.Option(help="Samples a call.")] = 64,
    seconds: Annotated[float, typer.Option(help="Seconds for each line.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the amp presets: times real time, GFLOP/s and the share of the FMA peak, by CPU time."""
    available = _core.instruction_sets()
    if isa != "all" and isa not in available:
        raise ParameterError(f"--isa is {isa!r}, but this machine has all, {', '.join(available)}")
    chosen = available if isa == "all" else [isa]
    if not as_json:
        typer.echo(f"48 kHz, blocks of {block_size}, one thread, CPU time ({os.cpu_count()} cores)")
        typer.echo(_row("model", "isa", "x real time", "% of core", "GFLOP/s", "peak", "% of peak"))
    results = []
    for channels, num_layers in SHAPES:
        for name in chosen:
            speed = bench_amp(channels, num_layers, isa=name, block_size=block_size, seconds=seconds)
            results.append(speed)
            if not as_json:
                shape = f"{channels}x{num_layers}"
                rates = (speed.gflops, speed.peak_gflops, speed.percent_of_peak)
                times = (f"{speed.x_realtime:.1f}", f"{speed.percent_of_core:.2f}")
                typer.echo(
                    _row(shape, name, *times, *("-" if rate is None else f"{rate:.1f}" for rate in rates))
                )
    if as_json:
        typer.echo(json.dumps([asdict(speed) for speed in results], indent=2))


def _row(*cells: str) -> str:
    return " ".join(cell.rjust(width) for cell, width in zip(cells, (8, 7, 12, 10, 8, 7, 10), strict=True))
