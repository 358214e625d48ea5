"""Spectrograms, mel spectrograms and their logarithms, each by one call."""

from collections.abc import Mapping
from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import integer
from neurdsp.dsp.engine import SpectrogramEngine, spectrogram_key
from neurdsp.dsp.filters import mel_key
from neurdsp.dsp.frames import frame_key, is_exact
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.dsp.options import (
    Float,
    Log,
    MelNorm,
    MelOptions,
    Other,
    Out,
    PlanOptions,
    Precision,
    SpectrogramOptions,
    WindowSpec,
)
from neurdsp.dsp.plans import FilterKey, mel_filters
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

__all__ = ["log_mel", "mel_spectrogram", "spectrogram"]

_LOG_MEL_PARAMETERS = MelSpectrogram.__dataclass_fields__.keys() - {"log", "floor"}

# Types whose equal values mean the same, and always will.
_CONSTANT = {bool, int, float, str, type(None), np.float32, np.float64, np.int32, np.int64}

_MOST_PLANS = 64
_plans: dict[tuple[Any, ...], MelSpectrogram] = {}


def _planned(parameters: Mapping[str, Any]) -> MelSpectrogram:
    """Return the plan of these parameters: checked once, and from then on found by what the caller wrote.

    A plan that warns, of empty filters, is made and so warns at each call.
    """
    values = tuple(parameters.values())
    # By type as well: True is no n_mels, though it equals one.
    key = (*parameters, *values, *map(type, values))
    try:
        plan = _plans.get(key)
    except TypeError:  # an array, for instance, which has no hash
        plan = None
    if plan is not None:
        return plan
    plan = MelSpectrogram(**parameters)
    filters = plan.engine.key.filters
    warns = filters is not None and mel_filters(filters)[1] > 0
    if not warns and _CONSTANT.issuperset(map(type, values)):
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[key] = plan
    return plan


