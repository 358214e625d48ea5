"""The plugin's parameters: identifiers, defaults and ranges that projects and presets depend on."""

from neurdsp import _core
from neurdsp.amp import PLUGIN_PARAMETERS, AmpChain
from neurdsp.amp.play.parameters import SWITCHES

FROZEN = {
    "bypass": (False, ()),
    "input": (0.0, (-24, 24)),
    "input_dbu": (12.0, (-10, 30)),
    "calibrate": (False, ()),
    "gate": (True, ()),
    "gate_threshold": (-75.0, (-100, 0)),
    "model": (True, ()),
    "quality": (1.0, (0, 1)),
    "oversampling": ("1x", ("1x", "2x", "4x")),
    "tone": (True, ()),
    "bass": (0.0, (-20, 20)),
    "middle": (0.0, (-15, 15)),
    "treble": (0.0, (-10, 10)),
    "cabinet": (True, ()),
    "dc_block": (True, ()),
    "output_mode": ("normalised", ("raw", "normalised", "calibrated")),
    "output": (0.0, (-24, 24)),
    "mix": (1.0, (0, 1)),
    **{f"knob{number}": (0.5, (0, 1)) for number in range(1, 9)},
    "input_channels": ("stereo", ("stereo", "left", "right", "sum")),
    "ceiling": (True, ()),
}


def test_identifiers_defaults_and_ranges_of_the_plugin_never_change():
    assert list(PLUGIN_PARAMETERS) == list(FROZEN)  # presets are written in this order
    assert PLUGIN_PARAMETERS == FROZEN
    # The command prints them: 20 and not 20.0, true and not 1.0.
    assert repr(PLUGIN_PARAMETERS) == repr(FROZEN)


def test_the_switches_are_the_parameters_of_the_core_whose_values_are_0_and_1():
    unit = {name for name, least, largest, _ in _core.chain_parameters() if (least, largest) == (0, 1)}
    assert unit - {"mix"} == SWITCHES
    assert {name for name, value in AmpChain().settings.items() if isinstance(value, bool)} == SWITCHES
