"""The commands of ``neurdsp amp``, and ``neurdsp amp render``."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import capture, judge, train
from neurdsp.amp.commands import knobs as knobs_commands

if TYPE_CHECKING:
    from neurdsp.amp.play.render import RenderedFile, RenderResult

__all__ = ["app"]

app = typer.Typer(help="Amp models: capture, check, train, render, compare.", no_args_is_help=True)
app.command()(capture.signal)
app.command()(capture.capture)
app.command()(capture.check)
app.command()(train.train)
app.command()(train.train_many)
app.command()(knobs_commands.train_knobs)
app.command()(train.presets)
app.command()(judge.compare)
app.command()(judge.evaluate)


@app.command()
@guard.guarded
def render(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT", help="Dry recordings; channels are played one by one.", show_default=False
        ),
        guard.READS,
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="Model file, or the name of a shipped amp.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File to write; its suffix selects the format. With several inputs, a folder.",
        ),
        guard.Writes(when=lambda values: len(values["inputs"]) == 1),
    ],
    subtype: Annotated[str, typer.Option(help="Sample format: FLOAT, PCM_16, PCM_24.")] = "FLOAT",
    size: Annotated[
        float | None, typer.Option(help="Size of a .nam model that has several, 0 to 1 (full).")
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--knob", metavar="NAME=POSITION", help="Turn a model's knob, 0 to 1; repeatable."),
    ] = None,
    input_gain: Annotated[float | None, typer.Option(metavar="DB", help="Gain before all else.")] = None,
    interface: Annotated[
        float | None,
        typer.Option(
            metavar="DBU",
            help="Level at full scale of your interface; drives the model as the device was driven.",
        ),
    ] = None,
    gate: Annotated[float | None, typer.Option(metavar="DB", help="Silence sound below this level.")] = None,
    gate_hold: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that the gate stays open, 0 to 5000 (50).")
    ] = None,
    gate_release: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that it takes to close, 0 to 5000 (100).")
    ] = None,
    gate_attack: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that it takes to open, 0 to 1000 (1).")
    ] = None,
    gate_hysteresis: Annotated[
        float | None, typer.Option(metavar="DB", help="How far below --gate it closes, 0 to 24 (6).")
    ] = None,
    bass: Annotated[float | None, typer.Option(metavar="DB", help="Shelf at 150 Hz, -20 to 20.")] = None,
    mid: Annotated[float | None, typer.Option(metavar="DB", help="Peak at 425 Hz, -15 to 15.")] = None,
    treble: Annotated[float | None, typer.Option(metavar="DB", help="Shelf at 1.8 kHz, -10 to 10.")] = None,
    ir: Annotated[
        Path | None, typer.Option(help="Impulse response of a cabinet: any audio file."), guard.READS
    ] = None,
    ir_channel: Annotated[
        str, typer.Option(help="Channel of the impulse response: each, left, right, mean or a number.")
    ] = "each",
    dc_block: Annotated[bool, typer.Option("--dc-block", help="Remove everything below 5 Hz.")] = False,
    output_mode: Annotated[
        str | None, typer.Option(help="Level of the model: raw, normalised (-18 dB), or calibrated.")
    ] = None,
    output_gain: Annotated[float | None, typer.Option(metavar="DB", help="Gain after all else.")] = None,
    mix: Annotated[float | None, typer.Option(help="Share of the processed sound, 0 to 1.")] = None,
    oversample: Annotated[
        int, typer.Option(help="Run the model at 1, 2 or 4 times its rate to reduce aliasing.")
    ] = 1,
    tail: Annotated[
        float, typer.Option(metavar="SECONDS", help="Silence to play after the end, so that decay is kept.")
    ] = 0.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Files at a time. [default: number of cores]")
    ] = None,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Play recordings through an amp model; long files need no more memory than short ones.

    If one of several recordings cannot be read, it is named and skipped, and the exit status is 1.
    """
    from neurdsp.amp.infer import AmpModel
    from neurdsp.amp.play.levels import assumed_levels
    from neurdsp.amp.play.render import render_file, render_files
    from neurdsp.errors import ParameterError

    of_the_gate = {
        "gate_hold": gate_hold,
        "gate_release": gate_release,
        "gate_attack": gate_attack,
        "gate_hysteresis": gate_hysteresis,
    }
    for name, value in of_the_gate.items():
        if value is not None and gate is None:
            raise ParameterError(f"--{name.replace('_', '-')} is of the gate; switch it on with --gate DB")
    given = {
        "input_gain_db": input_gain,
        "calibrate_input": None if interface is None else True,
        "interface_level_dbu": interface,
        "gate_on": None if gate is None else True,
        "gate_threshold_db": gate,
        "gate_hold_ms": gate_hold,
        "gate_release_ms": gate_release,
        "gate_attack_ms": gate_attack,
        "gate_hysteresis_db": gate_hysteresis,
        "bass_db": bass,
        "mid_db": mid,
        "treble_db": treble,
        "dc_block_on": dc_block or None,
        "output_mode": output_mode,
        "output_gain_db": output_gain,
        "mix": mix,
    }
    settings: Any = {name: value for name, value in given.items() if value is not None}
    start = time.perf_counter()
    amp: AmpModel | str = model
    if size is not None or knobs:
        amp = AmpModel.load(model, size=size).with_knobs(**knobs_commands.parse_positions(knobs))
    for line in assumed_levels(settings):
        typer.echo(f"note: {line}", err=True)
    options: Any = {
        "model": amp,
        "subtype": subtype,
        "ir": ir,
        "ir_channel": ir_channel,
        "oversample": oversample,
        "tail_s": tail,
        **settings,
    }
    if len(inputs) == 1:
        result = render_file(inputs[0], output, **options)
        _report_one(output, result, time.perf_counter() - start, as_json=as_json)
        return
    files = list(render_files(inputs, output, workers=workers, overwrite=overwrite, **options))
    _report_all(output, files, time.perf_counter() - start, as_json=as_json)
    raise typer.Exit(1 if any(file.error for file in files) else 0)


