"""The commands of ``neurdsp kick``."""

import typer

from neurdsp.kick.commands import data

__all__ = ["app"]

app = typer.Typer(
    help="Kick drums: gather samples, train generators, generate.",
    no_args_is_help=True,
)
app.command()(data.aggregate)
