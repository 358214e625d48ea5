"""The commands that judge: ``neurdsp amp compare`` for two files, ``neurdsp amp evaluate`` for a model."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import options

if TYPE_CHECKING:
    from neurdsp.amp.judge.breakdown import Slice
    from neurdsp.metrics import ComparisonResult

__all__ = ["compare", "evaluate"]


@guard.guarded
def compare(
    target: Annotated[Path, typer.Argument(help="The wanted output."), guard.READS],
    predicted: Annotated[Path, typer.Argument(help="The actual output."), guard.READS],
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            "-p",
            help="PNG with waveforms, spectra, residual and the error in detail.",
        ),
        guard.FILE,
    ] = None,
    ab: Annotated[
        Path | None,
        typer.Option("--ab", help="WAV that alternates between both every two seconds, at equal level."),
        guard.FILE,
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure how close a prediction is to its target, and where the error lies."""
    from neurdsp.amp.judge.compare import compare_in_detail, write_ab
    from neurdsp.console import print_table

    found = compare_in_detail(target, predicted, plot=plot)
    if ab is not None:
        write_ab(target, predicted, ab, found.result)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    samples = ("samples compared", f"{found.result.n_samples:,}")
    print_table([samples, *_rows(found.result, found.matched_esr)])
    _print_slices(found.bands, found.levels)


@guard.guarded
def evaluate(
    model: Annotated[str, typer.Argument(help="Model file, or the name of a shipped amp.")],
    data: Annotated[
        tuple[Path, Path], typer.Option("--data", help="Input and output of a capture."), guard.READS
    ],
    part: Annotated[
        Literal["auto", "all", "validation"],
        typer.Option(help="Part to compare; auto: the validation passage of the input, if it has one."),
    ] = "auto",
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "-p", help="PNG with waveforms, spectra, error and aliasing."),
        guard.FILE,
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--knob", metavar="NAME=POSITION", help="Turn a model's knob, 0 to 1; repeatable."),
    ] = None,
    latency_samples: Annotated[
        int | None,
        typer.Option("--latency", metavar="SAMPLES", help="Of the capture, negative for a lead."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="data.KEY=VALUE", help="How to align, as in training: data.drift=ignore."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Play the input of a capture through a model, and print all measurements against the output."""
    from neurdsp.amp.commands.knobs import parse_positions
    from neurdsp.amp.judge.evaluate import evaluate as measure
    from neurdsp.console import print_table

    settings = list(overrides or ())
    if latency_samples is not None:
        settings.append(f"data.latency_samples={latency_samples}")
    found = measure(
        model,
        *data,
        part=part,
        plot=plot,
        knobs=parse_positions(knobs),
        data=options.data_settings(settings),
    )
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    start, stop = found.part
    print_table(
        [
            ("model", f"{model}, {found.model['architecture']}, {found.model['n_parameters']:,} parameters"),
            ("compared", f"{start:.1f} to {stop:.1f} s of {data[1]}"),
            *_rows(found.comparison, found.matched_esr),
            *(
                (f"aliasing at {probe.frequency_hz:g} Hz", f"{probe.asr_db:.1f} dB of the harmonics")
                for probe in found.aliasing
            ),
            ("engine", f"{found.us_per_sample:.2f} us a sample"),
        ]
    )
    _print_slices(found.bands, found.levels)


def _rows(result: "ComparisonResult", matched: float) -> list[tuple[str, str]]:
    depth = "exact" if math.isinf(result.null_depth_db) else f"{result.null_depth_db:.1f} dB"
    return [
        ("error-to-signal ratio", f"{result.esr:.3g}"),
        ("  pre-emphasised", f"{result.pre_emphasised_esr:.3g}"),
        ("  levels and polarity matched" if result.inverted else "  levels matched", f"{matched:.3g}"),
        ("null depth", depth),
        ("spectral distance", f"{result.stft_distance:.3g}  (512, 1024 and 2048 samples)"),
        ("level, target", _level(result.target_rms_db, result.target_peak_db)),
        ("level, predicted", _level(result.predicted_rms_db, result.predicted_peak_db)),
        ("offset", f"{result.target_dc:.1e} and {result.predicted_dc:.1e}"),
        ("polarity", _polarity(result)),
        ("best gain", _gain(result)),
        ("best lag", _lag(result)),
    ]


def _level(rms_db: float, peak_db: float) -> str:
    return "silent" if math.isinf(peak_db) else f"{rms_db:.1f} dB RMS, peak {peak_db:.1f} dBFS"


def _polarity(result: "ComparisonResult") -> str:
    if result.inverted:
        return "inverted: turn over one of them (multiply it by -1)"
    return "kept" if result.alike else "unknown: " + _unlike(result)


def _gain(result: "ComparisonResult") -> str:
    if math.isnan(result.best_gain_db):
        return "none: " + ("no gain reduces the error" if result.alike else _unlike(result))
    return f"{result.best_gain_db:+.2f} dB on the {'inverted ' if result.inverted else ''}prediction"


def _lag(result: "ComparisonResult") -> str:
    if result.best_lag_samples is None:
        return "none: " + (_unlike(result) if result.predicted_constant else "the target is constant")
    return f"{result.best_lag_samples:+d} samples"


def _unlike(result: "ComparisonResult") -> str:
    """Say why no gain brings the prediction closer to the target."""
    if math.isinf(result.predicted_peak_db):
        return "the prediction is silent"
    if result.predicted_constant:
        return "the prediction is one constant value"
    return "the prediction does not resemble the target"


def _print_slices(bands: list["Slice"], levels: list["Slice"]) -> None:
    """Print the error by frequency and by level, with the share of the energy of each slice."""
    from rich.console import Console
    from rich.table import Table

    for title, unit, slices in (("by frequency", "Hz", bands), ("by loudness", "dBFS", levels)):
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column(title)
        table.add_column("energy", justify="right")
        table.add_column("ESR", justify="right")
        for part in slices:
            ratio = "–" if part.esr is None else f"{part.esr:.3g}"
            table.add_row(f"{part.low:g} to {part.high:g} {unit}", f"{100 * part.share:.1f} %", ratio)
        Console(highlight=False).print(table)
