"""Amp models: play them with the Rust engine, compare them, and, with the ``train`` extra, train them.

Names are imported on first use, so that ``import neurdsp.amp`` costs nothing and never needs PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurdsp.amp.chain import AmpChain, ChainSettings, PerformanceReport
    from neurdsp.amp.compare import compare_files
    from neurdsp.amp.effects import Cabinet, DCBlock, LevelGains, NoiseGate, ToneStack, level_gains
    from neurdsp.amp.infer import AmpModel, AmpStream, shipped_amps, shipped_clip
    from neurdsp.amp.information import AmpInfo
    from neurdsp.amp.plugin_preset import PLUGIN_PARAMETERS, write_plugin_preset
    from neurdsp.amp.render import RenderedFile, RenderResult, render_file, render_files

__all__ = [
    "PLUGIN_PARAMETERS",
    "AmpChain",
    "AmpInfo",
    "AmpModel",
    "AmpStream",
    "Cabinet",
    "ChainSettings",
    "DCBlock",
    "LevelGains",
    "NoiseGate",
    "PerformanceReport",
    "RenderResult",
    "RenderedFile",
    "ToneStack",
    "compare_files",
    "level_gains",
    "render_file",
    "render_files",
    "shipped_amps",
    "shipped_clip",
    "write_plugin_preset",
]

_HOMES = {
    "PLUGIN_PARAMETERS": "neurdsp.amp.plugin_preset",
    "AmpChain": "neurdsp.amp.chain",
    "AmpModel": "neurdsp.amp.infer",
    "AmpInfo": "neurdsp.amp.information",
    "AmpStream": "neurdsp.amp.infer",
    "Cabinet": "neurdsp.amp.effects",
    "ChainSettings": "neurdsp.amp.chain",
    "DCBlock": "neurdsp.amp.effects",
    "LevelGains": "neurdsp.amp.effects",
    "NoiseGate": "neurdsp.amp.effects",
    "PerformanceReport": "neurdsp.amp.chain",
    "RenderResult": "neurdsp.amp.render",
    "RenderedFile": "neurdsp.amp.render",
    "ToneStack": "neurdsp.amp.effects",
    "compare_files": "neurdsp.amp.compare",
    "level_gains": "neurdsp.amp.effects",
    "render_file": "neurdsp.amp.render",
    "render_files": "neurdsp.amp.render",
    "shipped_amps": "neurdsp.amp.infer",
    "shipped_clip": "neurdsp.amp.infer",
    "write_plugin_preset": "neurdsp.amp.plugin_preset",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
