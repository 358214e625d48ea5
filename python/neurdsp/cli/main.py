"""Assembles the sub-commands and turns errors into one line and an exit status.

Each sub-command lives in a module of its own, or in the ``cli.py`` of its family, and is registered here.
"""

import os
import sys

import typer

from neurdsp.errors import NeurdspError

__all__ = ["app", "main"]

app = typer.Typer(
    name="neurdsp",
    help="Neural audio: mel features, amp models, one Rust engine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root(
    debug: bool = typer.Option(False, "--debug", help="Show the full trace of an error."),
) -> None:
    if debug:
        os.environ["NEURDSP_DEBUG"] = "1"


def main() -> None:
    """Run the command; a user's mistake costs one line and exit status 2."""
    try:
        app()
    except NeurdspError as error:
        if os.environ.get("NEURDSP_DEBUG"):
            raise
        sys.stderr.write(f"neurdsp: {error}\n")
        sys.exit(2)
