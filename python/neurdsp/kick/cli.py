"""The commands of ``neurdsp kick``."""

import typer

from neurdsp.kick.commands import data, seed

__all__ = ["app"]

app = typer.Typer(
    help="Kick drums: gather samples, train generators, generate.",
    no_args_is_help=True,
)
app.command()(data.aggregate)
app.command()(data.prepare)
train = typer.Typer(help="Train a generator.", no_args_is_help=True)
train.command("seed")(seed.train_seed)
app.add_typer(train, name="train")
app.command("train-vae")(seed.train_vae)
app.command()(seed.encode)
app.command("train-diffusion")(seed.train_diffusion)
app.command("train-vocoder")(seed.train_vocoder)
app.command()(seed.export)
