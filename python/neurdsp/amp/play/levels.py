"""What the levels in a model's file allow: what they do not is refused, and what is assumed is said.

Without its loudness a model cannot be normalised, and without its levels in dBu it cannot be calibrated. The
chain would leave the sound as it is, which nobody would notice.
"""

from collections.abc import Mapping
from typing import Any

from neurdsp.amp.infer import AmpModel
from neurdsp.amp.play.parameters import one_spelling, output_mode_number
from neurdsp.errors import ParameterError

__all__ = ["assumed_levels", "check_levels"]

_DEFAULT_DBU = 12.0

_NEEDS = {
    "normalised": ("loudness", "output mode normalised", "loudness"),
    "calibrated": ("output_level_dbu", "output mode calibrated", "level of its output in dBu"),
    "input": ("input_level_dbu", "calibrated input (--interface)", "level of its input in dBu"),
}


def check_levels(amp: AmpModel, settings: Mapping[str, object]) -> None:
    """Refuse settings that need a level that the model's file does not give.

    Parameters
    ----------
    amp
        The model.
    settings
        Of the chain; see `neurdsp.amp.ChainSettings`.

    Raises
    ------
    ParameterError
        If a level is missing or is no number; the message says how to write it into the file.

    Examples
    --------
    >>> check_levels(AmpModel.load("ts9"), {"output_mode": "normalised"})
    """
    mode = str(one_spelling(settings.get("output_mode", "raw")))
    output_mode_number(mode)
    wanted: list[str] = [mode] if mode != "raw" else []
    if settings.get("calibrate_input"):
        wanted.append("input")
    capture = amp.capture
    for what in wanted:
        key, option, words = _NEEDS[what]
        value = capture.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            continue
        raise ParameterError(f"{option}: {_missing(amp, key, words, value)}")


def assumed_levels(settings: Mapping[str, object]) -> list[str]:
    """Return what the chain assumes about levels that the settings leave open, one line each.

    Examples
    --------
    >>> assumed_levels({"output_mode": "normalised"})
    []
    """
    if settings.get("output_mode") != "calibrated" or "interface_level_dbu" in settings:
        return []
    return [
        f"calibrated: full scale of your interface is taken as {_DEFAULT_DBU:g} dBu; --interface gives "
        "another"
    ]


def _missing(amp: AmpModel, key: str, words: str, value: Any) -> str:
    name = amp.metadata.get("neurdsp.name", "")
    model = f"the model '{name}'" if name else "the model"
    if value is not None:
        what = f"{model} gives {key} as {value!r}, which is no number"
    else:
        what = f"{model} does not say the {words}"
    if key == "loudness":
        return f"{what}; 'neurdsp model convert' to .nam or .safetensors measures it; or leave the mode raw"
    option = "--input-dbu" if key == "input_level_dbu" else "--output-dbu"
    return f"{what}; if you know it, write it into a copy: neurdsp model convert IN OUT {option} DBU"
