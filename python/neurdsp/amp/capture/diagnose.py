"""Why an output does not follow its input: another rate, another signal, another take, or no relation."""

from dataclasses import dataclass

import numpy as np

from neurdsp.amp.capture.align import coarse_lag, find_latency, lay_over
from neurdsp.amp.capture.follow import Following, follow
from neurdsp.amp.capture.known import OWN_MATERIAL, KnownInput
from neurdsp.amp.capture.signal import LAYOUT, validation_passage
from neurdsp.audio import FloatArray, resample

__all__ = ["Explanation", "explain_mismatch", "find_seed"]

_RATES_HZ = (
    (48_000, 44_100),
    (44_100, 48_000),
    (96_000, 48_000),
    (48_000, 96_000),
    (88_200, 48_000),
    (48_000, 88_200),
    (96_000, 44_100),
    (44_100, 96_000),
)
"""Sample rates that are easily confused: the rate of playback, and the right one."""

_TRIED_S = 24.0
_FRAME_S = 0.02
_FOLLOWS = 0.5
_FOLLOWS_IN_PART = 0.7
_SEEDS = 10
_FIXED_S = (12.0, 21.0)
"""The sweeps of the capture signal, which are the same whatever its seed."""


@dataclass(frozen=True)
class Explanation:
    """The most likely cause: a code for programs, and what to do about it."""

    code: str
    message: str


def explain_mismatch(
    dry: FloatArray,
    wet: FloatArray,
    sample_rate: int,
    known: KnownInput,
    following: Following | None = None,
) -> Explanation:
    """Find out why two recordings do not fit together at any lag.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each.
    sample_rate
        In Hz, as in both headers.
    known
        What the input was recognised as.
    following
        Where the output follows at the best lag.

    Returns
    -------
    Explanation
        ``"other_signal"``, ``"rate"``, ``"other_take"`` or ``"unrelated"``.

    Examples
    --------
    >>> from neurdsp.amp.capture.known import UNKNOWN_INPUT
    >>> rng = np.random.default_rng(0)
    >>> a, b = (rng.standard_normal(96_000).astype(np.float32) for _ in range(2))
    >>> explain_mismatch(a, b, 48_000, UNKNOWN_INPUT).code
    'unrelated'
    """
    seed = find_seed(wet, sample_rate)
    if seed is not None and seed != find_seed(dry, sample_rate):
        return Explanation(
            "other_signal",
            f"it was made from the capture signal of seed {seed}, another version than this input; give the "
            f"input that was played, or make it again with 'neurdsp amp signal --seed {seed}'",
        )
    if (
        following is not None
        and known.name != OWN_MATERIAL
        and following.share_within(*_FIXED_S) >= _FOLLOWS_IN_PART
    ):
        return Explanation(
            "other_signal",
            f"it follows the sweeps of the input but only {100 * following.share:.0f} % of the whole, so it "
            "was made from another version or seed of the test signal; give the input that was played",
        )
    return (
        _other_rate(dry, wet, sample_rate)
        or _other_take(dry, wet, sample_rate)
        or Explanation(
            "unrelated",
            "it does not follow the input at any latency; check that the files belong together and that the "
            "device was recorded",
        )
    )


def find_seed(wet: FloatArray, sample_rate: int) -> int | None:
    """Return the seed of the capture signal that an output was made from, 0 to 9; None if there is none.

    Only the passage near the beginning that the signal repeats is looked for, at any lag up to 20 s.
    """
    last: float = LAYOUT.repeat[1]
    if not 32_000 <= sample_rate <= 192_000 or wet.size < (last + 1) * sample_rate:
        return None
    wet = wet[: int((last + 20) * sample_rate)]
    seeds: tuple[int, ...] = (1, 0, *range(2, _SEEDS))
    for seed in seeds:
        passage = validation_passage(sample_rate, seed=seed)
        lag = coarse_lag(passage, wet)
        if follow(passage, wet, lag, sample_rate=sample_rate).share > _FOLLOWS_IN_PART:
            return seed
    return None


def _other_rate(dry: FloatArray, wet: FloatArray, sample_rate: int) -> Explanation | None:
    """Try the output at other speeds, near its beginning, at any lag."""
    length = int(_TRIED_S * sample_rate) + _first_sound(dry)
    part = dry[:length]
    for played_hz, meant_hz in _RATES_HZ:
        candidate = resample(wet[: int(1.2 * length * played_hz / meant_hz)], played_hz, meant_hz)
        if min(candidate.size, dry.size) < sample_rate // 4 or not np.any(candidate):
            continue
        lag = coarse_lag(part, candidate)
        found = follow(part, candidate, lag, sample_rate=sample_rate)
        if len(found.follows) >= 4:
            fits = found.share > _FOLLOWS_IN_PART
        else:
            a, b = lay_over(part, candidate, lag - sample_rate // 100)
            fits = (
                a.size >= sample_rate // 4
                and bool(a.any() and b.any())
                and find_latency(
                    a, b, sample_rate=sample_rate, max_latency_samples=sample_rate // 10
                ).confidence
                > 0.3
            )
        if fits:
            percent = 100 * abs(played_hz / meant_hz - 1)
            direction = "faster" if played_hz > meant_hz else "slower"
            return Explanation(
                "rate",
                f"it fits if played {percent:.1f} % {direction}, so one of the two was probably played or "
                f"saved at {played_hz} instead of {meant_hz} Hz; export both again at one sample rate",
            )
    return None


def _other_take(dry: FloatArray, wet: FloatArray, sample_rate: int) -> Explanation | None:
    if _envelope_correlation(dry, wet, sample_rate) <= 0.8:
        return None
    return Explanation(
        "other_take",
        "its loudness follows the input, but its waveform does not: it is another take of the same "
        "playing, or an effect changes pitch or time (chorus, reverb, octaver), which a WaveNet cannot "
        "learn",
    )


def _first_sound(signal: FloatArray) -> int:
    return int(np.argmax(np.abs(signal) > 0.05 * np.abs(signal).max()))


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
