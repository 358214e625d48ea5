"""Separation of drum recordings into kick, snare, toms, hi-hat and cymbals.

`DrumSeparator` runs MDX23C networks (TFC-TDF v3) without torch; `convert_checkpoint` makes its files from
public checkpoints.
"""

from neurdsp.drumsep.export import convert_checkpoint
from neurdsp.drumsep.infer import DrumSeparator

__all__ = ["DrumSeparator", "convert_checkpoint"]
