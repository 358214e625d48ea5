"""Transforms and features, by librosa's names: computed by the Rust core, numpy or torch in and out."""

from neurdsp.dsp import filters
from neurdsp.dsp.cache import MelCache
from neurdsp.dsp.cepstral import delta, mfcc
from neurdsp.dsp.decibel import amplitude_to_db, db_to_amplitude, db_to_power, power_to_db
from neurdsp.dsp.features import log_mel, mel_spectrogram, spectrogram
from neurdsp.dsp.gain import pcen
from neurdsp.dsp.inversion import griffinlim, mel_to_audio, mel_to_stft
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.dsp.silence import rms, split, trim
from neurdsp.dsp.spectral import STFT, istft, stft

__all__ = [
    "STFT",
    "MelCache",
    "MelSpectrogram",
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
