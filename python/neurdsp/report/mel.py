"""Log-mel pictures: the spectrogram of a signal, its drawing, and round frequencies beside it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["N_MELS", "draw_mel", "mel_levels_db", "mel_ticks"]

#: Bands of the pictures.
N_MELS = 96

_N_FFT = 2_048
_HOP_LENGTH = 256
_RANGE_DB = 80


def mel_levels_db(signal: FloatArray, sample_rate: int) -> FloatArray:
    """Return the log-mel spectrogram of a signal in dB, ``(N_MELS, n_frames)``.

    Parameters
    ----------
    signal
        ``(n_samples,)``.
    sample_rate
        In Hz.

    Examples
    --------
    >>> mel_levels_db(np.ones(44_100, np.float32), 44_100).shape
    (96, 173)
    """
    from neurdsp import log_mel

    levels_db: FloatArray = log_mel(
        signal, log="db", sr=sample_rate, n_fft=_N_FFT, hop_length=_HOP_LENGTH, n_mels=N_MELS, floor=1e-8
    )
    return levels_db


def draw_mel(axes: "Axes", levels_db: FloatArray, *, duration_s: float, top_db: float) -> Any:
    """Draw a spectrogram over seconds and bands, down to 80 dB below ``top_db``; return the image."""
    return axes.imshow(
        levels_db,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=top_db - _RANGE_DB,
        vmax=top_db,
        extent=(0, duration_s, 0, N_MELS),
    )


def mel_ticks(sample_rate: int) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Return positions and labels of round frequencies on the axis of mel bands."""
    from neurdsp.dsp.filters import mel

    centres_hz = (
        np.argmax(mel(sr=sample_rate, n_fft=_N_FFT * 8, n_mels=N_MELS), axis=1) * sample_rate / (_N_FFT * 8)
    )
    frequencies_hz = [hz for hz in (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000) if hz < sample_rate / 2]
    labels = [f"{hz}" if hz < 1_000 else f"{hz // 1_000}k" for hz in frequencies_hz]
    return np.interp(frequencies_hz, centres_hz, np.arange(N_MELS) + 0.5), labels
