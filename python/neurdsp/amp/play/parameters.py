"""The parameters of the chain, with the ranges and defaults of the Rust core, and those of the plugin.

The plugin has its own identifiers, because the projects of its users are keyed by them. `PLUGIN_PARAMETERS`
is the one place that says which parameter of the chain each of them is.
"""

from typing import Any, Literal

import numpy as np

from neurdsp import _core
from neurdsp.errors import ParameterError

__all__ = [
    "OUTPUT_MODES",
    "PLUGIN_PARAMETERS",
    "SWITCHES",
    "OutputMode",
    "in_range",
    "one_spelling",
    "output_mode_number",
    "to_core",
]

OutputMode = Literal["raw", "normalised", "normalized", "calibrated"]

#: The output modes in the order of the core, each once.
OUTPUT_MODES = ("raw", "normalised", "calibrated")

_SPELLINGS = {"normalized": "normalised"}

#: Parameters of the chain that are on or off.
SWITCHES = frozenset({"calibrate_input", "gate_on", "model_on", "tone_on", "cabinet_on", "dc_block_on"})

_RANGES = {name: (least, largest) for name, least, largest, _ in _core.chain_parameters()}
_DEFAULTS = {name: default for name, *_, default in _core.chain_parameters()}


def in_range(name: str, value: float, parameter: str | None = None) -> float:
    """Return a value that the chain allows for a parameter.

    Parameters
    ----------
    name
        Name of the value in errors.
    value
        The value.
    parameter
        Name of the chain's parameter; ``name`` by default.

    Raises
    ------
    ParameterError
        If the value is no number or out of range.
    """
    least, largest = _RANGES[parameter or name]
    if not isinstance(value, int | float | np.integer | np.floating) or not least <= value <= largest:
        raise ParameterError(f"{name} is {value!r}, but it must be {least:g} to {largest:g}")
    return float(value)


def output_mode_number(mode: str) -> int:
    """Return the core's number of an output mode.

    Raises
    ------
    ParameterError
        If there is no such mode.
    """
    mode = one_spelling(mode)
    if mode not in OUTPUT_MODES:
        raise ParameterError(f"output_mode is {mode!r}, but it must be one of {', '.join(OUTPUT_MODES)}")
    return OUTPUT_MODES.index(mode)


def one_spelling(mode: Any) -> Any:
    """Return an output mode in the spelling that files and settings have.

    Examples
    --------
    >>> one_spelling("normalized")
    'normalised'
    """
    return _SPELLINGS.get(mode, mode) if isinstance(mode, str) else mode


def to_core(name: str, value: Any) -> float:
    """Return the number that the core takes for a parameter of the chain; the core checks its range.

    Raises
    ------
    ParameterError
        If the value is of the wrong type.
    """
    if name == "output_mode":
        return output_mode_number(value)
    if name in SWITCHES and not isinstance(value, bool | np.bool_):
        raise ParameterError(f"{name} is {value!r}, but it must be True or False")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} is {value!r}, but it must be a number") from None


_Entry = tuple[bool | float | str, tuple[Any, ...]]


def _of_chain(
    name: str, *, default: bool | float | str | None = None, allowed: tuple[int, int] | None = None
) -> _Entry:
    """Return default and allowed values of a chain's parameter, or the plugin's own in their place."""
    found: bool | float | str = _DEFAULTS[name]
    values: tuple[Any, ...] = tuple(int(end) for end in _RANGES[name])
    if name in SWITCHES:
        found, values = bool(_DEFAULTS[name]), ()
    elif name == "output_mode":
        values = OUTPUT_MODES
        found = values[round(_DEFAULTS[name])]
    return found if default is None else default, values if allowed is None else allowed


#: The plugin's parameters by identifier: the default, and what is allowed: a range of numbers, or names.
PLUGIN_PARAMETERS: dict[str, _Entry] = {
    "bypass": (False, ()),
    "input": _of_chain("input_gain_db", allowed=(-24, 24)),
    "input_dbu": _of_chain("interface_level_dbu", allowed=(-10, 30)),
    "calibrate": _of_chain("calibrate_input"),
    "gate": _of_chain("gate_on", default=True),
    "gate_threshold": _of_chain("gate_threshold_db", default=-75.0),
    "model": _of_chain("model_on"),
    # How the model is loaded: the `size` and `oversample` of `AmpModel`.
    "quality": (1.0, (0, 1)),
    "oversampling": ("1x", ("1x", "2x", "4x")),
    "tone": _of_chain("tone_on"),
    "bass": _of_chain("bass_db"),
    "middle": _of_chain("mid_db"),
    "treble": _of_chain("treble_db"),
    "cabinet": _of_chain("cabinet_on"),
    "dc_block": _of_chain("dc_block_on"),
    "output_mode": _of_chain("output_mode", default="normalised"),
    "output": _of_chain("output_gain_db", allowed=(-24, 24)),
    "mix": _of_chain("mix"),
    **{f"knob{number}": (0.5, (0, 1)) for number in range(1, 9)},
    # Which of two inputs is played, and whether the output stays below full scale.
    "input_channels": ("stereo", ("stereo", "left", "right", "sum")),
    "ceiling": (True, ()),
}
