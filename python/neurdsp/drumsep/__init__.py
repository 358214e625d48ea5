"""Separation of drum recordings into kick, snare, toms, hi-hat and cymbals.

`DrumSeparator` runs MDX23C networks (TFC-TDF v3) and networks that play live without torch;
`convert_checkpoint` makes files of the former from public checkpoints.
"""

from neurdsp.drumsep.export import convert_checkpoint
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.drumsep.streamed import DrumStream

__all__ = ["DrumSeparator", "DrumStream", "convert_checkpoint"]
