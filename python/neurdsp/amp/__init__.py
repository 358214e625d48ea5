"""Amp models: play them with the Rust engine, compare them and, with the ``train`` extra, train them.

Names are imported on first use, so ``import neurdsp.amp`` is cheap and never needs PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurdsp.amp.infer import AmpModel, AmpStream
    from neurdsp.amp.information import AmpInfo
    from neurdsp.amp.judge.compare import compare_files
    from neurdsp.amp.lookup import shipped_amps, shipped_clip
    from neurdsp.amp.play.chain import AmpChain, ChainSettings, PerformanceReport
    from neurdsp.amp.play.effects import Cabinet, DCBlock, LevelGains, NoiseGate, ToneStack, level_gains
    from neurdsp.amp.play.parameters import PLUGIN_PARAMETERS
    from neurdsp.amp.play.plugin_preset import write_plugin_preset
    from neurdsp.amp.play.render import RenderedFile, RenderResult, render_file, render_files

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
    "PLUGIN_PARAMETERS": "neurdsp.amp.play.parameters",
    "AmpChain": "neurdsp.amp.play.chain",
    "AmpModel": "neurdsp.amp.infer",
    "AmpInfo": "neurdsp.amp.information",
    "AmpStream": "neurdsp.amp.infer",
    "Cabinet": "neurdsp.amp.play.effects",
    "ChainSettings": "neurdsp.amp.play.chain",
    "DCBlock": "neurdsp.amp.play.effects",
    "LevelGains": "neurdsp.amp.play.effects",
    "NoiseGate": "neurdsp.amp.play.effects",
    "PerformanceReport": "neurdsp.amp.play.chain",
    "RenderResult": "neurdsp.amp.play.render",
    "RenderedFile": "neurdsp.amp.play.render",
    "ToneStack": "neurdsp.amp.play.effects",
    "compare_files": "neurdsp.amp.judge.compare",
    "level_gains": "neurdsp.amp.play.effects",
    "render_file": "neurdsp.amp.play.render",
    "render_files": "neurdsp.amp.play.render",
    "shipped_amps": "neurdsp.amp.lookup",
    "shipped_clip": "neurdsp.amp.lookup",
    "write_plugin_preset": "neurdsp.amp.play.plugin_preset",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
