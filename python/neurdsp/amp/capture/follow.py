"""Where an output follows its input: a lag is right only if it fits the whole recording.

A single correlation can be fooled: the capture signal repeats a sweep after three seconds, and played riffs
repeat too. So the lag of each half second is measured by itself. A window follows the input if its lag
agrees with those of its neighbours, which a slow clock moves together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.amp.capture.align import lay_over
from neurdsp.amp.capture.drift import window_lag
from neurdsp.audio import FloatArray

__all__ = ["Following", "follow", "rectified"]

_WINDOW_S = 0.6
_MAX_WINDOWS = 400
_REACH_S = 0.02
_NEAR_S = 0.001
_LOUD, _VERY_LOUD = 0.05, 0.3
"""Relative to the input's RMS. Below the first a window is not judged; above the second silence is wrong."""

_PERIODIC = 0.9
"""A window whose correlation with itself is this high at another lag has no lag of its own: a held tone."""

_ENOUGH = 0.6
"""Share of windows from which the plain waveform is trusted, so that its magnitude is not tried."""


@dataclass(frozen=True)
class Following:
    """Which parts of an output follow the input.

    Parameters
    ----------
    times_s
        ``(start, stop)`` of each judged window in the input, in seconds.
    follows
        Whether the output follows there.
    offset_samples
        Median of the remaining lags of the windows that follow.
    """

    times_s: tuple[tuple[float, float], ...]
    follows: tuple[bool, ...]
    offset_samples: float = 0.0

    @property
    def share(self) -> float:
        """Share of the windows that follow; chance alone gives about 0.1."""
        return float(np.mean(self.follows)) if self.follows else 0.0

    def share_within(self, start_s: float, stop_s: float) -> float:
        """Share of the windows that lie within a stretch of the input."""
        inside = [
            ok for (a, b), ok in zip(self.times_s, self.follows, strict=True) if a >= start_s and b <= stop_s
        ]
        return float(np.mean(inside)) if inside else 0.0

    def longest_gap(self) -> tuple[float, float, int]:
        """Return start and stop in seconds of the longest stretch that hardly follows, and its windows.

        A window that follows by chance does not end a stretch; two in a row do.
        """
        best, begin, last, lucky = (0.0, 0.0, 0), 0, -1, 0
        for index, ok in enumerate((*self.follows, True, True)):
            if not ok:
                if last < 0:
                    begin = index
                last, lucky = index, 0
                if last - begin + 1 > best[2]:
                    best = (self.times_s[begin][0], self.times_s[last][1], last - begin + 1)
            else:
                lucky += 1
                if lucky == 2:
                    last = -1
        return best


def rectified(signal: FloatArray) -> FloatArray:
    """Return the magnitude of a signal without its mean: what an octaver or a rectifier follows."""
    magnitude = np.abs(signal)
    result: FloatArray = (magnitude - magnitude.mean()).astype(np.float32)
    return result


def follow(dry: FloatArray, wet: FloatArray, lag: int, *, sample_rate: float) -> Following:
    """Judge window by window whether an output follows its input at a lag.

    Parameters
    ----------
    dry, wet
        Input and output, ``(n_samples,)`` each.
    lag
        Of the output, in samples; negative if it leads.
    sample_rate
        In Hz.

    Returns
    -------
    Following
        Without windows if the recordings overlap for less than two of them.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(160_000).astype(np.float32)
    >>> late = np.concatenate([np.zeros(500, np.float32), np.tanh(noise)])
    >>> follow(noise, late, 500, sample_rate=8_000).share
    1.0
    >>> follow(noise, late, 4_000, sample_rate=8_000).share < 0.3
    True
    """
    a, b = lay_over(dry, wet, lag)
    found = _follow(a, b, max(-lag, 0), sample_rate)
    if found.share >= _ENOUGH or not found.follows:
        return found
    other = _follow(rectified(a), b, max(-lag, 0), sample_rate)
    return max(found, other, key=lambda one: one.share)


def _follow(dry: FloatArray, wet: FloatArray, offset: int, sample_rate: float) -> Following:
    window = int(_WINDOW_S * sample_rate)
    reach, near = int(_REACH_S * sample_rate), max(2.0, _NEAR_S * sample_rate)
    if dry.size < 2 * window:
        return Following((), ())
    starts = np.linspace(0, dry.size - window, min(_MAX_WINDOWS, dry.size // window)).astype(int)
    taper = np.hanning(window)
    whole = [float(np.sqrt(np.mean(np.square(s, dtype=np.float64)))) for s in (dry, wet)]
    times: list[tuple[float, float]] = []
    lags: list[float] = []
    for start in starts:
        a, b = (s[start : start + window] for s in (dry, wet))
        loud, answer = (float(np.sqrt(np.mean(np.square(s, dtype=np.float64)))) for s in (a, b))
        silent = answer < 1e-4 * whole[1]
        if loud < _LOUD * whole[0] or (silent and loud < _VERY_LOUD * whole[0]):
            continue
        if _repeats_itself(taper * a, reach, int(near)):
            continue
        at = float(start + offset)
        times.append((at / sample_rate, (at + window) / sample_rate))
        lags.append(np.inf if silent else window_lag(taper * a, taper * b, reach)[0])
    follows = []
    for index, lag in enumerate(lags):
        near_by = [lags[at] for at in (index - 2, index - 1, index + 1, index + 2) if 0 <= at < len(lags)]
        close = sum(abs(lag - other) <= near for other in near_by if np.isfinite(lag))
        follows.append(bool(close >= min(2, len(near_by))) and bool(near_by))
    good = [lag for lag, ok in zip(lags, follows, strict=True) if ok]
    return Following(tuple(times), tuple(follows), float(np.median(good)) if good else 0.0)


def _repeats_itself(window: npt.NDArray[np.float64], reach: int, near: int) -> bool:
    n_fft = 2 * window.size
    power = np.abs(np.fft.rfft(window, n_fft)) ** 2
    weight = 1 / np.sqrt(power + 1e-3 * power.mean() + 1e-30)
    own = np.abs(np.fft.irfft(power * weight, n_fft)[: reach + 1])
    return bool(own[near + 1 :].max(initial=0.0) > _PERIODIC * own[0])
