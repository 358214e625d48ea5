"""Why an output does not follow its input: another rate, a long latency, another take, or no relation."""

from dataclasses import dataclass

import numpy as np

from neurdsp.amp.capture.align import find_latency
from neurdsp.audio import FloatArray, resample

__all__ = ["Explanation", "explain_mismatch"]

_RATES_HZ = ((48_000, 44_100), (44_100, 48_000), (96_000, 48_000), (48_000, 96_000))
"""Sample rates that are easily confused: the rate of playback, and the right one."""

_TRIED_S = 20.0
_FRAME_S = 0.02


@dataclass(frozen=True)
class Explanation:
    """The most likely cause: a code for programs, and what to do about it."""

    code: str
    message: str


def explain_mismatch(dry: FloatArray, wet: FloatArray, sample_rate: int) -> Explanation:
    """Find out why two recordings do not align within the usual latency.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each.
    sample_rate
        In Hz, as in both headers.

    Returns
    -------
    Explanation
        ``"rate"``, ``"far_lag"``, ``"other_take"`` or ``"unrelated"``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = (rng.standard_normal(96_000).astype(np.float32) for _ in range(2))
    >>> explain_mismatch(a, b, 48_000).code
    'unrelated'
    """
    length = max(int(_TRIED_S * sample_rate), _first_sound(dry) + int(_TRIED_S * sample_rate / 2))
    for played_hz, meant_hz in _RATES_HZ:
        candidate = resample(wet[:length], played_hz, meant_hz)
        n = min(candidate.size, dry.size)
        if n < sample_rate // 4 or not np.any(candidate[:n]):
            continue
        reach = sample_rate // 4
        found = find_latency(dry[:n], candidate[:n], sample_rate=sample_rate, max_latency_samples=reach)
        if found.confidence > 0.3:
            percent = 100 * abs(played_hz / meant_hz - 1)
            direction = "faster" if played_hz > meant_hz else "slower"
            return Explanation(
                "rate",
                f"it fits if played {percent:.1f} % {direction}, so one of the two was probably played or "
                f"saved at {played_hz} instead of {meant_hz} Hz; export both again at one sample rate",
            )
    lag = _far_lag(dry, wet)
    a, b = dry[max(-lag, 0) :], wet[max(lag, 0) :]
    n = min(a.size, b.size)
    if (
        n > sample_rate // 4
        and np.any(a[:n])
        and np.any(b[:n])
        and (
            find_latency(
                a[:n], b[:n], sample_rate=sample_rate, max_latency_samples=sample_rate // 10
            ).confidence
            > 0.3
        )
    ):
        seconds = lag / sample_rate
        if lag > 0:
            what = "it comes {:.2f} s late; cut as much off its beginning, or raise data.max_latency_ms"
        else:
            what = "it comes {:.2f} s before the input: are the files swapped, or was its beginning cut off?"
        return Explanation("far_lag", what.format(abs(seconds)))
    if _envelope_correlation(dry, wet, sample_rate) > 0.8:
        return Explanation(
            "other_take",
            "its loudness follows the input, but its waveform does not: it is another take of the same "
            "playing, or an effect changes pitch or time (chorus, reverb, octaver), which a WaveNet cannot "
            "learn",
        )
    return Explanation(
        "unrelated",
        "it does not follow the input at any latency; check that the files belong together and that the "
        "device was recorded, or give the latency with --set data.latency_samples=0",
    )


def _first_sound(signal: FloatArray) -> int:
    return int(np.argmax(np.abs(signal) > 0.05 * np.abs(signal).max()))


def _far_lag(dry: FloatArray, wet: FloatArray) -> int:
    """Return the lag, of any length, at which the signals fit best."""
    longest = 1 << 22  # 87 s at 48 kHz
    a, b = dry[:longest].astype(np.float64), wet[:longest].astype(np.float64)
    n_fft = 1 << (a.size + b.size - 1).bit_length()
    cross = np.fft.rfft(b, n_fft) * np.conj(np.fft.rfft(a, n_fft))
    cross /= np.sqrt(np.abs(cross)) + 1e-6 * np.sqrt(np.abs(cross).max()) + 1e-30
    peak = int(np.abs(np.fft.irfft(cross, n_fft)).argmax())
    return peak if peak < n_fft // 2 else peak - n_fft


def _envelope_correlation(dry: FloatArray, wet: FloatArray, sample_rate: int) -> float:
    """Correlate loudness in frames of 20 ms, in dB."""
    frame = max(1, int(_FRAME_S * sample_rate))
    n = min(dry.size, wet.size) // frame
    if n < 25:
        return 0.0
    a, b = (
        10 * np.log10(np.mean(np.square(s[: n * frame].reshape(n, frame), dtype=np.float64), axis=1) + 1e-8)
        for s in (dry, wet)
    )
    if a.std() < 1 or b.std() < 1:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
