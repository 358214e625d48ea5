"""Whether player and recorder ran at the same speed: the lag between input and output, followed over time.

The clocks of two devices differ by some parts per million. Over three minutes 10 ppm are 86 samples, which no
model can learn. A jump of the lag is a dropout: a driver lost or repeated a buffer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray, resample

__all__ = ["Drift", "find_drift", "undo_drift", "window_lag"]

_WINDOWS = 48
_REACH_S = 0.02
_MIN_WINDOWS = 5
_JUMP_SAMPLES = 3.0
_ON_LINE, _MAX_ANCHORS = 0.85, 8
_NEAR_S = 0.005
"""By how much the lag may change between two windows of one clock."""


@dataclass(frozen=True)
class Drift:
    """How the lag changes.

    Parameters
    ----------
    ppm
        Speed of the output's clock relative to the input's, in parts per million; positive if the lag grows.
    total_samples
        Change of the lag over the whole recording.
    scatter_samples
        Median distance of the measured lags from the line; its uncertainty.
    jump_samples, jump_at_s
        Largest sudden change of the lag, and its time; 0 if there is none.
    times_s, lags
        The measurements: centres of the windows, and lags in samples relative to their median.
    exact
        Whether the speed comes from a repeated passage instead of the line through the lags.
    """

    ppm: float
    total_samples: float
    scatter_samples: float
    jump_samples: float
    jump_at_s: float
    times_s: tuple[float, ...]
    lags: tuple[float, ...]

    exact: bool = False

    @property
    def significant(self) -> bool:
        """Whether the drift exceeds the scatter that distortion alone causes."""
        least = 0.25 if self.exact else max(2.0, 6 * self.scatter_samples)
        return abs(self.total_samples) > least and self.jump_samples == 0


def find_drift(
    dry: FloatArray,
    wet: FloatArray,
    *,
    sample_rate: float,
    repeat: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> Drift | None:
    """Measure the lag of two aligned recordings over time.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each, aligned to within 20 ms.
    sample_rate
        In Hz.
    repeat
        Two ranges, far apart, in which the input is the same. The device changes the sound of both in the
        same way, so the lag between them in the output gives the speed of the clock exactly.

    Returns
    -------
    Drift or None
        None if fewer than five windows have enough sound.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(480_000).astype(np.float32)
    >>> abs(find_drift(noise, noise, sample_rate=48_000).ppm) < 0.1
    True
    """
    n_samples = min(dry.size, wet.size)
    window = 1 << max(11, int(0.4 * sample_rate).bit_length())
    reach = int(_REACH_S * sample_rate)
    if n_samples < 2 * window:
        return None
    starts = np.linspace(0, n_samples - window, min(_WINDOWS, 2 * n_samples // window)).astype(int)
    taper = np.hanning(window)
    loudness = np.sqrt(np.mean(np.square(dry[:n_samples], dtype=np.float64)))

    def measured(start: int, near: int) -> tuple[float, float] | None:
        """Return the lag of a window, searched for around another lag, and how far it stands out."""
        at = start + near
        if not 0 <= at <= wet.size - window:
            return None
        a, b = taper * dry[start : start + window], taper * wet[at : at + window]
        if np.sqrt(np.mean(a * a)) < 0.02 * loudness or not b.any():
            return None
        lag, strength = window_lag(a, b, reach)
        return near + lag, strength

    found = {start: one for start in starts.tolist() if (one := measured(start, 0)) is not None}
    if len(found) < _MIN_WINDOWS:
        return None
    near = int(_NEAR_S * sample_rate)

    def line(windows: dict[int, _Measured]) -> tuple[float, Drift] | None:
        """Fit a line to the lags, and return the share of the windows that lie on it."""
        trust = np.array([strength for _, strength in windows.values()])
        keep = trust > 0.5 * np.median(trust)
        t = np.array([(start + window / 2) / sample_rate for start in windows])[keep]
        y = np.array([lag for lag, _ in windows.values()])[keep]
        if t.size < _MIN_WINDOWS:
            return None
        drift = _fit(t, y, n_samples / sample_rate, sample_rate)
        away = np.array(drift.lags) - drift.ppm * 1e-6 * sample_rate * t
        return float(np.mean(np.abs(away - np.median(away)) <= near / 5)), drift

    plain = line(found)
    if plain is None:
        return None
    best, drift = plain
    if best < _ON_LINE:
        # Lags of a device that hardly resembles its input are chance: following them would make up a clock.
        best = max(0.6, best + 0.1)
        for anchor in _anchors(found):
            other = line(_tracked(found, measured, starts.tolist(), anchor=anchor, near=near))
            if other is not None and other[0] > best:
                best, drift = other
    between = _between_repeats(wet, repeat, window, reach, drift.ppm * 1e-6)
    if between is None or drift.jump_samples:
        return drift
    return replace(
        drift, ppm=1e6 * between, total_samples=between * n_samples, scatter_samples=0.0, exact=True
    )


_Measured = tuple[float, float]


def _anchors(found: dict[int, _Measured]) -> list[int]:
    """Return the windows whose lags agree best with those of their neighbours."""
    at = list(found)
    lags = np.array([lag for lag, _ in found.values()])
    steps = np.abs(lags[1:-1] - lags[:-2]) + np.abs(lags[2:] - lags[1:-1])
    return [at[1 + index] for index in np.argsort(steps)[:_MAX_ANCHORS]]


def _tracked(
    found: dict[int, _Measured],
    measured: Callable[[int, int], _Measured | None],
    starts: list[int],
    *,
    anchor: int,
    near: int,
) -> dict[int, _Measured]:
    """Measure again from a sure window outward, each around the lag of the one before.

    A clock that is some hundred parts per million off moves the lag out of reach within a minute.
    """
    result = {anchor: found[anchor]}
    for direction in (1, -1):
        last, around, slope, within = anchor, found[anchor][0], 0.0, near
        for start in sorted((s for s in starts if (s - anchor) * direction > 0), reverse=direction < 0):
            expected = around + slope * (start - last)
            one = measured(start, round(expected))
            if one is None:
                continue
            result[start] = one
            if abs(one[0] - expected) <= within:
                within = near // 3
                slope = (one[0] - around) / (start - last)
                last, around = start, one[0]
    return dict(sorted(result.items()))


def _between_repeats(
    wet: FloatArray,
    repeat: tuple[tuple[int, int], tuple[int, int]] | None,
    window: int,
    reach: int,
    expected: float,
) -> float | None:
    """Return how late the second of two equal passages is, relative to their distance; about ``expected``."""
    if repeat is None:
        return None
    (first, first_end), (second, second_end) = sorted(repeat)
    moved = round(expected * (second - first))
    length = min(first_end - first, second_end - second, wet.size - second - moved)
    if length < window:
        return None
    taper = np.hanning(window)
    lags, weights = [], []
    for start in range(0, length - window + 1, window // 2):
        a, b = (taper * wet[at + start : at + start + window] for at in (first, second + moved))
        if a.any() and b.any():
            lags.append(window_lag(a, b, reach)[0])
            weights.append(float(np.dot(a, a)))
    loud = [lag for lag, weight in zip(lags, weights, strict=True) if weight > 0.01 * max(weights)]
    return (moved + float(np.median(loud))) / (second - first) if loud else None


def window_lag(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], reach: int) -> tuple[float, float]:
    """Return the lag of ``b`` to a fraction of a sample, and how far its peak stands out."""
    n_fft = 2 * a.size
    x, y = np.fft.rfft(a, n_fft), np.fft.rfft(b, n_fft)
    cross = y * np.conj(x)
    power = np.abs(x) ** 2
    # Between correlation and whitening: a sharp peak, but bins with only noise do not dominate.
    weight = 1 / np.sqrt(power + 1e-3 * power.mean() + 1e-30)
    correlation = np.fft.irfft(cross * weight, n_fft)[np.arange(-reach - 1, reach + 2)]
    magnitude = np.abs(correlation)
    peak = 1 + int(magnitude[1:-1].argmax())
    left, middle, right = magnitude[peak - 1 : peak + 2]
    curve = left - 2 * middle + right
    fraction = 0.5 * (left - right) / curve if curve < 0 else 0.0
    return peak + float(np.clip(fraction, -0.5, 0.5)) - reach - 1, float(
        middle / (np.median(magnitude) + 1e-30)
    )


def _fit(t: npt.NDArray[np.float64], y: npt.NDArray[np.float64], seconds: float, sample_rate: float) -> Drift:
    """Fit a line that is robust to outliers (Theil and Sen) to the lags, and look for a jump."""
    y = y - np.median(y)
    jump, jump_at = _jump(t, y)
    i, j = np.triu_indices(t.size, 1)
    slope = float(np.median((y[j] - y[i]) / (t[j] - t[i])))
    residual = y - slope * t
    residual -= np.median(residual)
    return Drift(
        ppm=1e6 * slope / sample_rate,
        total_samples=slope * seconds,
        scatter_samples=float(np.median(np.abs(residual))),
        jump_samples=jump,
        jump_at_s=jump_at,
        times_s=tuple(float(v) for v in t),
        lags=tuple(float(v) for v in y),
    )


def _jump(t: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return size and time of a step between two plateaus, if a step fits the lags better than a line."""
    if t.size < 8:
        return 0.0, 0.0
    best, at = np.inf, 0
    for split in range(2, t.size - 1):
        before, after = y[:split], y[split:]
        cost = np.abs(before - np.median(before)).sum() + np.abs(after - np.median(after)).sum()
        if cost < best:
            best, at = cost, split
    size = float(np.median(y[at:]) - np.median(y[:at]))
    line = np.polyfit(t, y, 1)
    if abs(size) < _JUMP_SAMPLES or best > 0.25 * np.abs(y - np.polyval(line, t)).sum():
        return 0.0, 0.0
    return size, float((t[at - 1] + t[at]) / 2)


def undo_drift(wet: FloatArray, drift: Drift, *, sample_rate: float) -> FloatArray:
    """Resample an output to the input's clock.

    Parameters
    ----------
    wet
        ``(n_samples,)``.
    drift
        The measured drift.
    sample_rate
        In Hz.

    Returns
    -------
    ndarray of float32
        As many samples as the input's clock counts.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(480_000).astype(np.float32)
    >>> still = Drift(0.0, 0.0, 0.0, 0.0, 0.0, (), ())
    >>> undo_drift(noise, still, sample_rate=48_000).size
    480000
    """
    return resample(wet, sample_rate * (1 + 1e-6 * drift.ppm), sample_rate) if drift.ppm else wet
