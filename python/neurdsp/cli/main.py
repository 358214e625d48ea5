"""Registers the sub-commands, and turns errors into one line and an exit status.

Each sub-command has its own module, or is the `cli.py` of a model family that the table of families names.
"""

import io
import os
import sys
import warnings
from typing import Annotated, Any

import typer

from neurdsp import __version__
from neurdsp._guard import guarded
from neurdsp.cli import bench, mel, model, plugin
from neurdsp.cli.demo import demo
from neurdsp.errors import NeurdspError, NeurdspWarning
from neurdsp.modelfile.families import FAMILIES, part

__all__ = ["app", "main"]

# Base of Typer's usage errors (unknown option, missing argument), in whichever Click Typer uses.
_UsageError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="neurdsp",
    help="Mel features and neural amp models, with one Rust engine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _family in FAMILIES:
    if _family.command:
        app.add_typer(part(_family.command), name=_family.name)
app.add_typer(bench.app, name="bench")
app.add_typer(model.app, name="model")
app.add_typer(plugin.app, name="plugin")
app.command(name="mel")(guarded(mel.mel))
app.command()(guarded(demo))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"neurdsp {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    if debug:
        os.environ["NEURDSP_DEBUG"] = "1"


def main() -> None:
    """Run the command; an error of the user is reported in one line, with exit status 2."""
    warnings.showwarning = _show  # type: ignore[assignment]
    for stream in (sys.stdout, sys.stderr):
        # A file name that is no text in the encoding of the terminal is printed with escapes.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        # Without a sub-command the message is the whole help, not an error.
        if not message or "\n" in message:
            sys.stderr.write(message)
            sys.exit(2)
        _fail(error, message)
    except NeurdspError as error:
        _fail(error, str(error))
    except OSError as error:
        named = error.strerror and error.filename
        _fail(error, f"{error.filename}: {error.strerror}" if named else str(error))
    except typer.Abort as error:
        _fail(error, "stopped")
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
    """Write a warning of ours in one line; one of a library with its place, as Python does."""
    if issubclass(category, NeurdspWarning):
        sys.stderr.write(f"neurdsp: warning: {' '.join(str(message).split())}\n")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _fail(error: Exception, message: str) -> None:
    if os.environ.get("NEURDSP_DEBUG"):
        raise error
    sys.stderr.write(f"neurdsp: {' '.join(message.split())}\n")
    sys.exit(2)