def _figures(output: Path, result: "RenderResult") -> dict[str, Any]:
    return {
        "output": str(output),
        "sample_rate": result.sample_rate,
        "n_samples": result.n_samples,
        "peak_db": None if result.peak_db == float("-inf") else result.peak_db,
    }


def _report_one(output: Path, result: "RenderResult", elapsed_s: float, *, as_json: bool) -> None:
    from neurdsp.console import print_table

    speed = result.duration_s / elapsed_s
    if as_json:
        figures = {**_figures(output, result), "elapsed_s": elapsed_s, "times_real_time": speed}
        typer.echo(json.dumps(figures))
        return
    print_table(
        [
            ("output", str(output)),
            ("length", f"{result.duration_s:.2f} s at {result.sample_rate} Hz"),
            ("peak", f"{result.peak_db:.1f} dBFS" + (" (over full scale)" if result.peak_db > 0 else "")),
            ("time", f"{elapsed_s:.2f} s, {speed:.1f} x real time"),
        ]
    )


def _report_all(folder: Path, files: "list[RenderedFile]", elapsed_s: float, *, as_json: bool) -> None:
    from neurdsp.console import print_table

    good = [(file.output_path, file.result) for file in files if file.result is not None]
    failed = [file for file in files if file.error is not None]
    speed = sum(result.duration_s for _, result in good) / elapsed_s
    for file in failed:
        typer.echo(f"neurdsp: {file.error}", err=True)
    if as_json:
        figures = {
            "files": [_figures(path, result) for path, result in sorted(good, key=lambda item: item[0])],
            "failed": {str(file.input_path): file.error for file in failed},
            "elapsed_s": elapsed_s,
            "times_real_time": speed,
        }
        typer.echo(json.dumps(figures))
        return
    peak = max((result.peak_db for _, result in good), default=float("-inf"))
    print_table(
        [
            ("output", f"{len(good)} files in {folder}"),
            ("failed", f"{len(failed)} files"),
            ("peak", f"{peak:.1f} dBFS" + (" (over full scale)" if peak > 0 else "")),
            ("time", f"{elapsed_s:.2f} s, {speed:.1f} x real time"),
        ]
    )
