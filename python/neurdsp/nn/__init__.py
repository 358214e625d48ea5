"""Differentiable spectrograms as torch modules: computed by the Rust core on a CPU, by torch elsewhere.

The modules are imported on first use, so importing this package does not need torch.
"""

from typing import TYPE_CHECKING, Any

from neurdsp.dependencies import require

if TYPE_CHECKING:
    from neurdsp.nn.spectrogram import MelSpectrogram, Spectrogram
    from neurdsp.nn.stft import STFT

__all__ = ["STFT", "MelSpectrogram", "Spectrogram"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    require("torch", extra="train", purpose="gradients")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{'stft' if name == 'STFT' else 'spectrogram'}"), name)
