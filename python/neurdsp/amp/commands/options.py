"""The options that ``neurdsp amp train``, ``train-many`` and ``train-knobs`` share.

Those about the device are also options of ``neurdsp model convert``.
"""

import functools
import inspect
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurdsp import _guard as guard

if TYPE_CHECKING:
    from neurdsp.amp.config import DataConfig

__all__ = [
    "About",
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
    "about_facts",
    "about_settings",
    "budget_settings",
    "data_settings",
    "described",
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
About = Sequence[str]
"""What is given about the device, as overrides of the configuration; see `described`."""
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and no progress.")]


def _about(kind: Any, text: str, **more: Any) -> Any:
    panel = "About the device (written into the model file)"
    return Annotated[kind | None, typer.Option(help=text, rich_help_panel=panel, **more)]


_ABOUT = {
    "name": _about(str, "Name of the model."),
    "modeled_by": _about(str, "Who made the capture."),
    "gear_make": _about(str, "Maker of the device."),
    "gear_model": _about(str, "Model of the device."),
    "gear_type": _about(str, "amp, pedal, pedal_amp, amp_cab, amp_pedal_cab, preamp or studio."),
    "tone_type": _about(str, "clean, overdrive, crunch, hi_gain or fuzz."),
    "input_dbu": _about(float, "Level at the device of a 1 kHz sine that peaks at 0 dBFS.", metavar="DBU"),
    "output_dbu": _about(float, "Level of a 1 kHz sine that is recorded at 0 dBFS peak.", metavar="DBU"),
}
"""The options of `described`."""


def described(*, name: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options about the device, in place of its parameter ``about``.

    The command gets what is given as overrides of the configuration (see `about_settings`).

    Parameters
    ----------
    name
        Whether ``--name`` is among them; not of a command that makes several models.

    Examples
    --------
    >>> @described()
    ... def train(about: About = ()) -> None:
    ...     print(about)
    >>> train(gear_make="Acme")
    ['about.gear_make="Acme"']
    """
    added = {key: option for key, option in _ABOUT.items() if name or key != "name"}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**values: Any) -> None:
            about = about_settings(**{key: values.pop(key, None) for key in added})
            command(**values, about=about)

        parameters: list[inspect.Parameter] = []
        signature = inspect.signature(command)
        for parameter in signature.parameters.values():
            if parameter.name != "about":
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            parameters += [
                inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
                for key, option in added.items()
            ]
        annotations = {key: hint for key, hint in command.__annotations__.items() if key != "about"}
        run.__annotations__ = {**annotations, **added}
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return decorate


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


def about_settings(
    *,
    name: str | None = None,
    modeled_by: str | None = None,
    gear_make: str | None = None,
    gear_model: str | None = None,
    gear_type: str | None = None,
    tone_type: str | None = None,
    input_dbu: float | None = None,
    output_dbu: float | None = None,
) -> list[str]:
    """Return what is given about the device as overrides of the configuration.

    Examples
    --------
    >>> about_settings(gear_make="Acme", input_dbu=12.5)
    ['about.gear_make="Acme"', 'about.input_level_dbu=12.5']
    """
    given: dict[str, str | float | None] = {
        "name": name,
        "modeled_by": modeled_by,
        "gear_make": gear_make,
        "gear_model": gear_model,
        "gear_type": gear_type,
        "tone_type": tone_type,
        "input_level_dbu": input_dbu,
        "output_level_dbu": output_dbu,
    }
    return [f"about.{key}={json.dumps(value)}" for key, value in given.items() if value is not None]


def about_facts(settings: Sequence[str]) -> dict[str, object]:
    """Return the result of `about_settings` by the keys of ``.nam`` metadata.

    Raises
    ------
    ConfigError
        For a value that is not allowed.

    Examples
    --------
    >>> about_facts(about_settings(gear_type="pedal"))
    {'gear_type': 'pedal'}
    """
    from neurdsp.amp.about import AboutConfig
    from neurdsp.config import apply_overrides, build

    tree = apply_overrides({"about": {}}, settings)
    return build(AboutConfig, tree["about"], source="about the device").facts()
