"""Plans of the core, kept for the next call with the same parameters."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.frames import FrameKey
from neurdsp.dsp.windows import WindowKey, window_of

__all__ = [
    "FilterKey",
    "LogKey",
    "SpectrogramKey",
    "mel_filters",
    "planned_istft",
    "planned_spectrogram",
    "planned_stft",
]


class FilterKey(NamedTuple):
    """All that a mel filterbank depends on, checked.

    Attributes
    ----------
    sr, n_fft, n_mels, fmin, fmax, htk
        As in `neurdsp.filters.mel`.
    norm
        ``slaney``, ``none`` or the order of a norm.
    triangles_over_mel
        Whether the triangles are straight over mel, not over hertz.
    """

    sr: float
    n_fft: int
    n_mels: int
    fmin: float
    fmax: float
    htk: bool
    norm: str
    triangles_over_mel: bool


class LogKey(NamedTuple):
    """The logarithm ``scale * ln(max(value, floor) + offset)``."""

    floor: float
    offset: float
    scale: float


class SpectrogramKey(NamedTuple):
    """All that a spectrogram depends on, checked.

    Attributes
    ----------
    frames
        The framing.
    power, eps
        Exponent of the magnitude, and what is added under the root of a magnitude.
    filters
        The mel filters, or None for the first ``n_bins`` bins.
    n_bins
        Bins that are kept where there are no filters.
    log
        The logarithm, or None.
    """

    frames: FrameKey
    power: float
    eps: float
    filters: FilterKey | None
    n_bins: int
    log: LogKey | None

    @property
    def n_rows(self) -> int:
        """Rows of the result: mel bands, or linear bins."""
        return self.n_bins if self.filters is None else self.filters.n_mels


@lru_cache(maxsize=64)
def planned_stft(frames: FrameKey, double: bool) -> _core.Stft:
    """Return the plan of a transform in single or double precision, from the cache."""
    return _core.Stft(frames, window_of(frames.window), double)


@lru_cache(maxsize=64)
def planned_istft(n_fft: int, hop_length: int, window: WindowKey, trim: int, double: bool) -> _core.Istft:
    """Return the plan of an inverse transform, from the cache."""
    return _core.Istft(n_fft, hop_length, window_of(window), trim, double)


@lru_cache(maxsize=64)
def planned_spectrogram(key: SpectrogramKey, double: bool) -> _core.Spectrogram:
    """Return the plan of a spectrogram in single or double precision, from the cache."""
    matrix = None if key.filters is None else mel_filters(key.filters)[0]
    return _core.Spectrogram(key, window_of(key.frames.window), matrix, double)


@lru_cache(maxsize=64)
def mel_filters(key: FilterKey) -> tuple[npt.NDArray[np.float64], int]:
    """Return the filterbank (not to be written to) and its number of empty filters, from the cache."""
    matrix, n_empty = _core.mel_filterbank(key)
    matrix.flags.writeable = False
    return matrix, n_empty
