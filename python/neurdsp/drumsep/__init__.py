"""Separation of drum recordings into kick, snare, toms, hi-hat and cymbals.

`DrumSeparator` runs MDX23C networks (TFC-TDF v3) and networks that play live without torch;
`convert_checkpoint` makes files of the former from public checkpoints. Names are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurdsp.drumsep.export import convert_checkpoint
    from neurdsp.drumsep.infer import DrumSeparator
    from neurdsp.drumsep.information import DrumInfo
    from neurdsp.drumsep.streamed import DrumStream

__all__ = ["DrumInfo", "DrumSeparator", "DrumStream", "convert_checkpoint"]

_HOMES = {
    "DrumInfo": "neurdsp.drumsep.information",
    "DrumSeparator": "neurdsp.drumsep.infer",
    "DrumStream": "neurdsp.drumsep.streamed",
    "convert_checkpoint": "neurdsp.drumsep.export",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
