"""Neural audio: fast mel features, and amp models from training to plugin, with one Rust engine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurdsp._core import __version__

if TYPE_CHECKING:
    from neurdsp.dsp import (
        STFT,
        MelCache,
        MelSpectrogram,
        amplitude_to_db,
        db_to_amplitude,
        db_to_power,
        delta,
        filters,
        griffinlim,
        istft,
        log_mel,
        mel_spectrogram,
        mel_to_audio,
        mel_to_stft,
        mfcc,
        pcen,
        power_to_db,
        rms,
        spectrogram,
        split,
        stft,
        trim,
    )

__all__ = [
    "STFT",
    "MelCache",
    "MelSpectrogram",
    "__version__",
    "amplitude_to_db",
    "db_to_amplitude",
    "db_to_power",
    "delta",
    "filters",
    "griffinlim",
    "istft",
    "log_mel",
    "mel_spectrogram",
    "mel_to_audio",
    "mel_to_stft",
    "mfcc",
    "pcen",
    "power_to_db",
    "rms",
    "spectrogram",
    "split",
    "stft",
    "trim",
]


def __getattr__(name: str) -> Any:
    # The transforms import numpy, so they are imported on first use.
    if name in __all__:
        value = getattr(import_module("neurdsp.dsp"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'neurdsp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
