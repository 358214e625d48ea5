"""Whether an output sounds on when its input has ended: a delay or a reverb in the chain.

After a click in silence an amp and its cabinet ring for some hundredths of a second. What comes later is an
echo. Where the input has no clicks, the estimated impulse response tells the same: its part before the click,
which no device can make, shows what chance gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.amp.capture.align import impulse_response
from neurdsp.audio import FloatArray

__all__ = ["Tail", "find_tail"]

_FRAME_S = 0.005
_DIRECT_S = 0.06
"""Until then the response may be that of the amp and its cabinet."""

_LONGEST_S = 1.5
_LEAST_DB = -40.0
_ABOVE_NOISE = 8.0
"""Power of a frame over that of the noise, from which it counts."""

_PEAKED = 12.0
"""Power of an echo over that of the frames 10 to 50 ms from it; a reverb is smoother."""

_CORRELATED_S = 0.5
_ABOVE_CHANCE = 6.0


@dataclass(frozen=True)
class Tail:
    """What follows the direct sound.

    Parameters
    ----------
    kind
        ``"delay"`` or ``"reverb"``.
    seconds
        When the strongest echo comes, or how long the tail is heard.
    level_db
        Energy of the tail relative to that of the direct sound.
    """

    kind: str
    seconds: float
    level_db: float

    @property
    def words(self) -> str:
        """The tail in words."""
        if self.kind == "delay":
            return f"a delay of {1e3 * self.seconds:.0f} ms, {self.level_db:+.0f} dB"
        heard = f" that is heard for {self.seconds:.1f} s" if self.seconds >= 0.3 else ""
        return f"a reverb{heard}, {self.level_db:+.0f} dB"


def find_tail(dry: FloatArray, wet: FloatArray, blips: Sequence[int], *, sample_rate: float) -> Tail | None:
    """Find a delay or a reverb in an aligned output.

    Parameters
    ----------
    dry, wet
        Input and output, ``(n_samples,)`` each.
    blips
        Positions of clicks in silence in the input; without them the correlation decides, which needs an
        echo or a reverb that is not much softer than the direct sound.
    sample_rate
        In Hz.

    Returns
    -------
    Tail or None
        None if nothing is heard 60 ms after the direct sound, or nothing above the noise.

    Examples
    --------
    >>> dry = np.zeros(40_000, np.float32)
    >>> dry[[8_000, 16_000, 26_000]] = 1
    >>> wet = dry + 0.5 * np.roll(dry, 2_400)
    >>> find_tail(dry, wet, (8_000, 16_000, 26_000), sample_rate=8_000).words
    'a delay of 300 ms, -6 dB'
    """
    if len(blips) >= 2:
        return _after_blips(dry, wet, blips, sample_rate)
    return _by_correlation(dry, wet, sample_rate)


def _after_blips(dry: FloatArray, wet: FloatArray, blips: Sequence[int], sample_rate: float) -> Tail | None:
    frame, direct = max(1, int(_FRAME_S * sample_rate)), int(_DIRECT_S * sample_rate)
    n_frames = int(_LONGEST_S * sample_rate) // frame
    lead = max(1, frame // 5)
    begin = max(0, min(blips) - int(0.4 * sample_rate))
    stop = min(wet.size, max(blips) + n_frames * frame + frame)
    # The difference of neighbours takes hum, an offset, and the slow return of a bias away.
    part = wet[begin:stop].astype(np.float64)
    sharp: npt.NDArray[np.float64] = np.diff(part, prepend=part[0])
    loud = np.flatnonzero(np.abs(dry[begin:stop]) > 1e-4)
    at = [blip - begin for blip in sorted(blips)]
    quiet = sharp[: max(1, at[0] - lead)]
    noise = float(np.mean(np.square(quiet))) if quiet.size > frame else 0.0
    powers = np.full((len(at), n_frames), np.nan)
    starts = lead + frame * np.arange(n_frames)
    for row, blip in enumerate(at):
        for index, start in enumerate((blip - 2 * lead + starts).tolist()):
            # A frame counts if the input was silent since the click, but for the time that a cabinet needs.
            since, until = int(max(start - direct, blip + lead)), int(start + frame + lead)
            silent = np.searchsorted(loud, since, "right") == np.searchsorted(loud, until)
            if start + frame <= sharp.size and silent:
                powers[row, index] = np.mean(np.square(sharp[start : start + frame]))
    heard = np.isfinite(powers).sum(axis=0)
    # An echo of another click stands at another distance, as the clicks are unequally spaced.
    least = np.where(heard > 0, np.nanmin(np.where(np.isfinite(powers), powers, np.inf), axis=0), np.nan)
    n_direct = direct // frame
    energy = float(np.nansum(least[:n_direct]))
    late = least[n_direct:]
    late = np.where(late > _ABOVE_NOISE * noise + 1e-9 * energy, late, 0.0)
    return _describe(
        np.where(heard[n_direct:] >= min(2, len(at)), late, 0.0), energy, n_direct * frame, frame, sample_rate
    )


def _by_correlation(dry: FloatArray, wet: FloatArray, sample_rate: float) -> Tail | None:
    reach, frame = int(_CORRELATED_S * sample_rate), max(1, int(_FRAME_S * sample_rate))
    response, _ = impulse_response(dry, wet, max_latency_samples=reach)
    after = _frames(response[reach:], frame)
    before = _frames(response[reach::-1], frame)
    n_direct = int(_DIRECT_S * sample_rate) // frame
    if after.size <= n_direct or not after.any():
        return None
    chance = max(float(before[n_direct:].max()), 1e-30)
    total = float(np.sum(after[n_direct:])) / max(float(np.sum(before[n_direct:])), 1e-30)
    late = after[n_direct:]
    late = late if total > _ABOVE_CHANCE else np.where(late > _ABOVE_CHANCE * chance, late, 0.0)
    return _describe(late, float(after[:n_direct].sum()), n_direct * frame, frame, sample_rate)


def _frames(response: npt.NDArray[np.float64], frame: int) -> npt.NDArray[np.float64]:
    whole = response[: response.size // frame * frame].reshape(-1, frame)
    powers: npt.NDArray[np.float64] = np.mean(np.square(whole), axis=1)
    return powers


def _describe(
    late: npt.NDArray[np.float64], energy: float, begin: int, frame: int, sample_rate: float
) -> Tail | None:
    """Name a tail from the power of its frames, of which those that do not count are 0."""
    total = float(late.sum())
    if not energy > 0 or total <= energy * 10 ** (_LEAST_DB / 10):
        return None
    level_db = 10 * np.log10(total / energy)
    strongest = int(late.argmax())
    apart = np.abs(np.arange(late.size) - strongest) * frame / sample_rate
    if late[strongest] > _PEAKED * np.mean(late[(apart > 0.01) & (apart < 0.05)]):
        return Tail("delay", (begin + strongest * frame) / sample_rate, float(level_db))
    last = int(np.flatnonzero(late)[-1])
    return Tail("reverb", (begin + (last + 1) * frame) / sample_rate, float(level_db))
