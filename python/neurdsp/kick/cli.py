"""The commands of ``neurdsp kick``."""

import typer

from neurdsp.kick.commands import data, fast, generate, seed, serve

__all__ = ["app"]

app = typer.Typer(
    help="Kick drums: gather samples, train generators, generate.",
    no_args_is_help=True,
)
app.command()(generate.generate)
app.command()(generate.vary)
app.command()(generate.interpolate)
app.command()(generate.resynthesise)
app.command()(generate.keywords)
app.command()(serve.serve)
app.command()(data.aggregate)
app.command()(data.prepare)
train = typer.Typer(help="Train a generator.", no_args_is_help=True)
train.command("fast")(fast.train_fast)
train.command("seed")(seed.train_seed)
app.add_typer(train, name="train")
app.command("train-vae")(seed.train_vae)
app.command()(seed.encode)
app.command("train-diffusion")(seed.train_diffusion)
app.command("train-vocoder")(seed.train_vocoder)
app.command()(seed.export)
app.command("export-fast")(fast.export_fast)
app.command()(fast.evaluate)
