"""The command ``neurdsp amp train-knobs``, and the ``--knob`` option of commands that play a model."""

import json
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp.amp.commands import options

__all__ = ["parse_positions", "train_knobs"]


def parse_positions(texts: list[str] | None) -> dict[str, float]:
    """Read ``NAME=POSITION`` options.

    Raises
    ------
    ParameterError
        For any other form.

    Examples
    --------
    >>> parse_positions(["gain=0.3"])
    {'gain': 0.3}
    """
    from neurdsp.errors import ParameterError

    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        try:
            if not equals:
                raise ValueError
            found[name.strip()] = float(value)
        except ValueError:
            raise ParameterError(f"--knob is '{text}', but it must be like gain=0.3") from None
    return found


@guard.guarded
@options.described()
def train_knobs(
    manifest: Annotated[
        Path,
        typer.Argument(help="Manifest of captures: 'neurdsp amp capture --sweep' makes one."),
        guard.READS,
    ],
    model_path: options.ModelPath,
    preset: Annotated[str, typer.Option(help="A preset; see 'neurdsp amp presets'.")] = "knobs",
    minutes: options.Minutes = None,
    steps: options.Steps = None,
    overrides: options.Set = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    run_dir: options.RunDir = None,
    about: options.About = (),
    as_json: options.Json = False,
) -> None:
    """Train one model with knobs on several captures of a device, and judge it at settings it never saw."""
    from neurdsp.amp.config import load_config
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    settings = options.budget_settings(overrides, minutes=minutes, steps=steps)
    settings += about
    config = load_config(preset, overrides=settings)
    require("torch", extra="train", purpose="neurdsp amp train-knobs")
    from neurdsp.amp.knobs.train import train_parametric

    folder = run_dir or Path("runs") / model_path.stem
    result = train_parametric(
        config,
        manifest,
        model_path=model_path,
        run_dir=folder,
        resume=resume,
        show=not as_json,
        overwrite=overwrite,
    )
    if result.older_model:
        typer.echo(f"note: {result.older_model}", err=True)
    if as_json:
        figures = {"model": str(result.model_path), **result.figures(), "settings": list(result.settings)}
        typer.echo(json.dumps(figures))
        return
    rows = [("model", str(result.model_path)), ("ESR at captured settings", f"{result.esr_train:.3g}")]
    if result.esr_test is not None:
        rows += [
            ("ESR at other settings", f"{result.esr_test:.3g}"),
            ("  nearest capture", f"{result.esr_nearest:.3g}"),
            ("  two nearest mixed", f"{result.esr_blend:.3g}"),
        ]
    print_table([*rows, ("trained", f"{result.steps:,} steps in {result.seconds / 60:.1f} min")])
