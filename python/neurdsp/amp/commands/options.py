"""The options that ``neurdsp amp train``, ``train-many`` and ``train-knobs`` share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurdsp import _guard as guard

if TYPE_CHECKING:
    from neurdsp.amp.config import DataConfig

__all__ = [
    "Config",
    "Esr",
    "Json",
    "Minutes",
    "ModelPath",
    "Overwrite",
    "Preset",
    "Resume",
    "RunDir",
    "Set",
    "Steps",
    "budget_settings",
    "data_settings",
]

ModelPath = Annotated[
    Path,
    typer.Option("--output", "-o", help="Model file to write, .safetensors; a better one is kept."),
    guard.MODEL,
]
Preset = Annotated[str | None, typer.Option(help="A preset; see 'neurdsp amp presets'. [default: standard]")]
Config = Annotated[
    Path | None, typer.Option("--config", help="A YAML file in place of a preset."), guard.READS
]
Minutes = Annotated[float | None, typer.Option(help="Wall time of the training of each model.")]
Steps = Annotated[
    int | None, typer.Option(help="Steps to train for instead; on a CPU each run gives the same bytes.")
]
Esr = Annotated[
    float | None, typer.Option("--esr", help="Stop as soon as the held-out ESR is this low, such as 0.01.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a value, such as loss.type=hybrid; repeatable."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")]
RunDir = Annotated[
    Path | None,
    typer.Option(help="Folder for the log and the checkpoint. [default: runs/<name of the model file>]"),
    guard.FOLDER,
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an older model even by a worse one, and an earlier run.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and no progress.")]


def data_settings(overrides: list[str] | None) -> "DataConfig":
    """Return the section ``data`` of a configuration, for a command that does not train.

    Raises
    ------
    ParameterError
        For a key of another section.
    ConfigError
        For an unknown key or a wrong value.

    Examples
    --------
    >>> data_settings(["data.drift=ignore"]).drift
    'ignore'
    """
    from neurdsp.amp.config import load_config
    from neurdsp.errors import ParameterError

    for text in overrides or ():
        if not text.startswith("data."):
            raise ParameterError(
                f"--set is '{text}', but only settings of the recordings matter here: data.KEY=VALUE"
            )
    return load_config(overrides=overrides or ()).data


def budget_settings(
    overrides: list[str] | None,
    *,
    minutes: float | None,
    steps: int | None,
    esr: float | None = None,
    seed: int | None = None,
) -> list[str]:
    """Return the options as overrides of the configuration.

    Raises
    ------
    ParameterError
        If both minutes and steps are given.
    """
    from neurdsp.errors import ParameterError

    if minutes is not None and steps is not None:
        raise ParameterError("give the budget either as --minutes or as --steps, not both")
    settings = list(overrides or ())
    if minutes is not None:
        settings += [f"training.minutes={minutes}", "training.steps=null"]
    if steps is not None:
        settings += [f"training.steps={steps}", "training.minutes=null"]
    if esr is not None:
        settings.append(f"training.target_score={esr}")
    if seed is not None:
        settings.append(f"training.seed={seed}")
    return settings
