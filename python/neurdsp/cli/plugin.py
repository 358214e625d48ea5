"""``neurdsp plugin``: presets for the VST3 and CLAP plugin."""

from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp.errors import ParameterError

__all__ = ["app"]

app = typer.Typer(help="Presets for the VST3 and CLAP plugin.", no_args_is_help=True)


@app.command()
@guard.guarded
def preset(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, NAME.vstpreset."), guard.FILE
    ],
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model file, or the name of a shipped amp.")
    ] = None,
    ir: Annotated[
        Path | None, typer.Option(help="Impulse response of a cabinet, in any audio format."), guard.READS
    ] = None,
    ir_channel: Annotated[
        str, typer.Option(help="Channel of the impulse response: each, left, right, mean or a number.")
    ] = "each",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PARAM=VALUE", help="Set a parameter; neurdsp plugin parameters lists them."
        ),
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--knob", metavar="NAME=POSITION", help="Set a knob of the model, from 0 to 1."),
    ] = None,
) -> None:
    """Write a preset for the plugin that contains the model and the cabinet."""
    from neurdsp.amp.commands.knobs import parse_positions
    from neurdsp.amp.play.plugin_preset import write_plugin_preset

    turned = parse_positions(knobs)
    given = dict(_pair(text) for text in settings or [])
    path = write_plugin_preset(output, model, ir=ir, ir_channel=ir_channel, knobs=turned, **given)
    typer.echo(f"preset ... {path}")


@app.command()
def parameters() -> None:
    """List the parameters of the plugin, with their ranges and defaults."""
    from neurdsp.amp.play.parameters import PLUGIN_PARAMETERS
    from neurdsp.console import print_table

    print_table(
        [
            (name, f"{_allowed(values)} ({_text(default)})")
            for name, (default, values) in PLUGIN_PARAMETERS.items()
        ]
    )


def _text(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _allowed(values: tuple[object, ...]) -> str:
    if not values:
        return "true or false"
    return ", ".join(map(str, values)) if isinstance(values[0], str) else f"{values[0]} to {values[1]}"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ParameterError(f"--set is '{text}', but it must be PARAM=VALUE, such as bass=3")
    return name.strip(), value.strip()
