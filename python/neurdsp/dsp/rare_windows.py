"""Windows of scipy that are computed here and not in the core: few use them, and a plan is made once.

Sources: scipy.signal.windows 1.15, which names the papers; D. Slepian, "Prolate spheroidal wave functions,
Fourier analysis, and uncertainty V", Bell System Technical Journal 57 (1978), for the matrix behind dpss.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = ["RARE_WINDOWS", "rare_window"]

Window = npt.NDArray[np.float64]


def _chebwin(length: int, attenuation_db: float) -> Window:
    """Return the Dolph-Chebyshev window, whose side lobes are all ``attenuation_db`` down."""
    order = length - 1.0
    beta = np.cosh(np.arccosh(10 ** (abs(attenuation_db) / 20)) / order)
    x = beta * np.cos(np.pi * np.arange(length) / length)
    inside = np.abs(x) <= 1
    p = np.cosh(order * np.arccosh(np.maximum(np.abs(x), 1.0)))
    p[x < -1] *= 2 * (length % 2) - 1
    p[inside] = np.cos(order * np.arccos(x[inside]))
    if length % 2:
        half = np.fft.fft(p).real[: (length + 1) // 2]
        window = np.concatenate([half[:0:-1], half])
    else:
        half = np.fft.fft(p * np.exp(1j * np.pi / length * np.arange(length))).real[: length // 2 + 1]
        window = np.concatenate([half[:0:-1], half[1:]])
    scaled: Window = window / window.max()
    return scaled


def _taylor(length: int, nbar: float = 4, sll: float = 30, norm: float = 1) -> Window:
    """Return the Taylor window: ``nbar`` - 1 side lobes near ``sll`` decibels down, the others fall off."""
    n_lobes = int(nbar)
    a = np.arccosh(10 ** (sll / 20)) / np.pi
    s2 = n_lobes**2 / (a**2 + (n_lobes - 0.5) ** 2)
    m = np.arange(1, n_lobes)
    coefficients = np.empty(n_lobes - 1)
    for i, square in enumerate(m**2):
        others = np.delete(m**2, i)
        numerator = (-1) ** i * np.prod(1 - square / s2 / (a**2 + (m - 0.5) ** 2))
        coefficients[i] = numerator / (2 * np.prod(1 - square / others))

    def at(position: Window) -> Window:
        turns = np.outer(m, (position - length / 2 + 0.5) / length)
        values: Window = 1 + 2 * coefficients @ np.cos(2 * np.pi * turns)
        return values

    window = at(np.arange(length, dtype=np.float64))
    return window / at(np.array([(length - 1) / 2])) if norm else window


def _dpss(length: int, half_bandwidth: float) -> Window:
    """Return the first Slepian sequence: most energy within ``half_bandwidth`` bins of the middle."""
    index = np.arange(length, dtype=np.float64)
    diagonal = ((length - 1 - 2 * index) / 2) ** 2 * np.cos(2 * np.pi * half_bandwidth / length)
    beside = index[1:] * (length - index[1:]) / 2
    # The Kaiser window is near; from there inverse iteration finds the largest eigenvalue within a few steps.
    vector = np.kaiser(length, np.pi * half_bandwidth)
    vector /= np.linalg.norm(vector)
    for _ in range(100):
        product = diagonal * vector
        product[1:] += beside * vector[:-1]
        product[:-1] += beside * vector[1:]
        value = float(vector @ product)
        rest = float(np.linalg.norm(product - value * vector))
        if rest <= 1e-14 * abs(diagonal).max():
            break
        vector = _solved(value + rest - diagonal, -beside, vector)
        vector /= np.linalg.norm(vector)
    vector = np.abs(vector + vector[::-1])
    scaled: Window = vector / vector.max()
    return scaled * (length**2 / (length**2 + half_bandwidth)) if length % 2 == 0 else scaled


def _solved(diagonal: Window, beside: Window, right: Window) -> Window:
    """Solve a symmetric, positive definite system with three diagonals."""
    pivots, values = diagonal.tolist(), right.tolist()
    factors = beside.tolist()
    for i, off in enumerate(factors):
        factors[i] = off / pivots[i]
        pivots[i + 1] -= factors[i] * off
        values[i + 1] -= factors[i] * values[i]
    values[-1] /= pivots[-1]
    for i in range(len(factors) - 1, -1, -1):
        values[i] = values[i] / pivots[i] - factors[i] * values[i + 1]
    return np.array(values)


def _general_cosine(length: int, *coefficients: float) -> Window:
    """Return the sum of cosines with these weights, ``a_0 - a_1 cos x + a_2 cos 2x - …``."""
    x = np.linspace(-np.pi, np.pi, length)
    terms = [weight * np.cos(k * x) for k, weight in enumerate(coefficients)]
    total: Window = np.sum(terms, axis=0)
    return total


def _general_hamming(length: int, alpha: float) -> Window:
    """Return Hamming's window with another weight: 0.54 is his, 0.5 is Hann's."""
    return _general_cosine(length, alpha, 1.0 - alpha)


def _lanczos(length: int) -> Window:
    """Return the middle of a sinc."""
    return np.sinc(2 * np.arange(length) / (length - 1) - 1)


@dataclass(frozen=True)
class Rare:
    """A window: how it is computed, and its parameters.

    Attributes
    ----------
    compute
        From the length and the parameters to a symmetric window.
    parameters
        Their names, with the smallest and largest value of each.
    needed
        How many of them have to be given.
    """

    compute: Callable[..., Window]
    parameters: tuple[tuple[str, float, float], ...] = ()
    needed: int = 0


_CHEBWIN = Rare(_chebwin, (("at", 1e-3, 300),), 1)
_TAYLOR = Rare(_taylor, (("nbar", 1, 1000), ("sll", 1e-3, 300), ("norm", 0, 1)))
_LANCZOS = Rare(_lanczos)

#: By scipy's names.
RARE_WINDOWS = {
    "chebwin": _CHEBWIN,
    "cheb": _CHEBWIN,
    "dpss": Rare(_dpss, (("NW", 1e-3, 100),), 1),
    "general_cosine": Rare(_general_cosine),
    "general_hamming": Rare(_general_hamming, (("alpha", -1e6, 1e6),), 1),
    "lanczos": _LANCZOS,
    "sinc": _LANCZOS,
    "taylor": _TAYLOR,
    "taylorwin": _TAYLOR,
}


def rare_window(name: str, parameters: list[float], length: int, periodic: bool) -> Window:
    """Return a window of `RARE_WINDOWS`.

    Parameters
    ----------
    name, parameters
        Its name and its parameters, in scipy's order.
    length
        Number of coefficients.
    periodic
        Whether it is periodic; it is symmetric otherwise.

    Raises
    ------
    ParameterError
        If a parameter is missing, one too many, or out of range.
    """
    rare = RARE_WINDOWS[name]
    if name == "general_cosine":
        if not 1 <= len(parameters) <= 100:
            raise ParameterError(f"window {name!r} needs 1 to 100 weights, such as ({name!r}, [0.5, 0.5])")
    elif not rare.needed <= len(parameters) <= len(rare.parameters):
        wanted = ", ".join(name for name, _, _ in rare.parameters)
        raise ParameterError(
            f"window {name!r} has {len(parameters)} parameters, but takes {wanted or 'none'}; pass a tuple "
            "of its name and its parameters"
        )
    for (what, least, most), value in zip(rare.parameters, parameters, strict=False):
        if not least <= value <= most:
            raise ParameterError(
                f"{what} of window {name!r} is {value:g}, but it must be from {least:g} to {most:g}"
            )
    if name == "dpss" and parameters[0] >= length / 2:
        raise ParameterError(
            f"NW of window 'dpss' is {parameters[0]:g}, but it must be below half the length, {length / 2:g}"
        )
    if length == 1:
        return np.ones(1)
    return rare.compute(length + periodic, *parameters)[:length]
