"""``neurdsp model``: what a model file holds, whether it computes what was trained, other formats."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp.errors import NeurdspError

__all__ = ["app"]

app = typer.Typer(help="Model files: info, verify, convert.", no_args_is_help=True)

_LONGEST_VALUE = 300

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def info(
    file: Annotated[
        str, typer.Argument(help="Model file (.safetensors, .nam, .json), or the name of a shipped amp.")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell what a model file holds."""
    from neurdsp.amp.lookup import find_model
    from neurdsp.console import print_table
    from neurdsp.modelfile import info as read_info

    told = read_info(find_model(file))
    if as_json:
        typer.echo(json.dumps(asdict(told) | {"path": str(told.path)}))
        return
    field_ms = 1000 * told.receptive_field / told.sample_rate
    rows = [
        ("file", str(told.path)),
        ("format", told.format),
        ("architecture", told.architecture),
        ("config", ", ".join(f"{key} {value}" for key, value in told.config.items())),
        ("parameters", f"{told.n_parameters:,}"),
        ("receptive field", f"{told.receptive_field} samples, {field_ms:.1f} ms"),
        ("latency", f"{told.latency} samples"),
        ("sample rate", f"{told.sample_rate:g} Hz"),
        *((f"size from {size['size']:.3g}", _submodel(size)) for size in told.submodels),
        *((f"knob {name}", f"0 to 1, at first {default:.3g}") for name, default in told.knobs.items()),
        *_capture(told.capture),
        *((f"metric {key}", _short(value)) for key, value in told.metrics.items()),
        *((key.removeprefix("neurdsp."), _short(text)) for key, text in told.metadata.items()),
    ]
    print_table([(_printable(name), _printable(value)) for name, value in rows])


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Model files.")], as_json: AsJson = False
) -> None:
    """Run the proof in each file through the engine; exit status 1 if a model fails, 2 if a file does."""
    from neurdsp.modelfile import verify as run

    rows: list[dict[str, Any]] = []
    status = 0
    for file in files:
        try:
            result = run(file)
        except NeurdspError as error:
            typer.echo(f"neurdsp: {' '.join(str(error).split())}", err=True)
            rows.append({"file": str(file), "passed": False, "error": str(error)})
            status = 2
            continue
        rows.append(
            {
                "file": str(file),
                "passed": result.passed,
                # JSON has no infinity: null means equal bit for bit.
                "error_db": result.error_db if math.isfinite(result.error_db) else None,
                "threshold_db": result.threshold_db,
                "n_samples": result.n_samples,
            }
        )
        status = status if result.passed else max(status, 1)
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        _print_verdicts(rows)
    raise typer.Exit(status)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Model file: .safetensors, .nam or .json.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write, with another of these suffixes.")
    ],
) -> None:
    """Convert between the model file, .nam and the JSON of earlier trainers, saying what is lost."""
    from neurdsp.console import print_table
    from neurdsp.modelfile import convert as run

    done = run(source, target)
    print_table(
        [
            ("from", str(done.source)),
            ("to", str(done.target)),
            ("lost", ", ".join(_printable(text) for text in done.lost) or "nothing"),
            ("added", ", ".join(done.added) or "nothing"),
        ]
    )


def _submodel(size: dict[str, Any]) -> str:
    return f"{size['n_parameters']:,} parameters, receptive field {size['receptive_field']} samples"


def _capture(capture: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of what the file says about the device and the capture, with units."""
    units = {
        "loudness": "dB",
        "input_level_dbu": "dBu at 0 dBFS",
        "output_level_dbu": "dBu at 0 dBFS",
    }
    rows = []
    for key, value in capture.items():
        # Dates and settings of the training are nested, and told by --json.
        if value is not None and key != "name" and not isinstance(value, dict | list):
            label = key.removesuffix("_dbu").replace("_", " ")
            rows.append((label, f"{_short(value)} {units.get(key, '')}".strip()))
    return rows


def _print_verdicts(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold")
    for heading in ("error", "allowed", "samples"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in rows:
        if "error" in row:
            table.add_row(Text(row["file"]), "", "", "", Text("unreadable", style="red"))
            continue
        error = "exact" if row["error_db"] is None and row["passed"] else _decibels(row["error_db"])
        verdict = Text("ok", style="green") if row["passed"] else Text("FAILED", style="red")
        table.add_row(
            Text(row["file"]), error, f"{row['threshold_db']:.1f} dB", str(row["n_samples"]), verdict
        )
    Console(highlight=False).print(table)


def _decibels(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.1f} dB"


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _printable(text: str) -> str:
    """Escape what could move the cursor or colour the terminal: the text comes from a file."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