@overload
def spectrogram(
    y: npt.NDArray[Float], *, dtype: None = None, out: None = None, **options: Unpack[SpectrogramOptions]
) -> npt.NDArray[Float]: ...
@overload
def spectrogram(
    y: Other,
    *,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    **options: Unpack[SpectrogramOptions],
) -> Other: ...
@overload
def spectrogram(
    y: npt.NDArray[Any], *, dtype: npt.DTypeLike, out: None = None, **options: Unpack[SpectrogramOptions]
) -> npt.NDArray[Any]: ...
@overload
def spectrogram(
    y: Any, *, dtype: npt.DTypeLike | None = None, out: Out, **options: Unpack[SpectrogramOptions]
) -> Out: ...
def spectrogram(
    y: Any,
    *,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Return the magnitudes of the STFT, raised to the power ``power``.

    Parameters
    ----------
    y, n_fft, hop_length, win_length, window, center, pad_mode, out, precision, n_threads
        As in `neurdsp.stft`.
    power
        2 for power, 1 for magnitude, or any positive exponent.
    dtype
        float32 or float64; by default that of ``y``.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., 1 + n_fft // 2, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        As `neurdsp.stft`.

    Warns
    -----
    UserWarning
        As `neurdsp.stft`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.spectrogram(np.ones(22050, np.float32), power=1).shape
    (1025, 44)
    """
    frames = frame_key(
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    engine = SpectrogramEngine(spectrogram_key(frames, power=power), exact=is_exact(precision))
    return engine.run(y, dtype=dtype, out=out, n_threads=n_threads)


@overload
def mel_spectrogram(
    y: npt.NDArray[Float],
    *,
    S: None = None,
    dtype: None = None,
    out: None = None,
    **options: Unpack[MelOptions],
) -> npt.NDArray[Float]: ...
@overload
def mel_spectrogram(
    y: Other,
    *,
    S: None = None,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    **options: Unpack[MelOptions],
) -> Other: ...
@overload
def mel_spectrogram(
    y: npt.NDArray[Any],
    *,
    S: None = None,
    dtype: npt.DTypeLike,
    out: None = None,
    **options: Unpack[MelOptions],
) -> npt.NDArray[Any]: ...
@overload
def mel_spectrogram(
    y: Any, *, S: None = None, dtype: npt.DTypeLike | None = None, out: Out, **options: Unpack[MelOptions]
) -> Out: ...
@overload
def mel_spectrogram(y: None = None, *, S: Other, **options: Unpack[MelOptions]) -> Other: ...
@overload
def mel_spectrogram(
    y: None = None, *, S: npt.ArrayLike, **options: Unpack[MelOptions]
) -> npt.NDArray[Any]: ...
def mel_spectrogram(
    y: Any = None,
    *,
    sr: float = 22050,
    S: Any = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: MelNorm = "slaney",
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Return a mel spectrogram, with librosa's parameters, defaults and layout.

    Parameters
    ----------
    y
        As in `neurdsp.stft`.
    sr
        Sample rate in hertz.
    S
        A spectrogram ``(..., n_bins, n_frames)``, already raised to its power, instead of ``y``: a numpy
        array, a torch tensor, or a list of them.
    n_fft, hop_length, win_length, window, center, pad_mode, out, precision, n_threads
        As in `neurdsp.stft`.
    power
        Exponent of the magnitude: 2 for power, 1 for magnitude.
    n_mels, fmin, fmax, htk, norm
        As in `neurdsp.filters.mel`.
    dtype
        float32 or float64; by default that of ``y``.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_mels, n_frames)``, of the kind of ``y`` or ``S``.

    Raises
    ------
    ParameterError
        As `neurdsp.stft` and `neurdsp.filters.mel`.

    Warns
    -----
    UserWarning
        As `neurdsp.stft`, and if filters are empty, with their number.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.mel_spectrogram(np.ones(22050, np.float32), sr=22050).shape
    (128, 44)
    """
    if S is not None:
        if y is not None or out is not None:
            raise ParameterError(
                "S is a spectrogram that stands instead of y and takes no out; pass either y or S"
            )
        bank = {"sr": sr, "n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": norm}
        return _in_bands(S, n_fft=integer("n_fft", n_fft, 1), **bank)
    plan = _planned(
        {
            "sr": sr,
            "n_fft": n_fft,
            "hop_length": hop_length,
            "win_length": win_length,
            "window": window,
            "center": center,
            "pad_mode": pad_mode,
            "power": power,
            "n_mels": n_mels,
            "fmin": fmin,
            "fmax": fmax,
            "htk": htk,
            "norm": norm,
            "precision": precision,
        }
    )
    return plan(y, dtype=dtype, out=out, n_threads=n_threads)


@lists_and_tensors("S")
def _in_bands(S: Any, *, n_fft: int, **bank: Any) -> Array:
    """Return the mel bands of a spectrogram."""
    bins = take_values(S, "S", least_dims=2, shape="(..., n_bins, n_frames)")
    if bins.shape[-2] < 2 or bins.size == 0:
        raise ParameterError(
            f"S has shape {bins.shape}, but it must be (..., n_bins, n_frames) with two bins or more; pass "
            "numpy.abs(stft)**2"
        )
    # As librosa: the number of bins tells n_fft, unless the one given (which may be odd) has as many.
    n_fft = n_fft if n_fft // 2 + 1 == bins.shape[-2] else 2 * (bins.shape[-2] - 1)
    key: FilterKey = mel_key(n_fft=n_fft, **bank)
    banded: Array = np.matmul(mel_filters(key)[0].astype(bins.dtype), bins)
    return banded


@overload
def log_mel(
    y: npt.NDArray[Float],
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: None = None,
    out: None = None,
    n_threads: int | None = None,
    **parameters: Unpack[PlanOptions],
) -> npt.NDArray[Float]: ...
@overload
def log_mel(
    y: Other,
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    n_threads: int | None = None,
    **parameters: Unpack[PlanOptions],
) -> Other: ...
@overload
def log_mel(
    y: npt.NDArray[Any],
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: npt.DTypeLike,
    out: None = None,
    n_threads: int | None = None,
    **parameters: Unpack[PlanOptions],
) -> npt.NDArray[Any]: ...
@overload
def log_mel(
    y: Any,
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: npt.DTypeLike | None = None,
    out: Out,
    n_threads: int | None = None,
    **parameters: Unpack[PlanOptions],
) -> Out: ...
def log_mel(
    y: Any,
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    n_threads: int | None = None,
    **parameters: Unpack[PlanOptions],
) -> Any:
    """Return the logarithm of the mel spectrogram, ``log(max(mel, floor))``, in one pass.

    Parameters
    ----------
    y
        As in `neurdsp.stft`.
    log
        ``"ln"``, ``"log10"`` or ``"db"`` (``10 log10``).
    floor
        The least mel power that counts, to keep silence finite.
    dtype, out, n_threads
        As in `mel_spectrogram`.
    **parameters
        The other parameters of `MelSpectrogram`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_mels, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        As `mel_spectrogram`.

    Warns
    -----
    UserWarning
        As `mel_spectrogram`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> round(float(neurdsp.log_mel(np.zeros(2048, np.float32), sr=22050).max()), 4)
    -11.5129
    """
    if not parameters.keys() <= _LOG_MEL_PARAMETERS:
        unknown = next(name for name in parameters if name not in _LOG_MEL_PARAMETERS)
        raise TypeError(
            f"log_mel() got an unexpected keyword argument {unknown!r}; it takes "
            f"{', '.join(sorted(_LOG_MEL_PARAMETERS))}"
        )
    plan = _planned({"log": log, "floor": floor, **parameters})
    return plan(y, dtype=dtype, out=out, n_threads=n_threads)
