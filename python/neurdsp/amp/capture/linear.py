"""How well a linear filter explains a device; if it does so almost entirely, there is nothing to learn."""

import numpy as np

from neurdsp.audio import FloatArray

__all__ = ["best_linear_esr"]

_TAPS = 256
_MAX_SAMPLES = 1 << 20


def best_linear_esr(dry: FloatArray, wet: FloatArray, *, taps: int = _TAPS) -> float:
    """Return the error-to-signal ratio of the best causal filter.

    Parameters
    ----------
    dry, wet
        Aligned input and output, ``(n_samples,)`` each. Of long recordings only the loudest part is used,
        about a million samples.
    taps
        Length of the filter.

    Returns
    -------
    float
        0 for a filter, 1 for unrelated signals.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    >>> best_linear_esr(noise, np.convolve(noise, [0.5, -0.3])[:20_000].astype(np.float32)) < 1e-6
    True
    """
    dry, wet = _loudest(dry, wet)
    x, y = dry.astype(np.float64), wet.astype(np.float64)
    x -= x.mean()
    y -= y.mean()
    energy = float(np.dot(y, y))
    if energy == 0:
        return 0.0
    n_fft = 1 << (x.size + taps - 1).bit_length()
    spectrum = np.fft.rfft(x, n_fft)
    auto = np.fft.irfft(np.abs(spectrum) ** 2, n_fft)[:taps]
    cross = np.fft.irfft(np.conj(spectrum) * np.fft.rfft(y, n_fft), n_fft)[:taps]
    matrix = auto[np.abs(np.subtract.outer(np.arange(taps), np.arange(taps)))]
    matrix[np.diag_indices(taps)] += 1e-9 * auto[0] + 1e-30
    filter_taps = np.linalg.solve(matrix, cross)
    residual = y - np.fft.irfft(spectrum * np.fft.rfft(filter_taps, n_fft), n_fft)[: y.size]
    return float(np.dot(residual, residual)) / energy


def _loudest(dry: FloatArray, wet: FloatArray) -> tuple[FloatArray, FloatArray]:
    n = min(dry.size, wet.size)
    if n <= _MAX_SAMPLES:
        return dry[:n], wet[:n]
    power = np.concatenate([[0.0], np.cumsum(np.square(wet[:n], dtype=np.float64))])
    starts = np.arange(0, n - _MAX_SAMPLES + 1, _MAX_SAMPLES // 8)
    start = int(starts[np.argmax(power[starts + _MAX_SAMPLES] - power[starts])])
    return dry[start : start + _MAX_SAMPLES], wet[start : start + _MAX_SAMPLES]
