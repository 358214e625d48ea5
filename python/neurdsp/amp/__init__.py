"""Amp models: play them with the Rust engine, compare them, and, with the ``train`` extra, train them.

Names are imported on first use, so that ``import neurdsp.amp`` costs nothing and never needs PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurdsp.amp.compare import compare_files
    from neurdsp.amp.infer import AmpModel, AmpStream, shipped_amps, shipped_clip
    from neurdsp.amp.render import RenderResult, render_file

__all__ = [
    "AmpModel",
    "AmpStream",
    "RenderResult",
    "compare_files",
    "render_file",
    "shipped_amps",
    "shipped_clip",
]

_HOMES = {
    "AmpModel": "neurdsp.amp.infer",
    "AmpStream": "neurdsp.amp.infer",
    "RenderResult": "neurdsp.amp.render",
    "compare_files": "neurdsp.amp.compare",
    "render_file": "neurdsp.amp.render",
    "shipped_amps": "neurdsp.amp.infer",
    "shipped_clip": "neurdsp.amp.infer",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
