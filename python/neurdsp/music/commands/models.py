"""``neurdsp music models``: the networks, their sizes and their figures."""

import json
from typing import Annotated

import typer

from neurdsp.music.commands.options import Models

__all__ = ["models"]


def models(
    folder: Models = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the music networks: parameters, bytes, and what was measured at export."""
    from neurdsp.console import print_table
    from neurdsp.music.infer import MusicPipeline

    pipeline = MusicPipeline.load(folder)
    rows = pipeline.models()
    if as_json:
        typer.echo(json.dumps({"models": rows, "missing": list(pipeline.missing)}))
        return
    lines = [
        (row["name"], f"{row['parameters']:>9,} parameters  {row['bytes'] / 1e3:8.1f} kB  {row['precision']}")
        for row in rows
    ]
    print_table([*lines, *((name, "missing") for name in pipeline.missing)])
