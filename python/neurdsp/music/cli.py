"""The commands of ``neurdsp music``."""

import typer

from neurdsp.music.commands import (
    benchmark,
    emotion,
    humanise,
    models,
    report,
    shrink,
    tonal,
    train,
)

__all__ = ["app"]

app = typer.Typer(
    help="Music: humanise drums, find chords, continue melodies, and the small networks that do it.",
    no_args_is_help=True,
)
app.command()(humanise.humanise)
app.command()(humanise.dynamics)
app.command()(emotion.emotion)
app.command()(tonal.harmonise)
app.command("continue")(tonal.continue_melody)
app.command()(models.models)
app.command()(benchmark.benchmark)
app.command()(report.report)
app.command()(train.prepare)
app.command()(train.train)
app.command()(train.export)
app.command()(train.evaluate)
app.command()(shrink.prune)
app.command()(shrink.distil)
app.command()(shrink.quantise)
