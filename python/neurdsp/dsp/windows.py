"""Window coefficients, by scipy's and librosa's names."""

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.checks import flag, integer, number, shown
from neurdsp.dsp.options import WindowSpec
from neurdsp.dsp.rare_windows import RARE_WINDOWS, rare_window
from neurdsp.errors import ParameterError

__all__ = ["WindowKey", "get_window", "window_key", "window_of"]

#: What stands for a window in a plan: a name, its length and whether it is periodic; or the bytes of its
#: coefficients.
WindowKey = tuple[str, int, bool] | bytes


def get_window(window: WindowSpec, Nx: int, *, fftbins: bool = True) -> npt.NDArray[np.float64]:
    """Return window coefficients, as scipy and librosa name them.

    Parameters
    ----------
    window
        A name (``"hann"``, ``"hamming"``, ``"blackman"``, ``"blackmanharris"``, ``"bartlett"``,
        ``"boxcar"``, ``"povey"``, ...), a tuple of a name and its parameters (``("kaiser", 14.0)``,
        ``("gaussian", 80.0)``, ``("dpss", 2.5)``, ``("chebwin", 100)``, ``("taylor", 4, 30)``,
        ``("general_hamming", 0.6)``), a number (beta of a Kaiser window), a function of the length, or ``Nx``
        coefficients.
    Nx
        Number of coefficients.
    fftbins
        True for a periodic window, as spectral analysis needs it; False for a symmetric one.

    Returns
    -------
    numpy.ndarray
        float64, ``(Nx,)``.

    Raises
    ------
    ParameterError
        If the name is unknown, or the coefficients are not ``Nx`` finite numbers.

    Examples
    --------
    >>> import neurdsp
    >>> neurdsp.filters.get_window("hann", 4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    Nx, fftbins = integer("Nx", Nx, 1), flag("fftbins", fftbins)
    if isinstance(window, str) and window in RARE_WINDOWS:
        coefficients = rare_window(window, [], Nx, fftbins)
    elif isinstance(window, str):
        try:
            coefficients = _core.window(window, [], Nx, fftbins)
        except ParameterError as error:
            raise ParameterError(f"{error}; and so do {', '.join(RARE_WINDOWS)}, as in scipy") from None
    elif isinstance(window, numbers.Real) and not isinstance(window, bool):
        coefficients = _core.window("kaiser", [number("window", window)], Nx, fftbins)
    elif isinstance(window, tuple) and window and isinstance(window[0], str):
        # The weights of scipy's general_cosine are one list.
        listed = window[1:] if len(window) != 2 or np.ndim(window[1]) != 1 else window[1]
        parameters = [number(f"a parameter of window {window[0]!r}", value) for value in listed]
        make = rare_window if window[0] in RARE_WINDOWS else _core.window
        coefficients = make(window[0], parameters, Nx, fftbins)
    else:
        coefficients = _coefficients(window, Nx)
    if not np.isfinite(coefficients).all():
        raise ParameterError(
            f"window is {shown(window)}, with coefficients that are NaN or infinite; pass other parameters"
        )
    return coefficients


def window_key(window: WindowSpec, length: int, periodic: bool) -> WindowKey:
    """Return what stands for a window in a plan; errors as in `get_window`."""
    if isinstance(window, str) and window not in RARE_WINDOWS:
        return window, length, periodic
    return get_window(window, length, fftbins=periodic).tobytes()


def window_of(key: WindowKey) -> npt.NDArray[np.float64]:
    """Return the coefficients that a key stands for."""
    if isinstance(key, bytes):
        return np.frombuffer(key, np.float64)
    name, length, periodic = key
    return _core.window(name, [], length, periodic)


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
