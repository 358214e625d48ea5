"""The frames that the emotion network hears: mel bands in decibels, by the engine's own kernel."""

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray, resample
from neurdsp.dsp import MelSpectrogram
from neurdsp.errors import ParameterError
from neurdsp.music.config import EmotionConfig

__all__ = ["frame_rate_hz", "mel_frames"]

_FLOOR = 1e-8
#: Decibels that become 0, and those that become a difference of 1.
_CENTRE_DB, _SPAN_DB = -30.0, 30.0


def frame_rate_hz(config: EmotionConfig) -> float:
    """Return frames a second: 21.5 for the network that comes with neurdsp.

    Examples
    --------
    >>> frame_rate_hz(EmotionConfig(hop_length=1024))
    21.533203125
    """
    return config.sample_rate / config.hop_length


def mel_frames(audio: npt.ArrayLike, sample_rate: float, config: EmotionConfig) -> npt.NDArray[np.float32]:
    """Return the frames of a signal: ``(10 log10(max(power, 1e-8)) + 30) / 30`` of each mel band.

    Parameters
    ----------
    audio
        ``(n_samples,)`` or ``(n_channels, n_samples)``; channels are averaged.
    sample_rate
        In Hz; resampled to that of the network.
    config
        Of the network.

    Returns
    -------
    ndarray of float32
        ``(n_frames, n_mels)``, each centred at a multiple of the hop.

    Raises
    ------
    ParameterError
        If there is no sample, or one is not finite.

    Examples
    --------
    >>> mel_frames(np.zeros(22_050), 22_050, EmotionConfig(hop_length=1024)).shape
    (22, 128)
    """
    signal = np.asarray(audio, np.float32)
    if signal.ndim not in (1, 2) or signal.shape[-1] == 0:
        raise ParameterError(
            f"audio has shape {list(signal.shape)}; give (n_samples,) or (n_channels, n_samples), not empty"
        )
    if not np.isfinite(signal).all():
        raise ParameterError("audio has a value that is not finite; give finite samples")
    mono: FloatArray = signal.mean(0) if signal.ndim == 2 else signal
    if sample_rate != config.sample_rate:
        mono = resample(mono, sample_rate, config.sample_rate)
    mel = MelSpectrogram(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.mels,
        fmin=config.f_min_hz,
        fmax=config.f_max_hz,
        log="db",
        floor=_FLOOR,
    )
    decibels = mel(np.ascontiguousarray(mono, np.float32))
    return np.ascontiguousarray(((decibels - _CENTRE_DB) / _SPAN_DB).T, np.float32)
