"""The commands of ``neurdsp music``."""

import typer

from neurdsp.music.commands import benchmark, emotion, humanise, models, report, shrink, train

__all__ = ["app"]

app = typer.Typer(
    help="Music: humanise drums, reshape dynamics, and the small networks that do it.",
    no_args_is_help=True,
)
app.command()(humanise.humanise)
app.command()(humanise.dynamics)
app.command()(emotion.emotion)
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
