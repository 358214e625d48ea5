"""``neurdsp kick train seed`` and its stages: VAE, latents, diffusion, vocoder; and the export of a run."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurdsp import _guard as guard
from neurdsp._options import (
    ConfigFile,
    Json,
    NumberType,
    Overrides,
    RemoveEarlier,
    Resume,
    check_resume,
    settings_of,
)

if TYPE_CHECKING:
    from neurdsp.kick.mel.train import StageResult

__all__ = ["encode", "export", "train_diffusion", "train_seed", "train_vae", "train_vocoder"]

Prepared = Annotated[
    Path, typer.Argument(metavar="PREPARED", help="Folder of 'neurdsp kick prepare'."), guard.READS
]
RunFolder = Annotated[
    Path, typer.Option("--run-dir", "-r", help="Folder for the runs of all stages."), guard.FOLDER
]
Preset = Annotated[str, typer.Option("--preset", "-p", help="seed, or seed-tiny to try the commands.")]


def _stage(stage: Literal["vae", "diffusion", "vocoder"], text: str) -> Callable[..., None]:
    """Return the command that trains one stage, with its help."""

    def command(
        prepared: Prepared,
        run_dir: RunFolder,
        preset: Preset = "seed",
        config_path: ConfigFile = None,
        minutes: Annotated[
            float | None, typer.Option(help="Time to train for, instead of the recipe's epochs.")
        ] = None,
        steps: Annotated[
            int | None, typer.Option(help="Steps to train for, instead of the recipe's epochs.")
        ] = None,
        overrides: Overrides = None,
        resume: Resume = False,
        overwrite: RemoveEarlier = False,
        as_json: Json = False,
    ) -> None:
        from neurdsp.dependencies import require

        require("torch", extra="train", purpose=f"kick train-{stage}")
        from neurdsp.kick.mel import train
        from neurdsp.kick.mel.recipe import load_recipe

        check_resume(resume=resume, overwrite=overwrite)
        budget = [f"{stage}.{setting}" for setting in settings_of((), minutes, steps)]
        if budget:
            budget.insert(0, f"{stage}.epochs=null")
        recipe = load_recipe(preset, path=config_path, overrides=[*(overrides or ()), *budget])
        trainers = {
            "vae": train.train_vae,
            "diffusion": train.train_diffusion,
            "vocoder": train.train_vocoder,
        }
        result = trainers[stage](
            recipe,
            prepared,
            run_dir=run_dir,
            resume=resume,
            overwrite=overwrite,
            show=True,
            inputs=_inputs(config_path),
        )
        _print([result], as_json)

    command.__name__, command.__doc__ = f"train_{stage}", text
    return guard.guarded(command)


train_vae = _stage("vae", "Train the VAE of log-mel spectrograms: the first stage of 'train seed'.")
train_diffusion = _stage("diffusion", "Train the U-Net and the keywords on the latents that 'encode' wrote.")
train_vocoder = _stage(
    "vocoder", "Train the HiFi-GAN vocoder against its discriminators. It needs no other stage."
)


@guard.guarded
def encode(
    prepared: Prepared,
    run_dir: Annotated[Path, typer.Option("--run-dir", "-r", help="Folder of the runs."), guard.FOLDER],
    overwrite: guard.Overwrite = False,
    as_json: Json = False,
) -> None:
    """Encode all kicks with the trained VAE, for 'train-diffusion'."""
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    require("torch", extra="train", purpose="kick encode")
    from neurdsp.kick.mel.latents import LATENTS
    from neurdsp.kick.mel.train import encode as run

    guard.check_new(run_dir / LATENTS, overwrite=overwrite)
    latents = run(prepared, run_dir=run_dir)
    told = {
        "file": str(run_dir / LATENTS),
        "shape": [*latents.values.shape],
        "mean": latents.mean.tolist(),
        "std": latents.std.tolist(),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    print_table(
        [
            ("latents", f"{told['file']}, {len(latents.values):,} of {[*latents.values.shape[1:]]}"),
            ("standard deviation", ", ".join(f"{value:.3f}" for value in latents.std)),
        ]
    )


@guard.guarded
def train_seed(
    prepared: Prepared,
    run_dir: RunFolder,
    preset: Preset = "seed",
    config_path: ConfigFile = None,
    overrides: Overrides = None,
    overwrite: RemoveEarlier = False,
    as_json: Json = False,
) -> None:
    """Run all stages of the preset: VAE, latents, diffusion, vocoder.

    Called again, it goes on where it was stopped. 'neurdsp kick export' makes a model file of the run.
    """
    from neurdsp.dependencies import require

    require("torch", extra="train", purpose="kick train")
    from neurdsp.kick.mel.recipe import load_recipe
    from neurdsp.kick.mel.train import train_all

    recipe = load_recipe(preset, path=config_path, overrides=overrides or ())
    results = train_all(
        recipe, prepared, run_dir=run_dir, overwrite=overwrite, show=True, inputs=_inputs(config_path)
    )
    _print(results, as_json)


@guard.guarded
def export(
    run_dir: Annotated[Path, typer.Argument(help="Folder of the runs of all stages."), guard.READS],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.FILE],
    dtype: NumberType = "F16",
    name: Annotated[str, typer.Option(help="Name of the model, for its metadata.")] = "",
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Write the networks of a run of 'train seed' to a model file that proves each of them."""
    from neurdsp.console import print_table
    from neurdsp.dependencies import require

    require("torch", extra="train", purpose="kick export")
    from neurdsp.kick.mel.export import export_run

    verdict = export_run(run_dir, output, dtype=dtype, name=name)
    if as_json:
        told = {"output": str(output), "error_db": verdict.error_db, "passed": verdict.passed}
        typer.echo(json.dumps(told))
        return
    print_table(
        [
            ("output", f"{output}, {output.stat().st_size / 1e6:.2f} MB"),
            ("test vectors", f"{verdict.error_db:.1f} dB"),
        ]
    )


def _inputs(config_path: Path | None) -> list[Path]:
    return [] if config_path is None else [config_path]


def _print(results: "Sequence[StageResult]", as_json: bool) -> None:
    from neurdsp.console import print_table

    if as_json:
        typer.echo(json.dumps([result.to_json() for result in results]))
        return
    rows: list[tuple[str, str]] = []
    for result in results:
        summary: Any = result.summary
        rows.append(
            (
                result.stage,
                f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})",
            )
        )
        rows += [(f"  {name}", f"{value:.4f}") for name, value in result.metrics.items() if name != "score"]
    print_table(rows)
