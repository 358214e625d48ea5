"""The commands of ``neurdsp drumsep``."""

import typer

from neurdsp.drumsep.commands import data, engines, evaluate, report, separate, shrink, train

__all__ = ["app"]

app = typer.Typer(
    help="Drum separation: take recordings apart into kick, snare, toms, hi-hat and cymbals.",
    no_args_is_help=True,
)
app.command()(separate.separate)
app.command("list")(separate.list_networks)
app.command()(engines.null)
app.command("export-onnx")(engines.export_onnx)
app.command()(data.prepare)
app.command()(data.render)
app.command()(train.train)
app.command()(train.export)
app.command()(shrink.distil)
app.command()(shrink.prune)
app.command()(evaluate.evaluate)
app.command()(report.report)
