"""``neurdsp drumsep null`` and ``export-onnx``: what other engines compute, and a file for them."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp import _guard as guard

__all__ = ["export_onnx", "null"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MODEL = typer.Argument(metavar="MODEL", help="Model file of an MDX23C network.", show_default=False)


@guard.guarded
def null(
    model: Annotated[str, _MODEL],
    recording: Annotated[
        Path, typer.Argument(metavar="IN", help="Recording.", show_default=False), guard.READS
    ],
    against: Annotated[
        str,
        typer.Option(
            help="The reference: torch, onnxruntime, openvino or engine, with 8 chunks a sample in float32; "
            "or a tier of the engine."
        ),
    ] = "torch",
    tier: Annotated[str, typer.Option(help="exact, balanced, fast or turbo.")] = "exact",
    backend: Annotated[str, typer.Option(help="engine, torch, onnxruntime or openvino.")] = "engine",
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 …; that of the tier by default.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="N", help="Compare the first N seconds only; 0 for all of it.")
    ] = 30.0,
    threads: Annotated[int | None, typer.Option(help="Threads; those of the cores by default.")] = None,
    limit: Annotated[
        float | None, typer.Option(metavar="DB", help="Exit status 1 if the null is above this.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Separate a recording in two ways and subtract, and print how deep the null of each stem is.

    Eight chunks of twelve seconds cover each sample of the reference: expect minutes.
    """
    from neurdsp.audio import read_audio
    from neurdsp.console import Progress, print_table
    from neurdsp.drumsep.infer import DrumSeparator
    from neurdsp.drumsep.null import null_test
    from neurdsp.errors import ParameterError

    if not (seconds >= 0 and math.isfinite(seconds)):
        raise ParameterError(f"--seconds is {seconds:g}, but must be at least 0")
    separator = DrumSeparator.load(model)
    audio, sample_rate = read_audio(recording, duration=seconds or None)
    chosen: Any = {"against": against, "tier": tier, "backend": backend, "precision": precision}
    with Progress("separating twice", 1.0) as bar:
        result = null_test(
            separator,
            audio,
            sample_rate,
            threads=threads,
            progress=lambda _, total: bar.advance(0.5 / total),
            **chosen,
        )
    if as_json:
        # JSON has no infinity: null means equal bit for bit.
        stems = {
            name: {"null_db": _finite(stem.null_db), "peak_db": _finite(stem.peak_db)}
            for name, stem in result.stems.items()
        }
        report = {
            **chosen,
            "seconds": audio.shape[-1] / sample_rate,
            "null_db": _finite(result.null_db),
            "stems": stems,
            "cpu_s": result.cpu_s,
            "against_cpu_s": result.against_cpu_s,
        }
        typer.echo(json.dumps(report))
    else:
        rows = [
            (name, f"{_decibels(stem.null_db)}, peak of the difference {_decibels(stem.peak_db)}FS")
            for name, stem in result.stems.items()
        ]
        speed = f"{result.cpu_s:.1f} CPU-s, {against} {result.against_cpu_s:.1f}"
        print_table([*rows, ("all stems", _decibels(result.null_db)), ("time", speed)])
    if limit is not None and not result.null_db <= limit:
        raise typer.Exit(1)


@guard.guarded
def export_onnx(
    model: Annotated[str, _MODEL],
    target: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="File to write."), guard.FILE],
    int8: Annotated[
        bool,
        typer.Option(
            "--int8", help="Products in INT8. It loses far more than it saves: the loss is printed."
        ),
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="IN", help="Recording for the ranges of --int8: its first 10 seconds."),
        guard.READS,
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the body of an MDX23C network (spectrum in, spectra of the stems out) as an ONNX file.

    The file is checked in ONNX Runtime. The transforms are not in it; the guide says how they are done.
    """
    from neurdsp.console import print_table
    from neurdsp.drumsep.backends.onnx_file import calibration_of, export_onnx
    from neurdsp.drumsep.lookup import find_network
    from neurdsp.errors import ParameterError

    if calibration is not None and not int8:
        raise ParameterError("--calibration is for --int8; leave it out, or add --int8")
    path = find_network(model)
    audio = None if calibration is None else calibration_of(path, calibration)
    done = export_onnx(path, target, int8=int8, calibration=audio)
    if as_json:
        report = {"target": str(done.target), "n_bytes": done.n_bytes, "error_db": _finite(done.error_db)}
        typer.echo(json.dumps(report | {"int8": int8}))
        return
    rows = [
        ("to", str(done.target)),
        ("size", f"{done.n_bytes / 2**20:.1f} MiB"),
        ("operators", "standard ones, opset 20"),
        ("error", f"{_decibels(done.error_db)} in ONNX Runtime, beside the test vectors of the model"),
    ]
    print_table(rows)
    if int8:
        typer.echo(
            f"neurdsp: warning: INT8 leaves an error of {_decibels(done.error_db)} in the stems; bfloat16 is "
            "about as fast, and loses less",
            err=True,
        )


def _decibels(value: float) -> str:
    return "none" if value == -math.inf else f"{value:.1f} dB"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
