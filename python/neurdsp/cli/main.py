"""Registers the sub-commands, and turns errors into one line and an exit status.

Each sub-command has its own module, or belongs to the ``cli.py`` of its model family.
"""

import os
import sys

import typer

from neurdsp.cli import bench, mel, model, plugin
from neurdsp.cli.demo import demo
from neurdsp.errors import NeurdspError
from neurdsp.modelfile.families import FAMILIES, part

__all__ = ["app", "main"]

# Typer's own mistakes of usage (unknown option, missing argument), whichever Click they come from.
_UsageError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="neurdsp",
    help="Neural audio: mel features, amp models, one Rust engine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _family in FAMILIES:
    if _family.command:
        app.add_typer(part(_family.command), name=_family.name)
app.add_typer(bench.app, name="bench")
app.add_typer(model.app, name="model")
app.add_typer(plugin.app, name="plugin")
app.command(name="mel")(mel.mel)
app.command()(demo)


@app.callback()
def _root(
    debug: bool = typer.Option(False, "--debug", help="Show the full trace of an error."),
) -> None:
    if debug:
        os.environ["NEURDSP_DEBUG"] = "1"


def main() -> None:
    """Run the command; a user's mistake costs one line and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        if (
            not message or "\n" in message
        ):  # a command without arguments: Typer's whole help, not a mistake to name
            sys.stderr.write(message)
            sys.exit(2)
        _fail(error, message)
    except NeurdspError as error:
        _fail(error, str(error))
    except OSError as error:
        _fail(
            error, f"{error.filename}: {error.strerror}" if error.strerror and error.filename else str(error)
        )
    except typer.Abort as error:
        _fail(error, "stopped")
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _fail(error: Exception, message: str) -> None:
    if os.environ.get("NEURDSP_DEBUG"):
        raise error
    sys.stderr.write(f"neurdsp: {' '.join(message.split())}\n")
    sys.exit(2)
