"""``neurdsp model``: print what a model file holds, verify that it computes what was trained, convert it."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import options
from neurdsp.errors import NeurdspError

if TYPE_CHECKING:
    from neurdsp.modelfile import ModelInfo

__all__ = ["app"]

app = typer.Typer(help="Model files: info, verify, convert.", no_args_is_help=True)

_LONGEST_VALUE = 300

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
@guard.guarded
def info(
    file: Annotated[
        str, typer.Argument(help="Model file (.safetensors, .nam, .json), or the name of a shipped model.")
    ],
    as_json: AsJson = False,
) -> None:
    """Print what a model file holds."""
    from neurdsp.cli.named import find_shipped_or_file
    from neurdsp.console import print_table
    from neurdsp.modelfile import info as read_info

    told = read_info(find_shipped_or_file(file))
    if as_json:
        typer.echo(json.dumps(asdict(told) | {"path": str(told.path)}))
        return
    print_table([(_printable(name), _printable(_short(value))) for name, value in _rows(told)])


@app.command()
@guard.guarded
def verify(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...", help="Model files, or names of shipped models.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Run the parity vectors of each file; exit status 1 if a model fails, 2 if a file cannot be read."""
    from neurdsp.cli.named import find_shipped_or_file
    from neurdsp.modelfile import verify as run

    rows: list[dict[str, Any]] = []
    status = 0
    for file in files:
        try:
            result = run(find_shipped_or_file(file))
        except NeurdspError as error:
            typer.echo(f"neurdsp: {' '.join(str(error).split())}", err=True)
            rows.append({"file": file, "passed": False, "error": str(error)})
            status = 2
            continue
        rows.append(
            {
                "file": file,
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
@guard.guarded
@options.described()
def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Model file (.safetensors, .nam, .json, .aidax), a shipped amp, or the checkpoint of a "
            "separator (.ckpt, .pth, .safetensors).",
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="File to write: another of these suffixes, or with --dtype a .safetensors file.",
        ),
        guard.FILE,
    ],
    dtype: Annotated[
        Literal["f32", "f16", "bf16"] | None,
        typer.Option(help="Store the weights of a .safetensors file in this number type."),
    ] = None,
    parity_db: Annotated[
        float | None,
        typer.Option(
            help="With --dtype: the parity error in dB that OUT allows (-200 to -20); without it, that of IN."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file that came with a checkpoint. [default: found beside it]"),
        guard.READS,
    ] = None,
    about: options.About = (),
    nam_version: Annotated[
        Literal["oldest", "keep", "0.5.4"],
        typer.Option(
            help="Version of the .nam format: the oldest that the network allows, that of IN, or 0.5.4."
        ),
    ] = "oldest",
) -> None:
    """Convert between model file, .nam, .aidax and JSON, or between number types.

    A .json file is an amp model of an earlier trainer, or an LSTM as Proteus has it; a .aidax file is an
    LSTM. The checkpoint of an MDX23C drum separator becomes a model file that proves itself.
    """
    from neurdsp.cli.named import find_shipped_or_file
    from neurdsp.console import print_table
    from neurdsp.modelfile import convert as run

    names: dict[str, Literal["F32", "F16", "BF16"]] = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
    done = run(
        find_shipped_or_file(source),
        target,
        dtype=names[dtype] if dtype else None,
        parity_db=parity_db,
        capture=options.about_facts(about) if about else None,
        nam_version=nam_version,
        config=config,
    )
    rows = [
        ("from", str(done.source)),
        ("to", str(done.target)),
        ("lost", ", ".join(done.lost) or "nothing"),
        ("added", ", ".join(done.added) or "nothing"),
    ]
    if done.proof is not None:
        error = "none" if math.isinf(done.proof.error_db) else _decibels(done.proof.error_db)
        rows.append(("parity error", f"{error}, at most {done.proof.threshold_db:.1f} dB allowed"))
    print_table([(name, _printable(value)) for name, value in rows])


def _rows(told: "ModelInfo") -> list[tuple[str, object]]:
    """Return what every file has, and what the family of this one adds, as labels and values."""
    rows: list[tuple[str, object]] = [
        ("file", told.path),
        ("format", told.format),
        ("architecture", told.architecture),
        ("kind", told.kind),
        ("config", ", ".join(f"{key} {value}" for key, value in told.config.items())),
        ("parameters", f"{told.n_parameters:,}"),
        ("stored values", ", ".join(f"{count:,} {dtype}" for dtype, count in told.stored.items())),
        ("sample rate", f"{told.sample_rate:g} Hz"),
        ("channels", told.channels),
        *told.rows(),
        ("parity", ", ".join(f"{name} {list(shape)}" for name, shape in told.parity.items())),
        *((f"metric {key}", value) for key, value in told.metrics.items()),
        *((key.removeprefix("neurdsp."), text) for key, text in told.metadata.items()),
    ]
    # Formats other than the model file name no stored types and have no parity vectors.
    return [(name, value) for name, value in rows if value != "" or name not in ("stored values", "parity")]


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
