"""Windows built, and plans kept for the next call with the same parameters."""

import multiprocessing
import numbers
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import flag, integer, number, shown
from neurdsp.errors import ParameterError

__all__ = ["Frames", "Precision", "WindowSpec", "default_threads", "get_window"]

WindowSpec: TypeAlias = str | tuple[Any, ...] | float | Callable[[int], Any] | npt.ArrayLike
Precision: TypeAlias = Literal["fast", "exact"]

# Below this many samples under the transform, starting threads costs more than it saves.
_WORTH_THREADS = 1 << 22


def default_threads(n_threads: int | None, n_rows: int, n_samples: int, n_fft: int, hop_length: int) -> int:
    """How many threads to use: as told, or all cores where there is enough to do.

    One in a child process of ``multiprocessing`` (a worker of a data loader, for instance), so that workers
    do not fight over the cores; ``NEURDSP_NUM_THREADS`` sets another default.
    """
    if n_threads is not None:
        return integer("n_threads", n_threads, 1)
    if n_rows * (n_samples // hop_length + 1) * n_fft < _WORTH_THREADS:
        return 1
    told = os.environ.get("NEURDSP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_window(window: WindowSpec, Nx: int, *, fftbins: bool = True) -> npt.NDArray[np.float64]:
    """Window coefficients, as scipy and librosa name them.

    Parameters
    ----------
    window
        A name (``"hann"``, ``"hamming"``, ``"blackman"``, ``"blackmanharris"``, ``"bartlett"``,
        ``"boxcar"``, ``"povey"``, ...), a tuple of a name and its parameters (``("kaiser", 14.0)``,
        ``("gaussian", 80.0)``), a number (beta of a Kaiser window), a function of the length, or ``Nx``
        coefficients.
    Nx
        Number of coefficients.
    fftbins
        Periodic, for spectral analysis; otherwise symmetric.

    Returns
    -------
    numpy.ndarray
        float64, ``(Nx,)``.

    Raises
    ------
    ParameterError
        For an unknown name, and for coefficients that are not ``Nx`` finite numbers.

    Examples
    --------
    >>> import neurdsp
    >>> neurdsp.filters.get_window("hann", 4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    Nx, fftbins = integer("Nx", Nx, 1), flag("fftbins", fftbins)
    if isinstance(window, str):
        coefficients = _core.window(window, [], Nx, fftbins)
    elif isinstance(window, numbers.Real) and not isinstance(window, bool):
        coefficients = _core.window("kaiser", [number("window", window)], Nx, fftbins)
    elif isinstance(window, tuple) and window and isinstance(window[0], str):
        parameters = [number(f"a parameter of window {window[0]!r}", value) for value in window[1:]]
        coefficients = _core.window(window[0], parameters, Nx, fftbins)
    else:
        coefficients = _coefficients(window, Nx)
    if not np.isfinite(coefficients).all():
        raise ParameterError(
            f"window is {shown(window)}, with coefficients that are NaN or infinite; pass other parameters"
        )
    return coefficients


def _coefficients(window: Any, length: int) -> npt.NDArray[np.float64]:
    try:
        coefficients = np.asarray(window(length) if callable(window) else window, np.float64)
    except (TypeError, ValueError):
        raise ParameterError(
            f"window is {shown(window)}, but it must be a name, a tuple of a name and numbers, a number, "
            "coefficients or a function that gives them"
        ) from None
    if coefficients.shape != (length,):
        raise ParameterError(
            f"window has shape {coefficients.shape}, but win_length = {length} coefficients are needed; pass "
            f"win_length={coefficients.shape[0] if coefficients.ndim == 1 else length}"
        )
    return np.ascontiguousarray(coefficients)


class Frames:
    """The framing of a transform: checked parameters that can be looked up among the plans.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `neurdsp.stft`.
    pad
        Padding at each end in samples, instead of the half frame of ``center``.
    frame_filter
        ``(remove_mean, preemphasis)``: what Kaldi does to each frame before its window.
    periodic
        Whether the window is periodic.
    drop_last
        Whether the last frame is left out.
    """

    def __init__(
        self,
        *,
        n_fft: int,
        hop_length: int | None,
        win_length: int | None,
        window: WindowSpec,
        center: bool = True,
        pad_mode: str = "constant",
        pad: int | None = None,
        frame_filter: tuple[bool, float] | None = None,
        periodic: bool = True,
        drop_last: bool = False,
    ) -> None:
        self.n_fft = integer("n_fft", n_fft, 1)
        self.win_length = self.n_fft if win_length is None else integer("win_length", win_length, 1)
        if self.win_length > self.n_fft:
            raise ParameterError(
                f"win_length is {self.win_length}, but it may be at most n_fft = {self.n_fft}; raise n_fft "
                "or lower win_length"
            )
        default = max(self.win_length // 4, 1)
        self.hop_length = default if hop_length is None else integer("hop_length", hop_length, 1)
        default_pad = self.n_fft // 2 if flag("center", center) else 0
        self.pad = default_pad if pad is None else integer("pad", pad, 0)
        self.drop_last = flag("drop_last", drop_last)
        if not isinstance(pad_mode, str):
            raise ParameterError(
                f"pad_mode is {shown(pad_mode)}, but it must be a name such as 'constant' or 'reflect'"
            )
        self.pad_mode = pad_mode
        self.frame_filter = None if frame_filter is None else _frame_filter(frame_filter)
        periodic = flag("periodic", periodic)
        if isinstance(window, str):
            self.window_key: Any = (window, self.win_length, periodic)
        else:
            self.window_key = get_window(window, self.win_length, fftbins=periodic).tobytes()
        #: All that a plan of these frames depends on.
        self.key = (
            self.n_fft,
            self.hop_length,
            self.window_key,
            self.pad,
            self.pad_mode,
            self.frame_filter,
            self.drop_last,
        )

    @property
    def n_bins(self) -> int:
        """Frequencies from zero to half the sample rate."""
        return self.n_fft // 2 + 1

    def stft(self, double: bool) -> _core.Stft:
        """Return the plan of the transform, from the cache."""
        return planned_stft(self.key, double)

    def istft(self, double: bool) -> _core.Istft:
        """Return the plan of the inverse, from the cache."""
        return planned_istft(self.n_fft, self.hop_length, self.window_key, self.pad, double)

    def spectrogram(
        self,
        *,
        power: float,
        eps: float,
        filters: tuple[Any, ...] | None,
        n_bins: int,
        log: tuple[float, float, float] | None,
        double: bool,
    ) -> _core.Spectrogram:
        """Return the plan of a spectrogram, from the cache; ``filters`` are arguments of `mel_filters`."""
        return planned_spectrogram(self.key, power, eps, filters, n_bins, log, double)


def _frame_filter(given: Any) -> tuple[bool, float]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ParameterError(
            f"frame_filter is {shown(given)}, but it must be (remove_mean, preemphasis), such as (True, 0.97)"
        )
    return flag("remove_mean", given[0]), number("preemphasis", given[1], least=0, most=1)


def window_of(key: Any) -> Array:
    """Return the coefficients that a window key stands for."""
    if isinstance(key, bytes):
        return np.frombuffer(key, np.float64)
    name, length, periodic = key
    return _core.window(name, [], length, periodic)


@lru_cache(maxsize=64)
def planned_stft(key: tuple[Any, ...], double: bool) -> _core.Stft:
    """Return the plan of a transform whose frames have this key, from the cache."""
    n_fft, hop_length, window, pad, pad_mode, frame_filter, drop_last = key
    return _core.Stft(n_fft, hop_length, window_of(window), pad, pad_mode, frame_filter, drop_last, double)


@lru_cache(maxsize=64)
def planned_istft(n_fft: int, hop_length: int, window: Any, trim: int, double: bool) -> _core.Istft:
    """Return the plan of an inverse transform, from the cache."""
    return _core.Istft(n_fft, hop_length, window_of(window), trim, double)


@lru_cache(maxsize=64)
def planned_spectrogram(
    key: tuple[Any, ...],
    power: float,
    eps: float,
    filters: tuple[Any, ...] | None,
    n_bins: int,
    log: tuple[float, float, float] | None,
    double: bool,
) -> _core.Spectrogram:
    """Return the plan of a spectrogram whose frames have this key, from the cache."""
    n_fft, hop_length, window, pad, pad_mode, frame_filter, drop_last = key
    matrix = None if filters is None else mel_filters(*filters)[0]
    return _core.Spectrogram(
        n_fft,
        hop_length,
        window_of(window),
        pad,
        pad_mode,
        frame_filter,
        drop_last,
        power,
        eps,
        matrix,
        n_bins,
        log,
        double,
    )


@lru_cache(maxsize=64)
def mel_filters(
    sr: float, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool, norm: str, over_mel: bool = False
) -> tuple[npt.NDArray[np.float64], int]:
    """Return the filterbank (not to be written to) and its number of empty filters, from the cache."""
    matrix, n_empty = _core.mel_filterbank(sr, n_fft, n_mels, fmin, fmax, htk, norm, over_mel)
    matrix.flags.writeable = False
    return matrix, n_empty
