"""Finding the latency of an output, and refusing one that is misplaced, with its true place.

The latency is searched for within `DataConfig.max_latency_ms` first. If that gives nothing, if blips and
correlation disagree, or if the output does not follow the input there, both recordings are searched whole.
"""

from dataclasses import dataclass, replace

import numpy as np

from neurdsp.amp.capture.align import Alignment, coarse_lag, find_blip_latency, find_latency, lay_over
from neurdsp.amp.capture.diagnose import explain_mismatch
from neurdsp.amp.capture.drift import Drift, find_drift, undo_drift
from neurdsp.amp.capture.follow import Following, follow, rectified
from neurdsp.amp.capture.known import OWN_MATERIAL, UNKNOWN_INPUT, KnownInput, recognise
from neurdsp.amp.capture.report import Examination
from neurdsp.amp.config import DataConfig
from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError
from neurdsp.metrics import peak_db, rms_db

__all__ = ["FOLLOWS", "Place", "add_dropout", "best_place", "find_place", "locate"]

FOLLOWS = 0.5
"""Share of the windows that must follow. Of 14 devices at their true lag the least was 0.90; of wrong lags
and foreign recordings the most was 0.26."""

_JUDGED_WINDOWS = 4
"""Below this many windows only the correlation counts."""

_MAX_SAMPLES = 1 << 22
"""Longest beginning that is searched whole: 87 s at 48 kHz."""

_FOLLOWS_WELL = 0.75
_FAST_PPM = 50.0
_NEAR_S = 0.02
_OFFSET_S = 0.002
_GAP_WINDOWS = 12
_EARLY_SAMPLES = 2
"""A response may be read this much too early; more is a lead."""

_SWAPPED_CREST_DB = 3.0


@dataclass(frozen=True)
class Place:
    """A latency, and how much of the output follows the input there."""

    alignment: Alignment
    following: Following

    @property
    def trusted(self) -> bool:
        """Whether the output follows the input in most windows, or too few could be judged."""
        return len(self.following.follows) < _JUDGED_WINDOWS or self.following.share >= FOLLOWS


def locate(
    examination: Examination, dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput
) -> Alignment | None:
    """Find the latency of an output; add an error if it is misplaced or does not belong to the input.

    Parameters
    ----------
    examination
        Its settings say how far a latency may go, or give it; findings are added to it.
    dry, wet
        Input and output, ``(n_samples,)`` each.
    rate
        In Hz.
    known
        What the input was recognised as.

    Returns
    -------
    Alignment or None
        The true place of the output, also if an error was added; None if it has none.
    """
    data = examination.data
    if data.latency_samples is not None:
        given = Alignment(data.latency_samples, 1.0, inverted=False, method="given")
        _judge_given(examination, given, dry, wet, rate, known)
        return given
    if known.name == OWN_MATERIAL:
        name = recognise(wet, rate).name
        if name != OWN_MATERIAL:
            examination.add(
                "error",
                "swapped",
                f"'{examination.output_path}' is itself a known input ({name}): swap the two files",
            )
            return None
    place = find_place(dry, wet, rate, known, data)
    if place is not None and _clock_explains(place, dry, wet, rate):
        # The place is exact once the clock is corrected.
        return place.alignment
    if place is None or not place.trusted:
        if place is not None and data.drift != "ignore" and _add_cut(examination, place, dry, wet, rate):
            return place.alignment
        why = explain_mismatch(dry, wet, rate, known, place.following if place else None)
        examination.add(
            "error",
            why.code,
            f"'{examination.output_path}' does not seem to be made from '{examination.input_path}': "
            f"{why.message}",
        )
        return None
    found = place.alignment
    _judge_place(examination, found, dry, wet, rate, known, int(data.max_latency_ms * 1e-3 * rate))
    if not examination.failed and data.drift != "ignore":
        _judge_gap(examination, place, dry, wet, rate)
    if not examination.failed:
        _note(examination, found, known)
    return found


def find_place(
    dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput, data: DataConfig
) -> Place | None:
    """Return the place within the reach of the settings, or if it is in doubt the best of all.

    Parameters
    ----------
    dry, wet, rate, known
        As in `locate`.
    data
        Its ``max_latency_ms`` and ``min_confidence``.

    Returns
    -------
    Place or None
        None if the recordings have nothing to compare; else see `Place.trusted`.
    """
    reach = int(data.max_latency_ms * 1e-3 * rate)
    place = _within_reach(dry, wet, rate, known, reach, data.min_confidence)
    if place is None or not place.trusted or _lead(place.alignment) > _EARLY_SAMPLES:
        place = best_place(dry, wet, rate, known, first=place)
    return place


def best_place(
    dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput, *, first: Place | None = None
) -> Place | None:
    """Search both recordings whole for the lag at which the output follows the input best.

    Parameters
    ----------
    dry, wet, rate, known
        As in `locate`.
    first
        A place that was found already.

    Returns
    -------
    Place or None
        None if the recordings have nothing to compare.
    """
    places = [] if first is None else [first]
    for lag in _coarse_lags(dry, wet):
        place = _refined(dry, wet, lag, rate, known)
        if place is not None:
            places.append(place)
            if place.following.share > 0.8:
                break
    return max(places, key=lambda one: one.following.share, default=None)


def _within_reach(
    dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput, reach: int, least: float
) -> Place | None:
    """Return the place by correlation and, if the output answers the blips of the input, by those."""
    near = find_latency(dry, wet, sample_rate=rate, max_latency_samples=reach)
    by_blips = None
    if known.blips:
        by_blips = find_blip_latency(wet, known.blips, sample_rate=rate, max_latency_samples=reach)
    if by_blips is None and near.confidence < least:
        return None
    found = near if by_blips is None else by_blips
    place = Place(found, follow(dry, wet, found.latency_samples, sample_rate=rate))
    offset = place.following.offset_samples
    if by_blips is None and place.trusted and abs(offset) > _OFFSET_S * rate:
        # A waveform that hardly resembles the input, as of an octaver, correlates best at some other lag.
        return _refined(dry, wet, found.latency_samples + round(offset), rate, known) or place
    return place


def _coarse_lags(dry: FloatArray, wet: FloatArray) -> list[int]:
    """Return the lags at which the waveforms, and their magnitudes, fit best."""
    # Silence before the first sound of the input says nothing.
    first = int(np.argmax(np.abs(dry) > 0.05 * np.abs(dry).max()))
    start = max(0, first - _MAX_SAMPLES // 4)
    a, b = (signal[start : start + _MAX_SAMPLES] for signal in (dry, wet))
    return [coarse_lag(a, b), coarse_lag(rectified(a), b)] if a.size and b.size else []


def _refined(dry: FloatArray, wet: FloatArray, lag: int, rate: int, known: KnownInput) -> Place | None:
    """Return the exact place near a lag, by blips if they agree with the correlation."""
    near_samples = int(_NEAR_S * rate)
    start = lag - near_samples
    a, b = lay_over(dry, wet, start)
    if a.size < rate // 4:
        return None
    candidates: list[Alignment] = []
    for signal in (a, rectified(a)):
        try:
            found = find_latency(signal, b, sample_rate=rate, max_latency_samples=3 * near_samples)
        except AudioFileError:  # one of the parts is silent
            return None
        candidates.append(found)
    found = max(candidates, key=lambda one: one.confidence)
    at = [blip + start for blip in known.blips]
    if any(blip >= 2 * near_samples for blip in at):
        by_blips = find_blip_latency(wet, at, sample_rate=rate, max_latency_samples=3 * near_samples)
        if by_blips is not None and abs(by_blips.latency_samples - near_samples) <= near_samples:
            found = by_blips
    found = replace(found, latency_samples=found.latency_samples + start)
    return Place(found, follow(dry, wet, found.latency_samples, sample_rate=rate))


def _lead(found: Alignment) -> int:
    """Return by how many samples the output surely leads the input."""
    return -found.latency_samples - (found.uncertainty_samples if found.method == "correlation" else 0)


def _judge_given(
    examination: Examination,
    given: Alignment,
    dry: FloatArray,
    wet: FloatArray,
    rate: int,
    known: KnownInput,
) -> None:
    """Refuse a given latency at which the output does not follow the input, if it does so elsewhere."""
    place = Place(given, follow(dry, wet, given.latency_samples, sample_rate=rate))
    if place.trusted and abs(given.latency_samples) < min(dry.size, wet.size):
        if examination.data.drift != "ignore" and not _clock_explains(place, dry, wet, rate):
            _judge_gap(examination, place, dry, wet, rate)
        return
    better = best_place(dry, wet, rate, known)
    where = (
        f"it does so at {better.alignment.latency_samples} samples: give that, or leave it out"
        if better is not None and better.trusted and len(better.following.follows) >= _JUDGED_WINDOWS
        else "nor does it at another one; check that the files belong together"
    )
    examination.add(
        "error",
        "given_latency",
        f"'{examination.output_path}' does not follow '{examination.input_path}' at "
        f"data.latency_samples={given.latency_samples}; {where}",
    )


def _judge_place(
    examination: Examination,
    found: Alignment,
    dry: FloatArray,
    wet: FloatArray,
    rate: int,
    known: KnownInput,
    reach: int,
) -> None:
    """Add an error if the output is too late or early, which only its owner can explain."""
    lag = found.latency_samples
    sure = f" (± {found.uncertainty_samples})" if found.uncertainty_samples else ""
    fix = f"--set data.latency_samples={lag} ('check' and 'evaluate' take --latency {lag})"
    if lag > reach:
        examination.add(
            "error",
            "far_lag",
            f"'{examination.output_path}' comes {lag / rate:.2f} s late: its latency is {lag} samples{sure}, "
            f"but data.max_latency_ms allows {reach}; cut that off its beginning, or train with {fix}",
        )
    elif _lead(found) > _EARLY_SAMPLES:
        # The larger part of a recording that lost a buffer lies early.
        drift = find_drift(dry, wet, sample_rate=rate)
        if drift is not None and add_dropout(examination, drift):
            return
        early = (
            f"'{examination.output_path}' comes {-lag} samples{sure} ({-1e3 * lag / rate:.2f} ms) before "
            f"'{examination.input_path}'"
        )
        rise = (peak_db(wet) - rms_db(wet)) - (peak_db(dry) - rms_db(dry))
        if known.name == OWN_MATERIAL and rise > _SWAPPED_CREST_DB:
            examination.add(
                "error",
                "swapped",
                f"{early} and is more dynamic (crest {rise:+.0f} dB), but amps compress: swap the two files; "
                f"if they are right, train with {fix}",
            )
            return
        swapped = "" if known.name != OWN_MATERIAL else ", or the two files are swapped"
        examination.add(
            "error",
            "early",
            f"{early}: the interface compensates too much latency, or the beginning was cut off{swapped}; "
            f"if the files are right, train with {fix}",
        )


def _clock_explains(place: Place, dry: FloatArray, wet: FloatArray, rate: int) -> bool:
    """Return whether the output follows the input only in part because the clocks differ much."""
    well = place.following.share >= _FOLLOWS_WELL and place.following.longest_gap()[2] < _GAP_WINDOWS
    if well and _lead(place.alignment) <= _EARLY_SAMPLES:
        return False
    a, b = lay_over(dry, wet, place.alignment.latency_samples)
    drift = find_drift(a, b, sample_rate=rate)
    if drift is None or not drift.significant or abs(drift.ppm) < _FAST_PPM:
        return False
    corrected = undo_drift(b, drift, sample_rate=rate)
    # The line through the lags need not begin at 0.
    better = _refined(
        a, corrected, coarse_lag(a[:_MAX_SAMPLES], corrected[:_MAX_SAMPLES]), rate, UNKNOWN_INPUT
    )
    return better is not None and better.following.share > max(FOLLOWS, place.following.share + 0.1)


def _judge_gap(examination: Examination, place: Place, dry: FloatArray, wet: FloatArray, rate: int) -> None:
    """Add an error if a long stretch of the output does not follow the input: a cut, a pause, a stop."""
    begin, end, windows = place.following.longest_gap()
    if windows < _GAP_WINDOWS or _add_cut(examination, place, dry, wet, rate):
        return
    examination.add(
        "error",
        "stopped",
        f"from {begin:.0f} to {end:.0f} s '{examination.output_path}' does not follow the input: the "
        "recording was stopped, muted or edited there; record it again in one take "
        "(--set data.drift=ignore trains anyway)",
    )


def _add_cut(examination: Examination, place: Place, dry: FloatArray, wet: FloatArray, rate: int) -> bool:
    """Add an error if the longest stretch that does not follow does so at another lag."""
    begin, end, windows = place.following.longest_gap()
    if windows < _GAP_WINDOWS or np.count_nonzero(place.following.follows) < _GAP_WINDOWS:
        return False
    only = np.zeros_like(dry)
    part = slice(int(begin * rate), int(end * rate))
    only[part] = dry[part]
    start = max(0, part.start - _MAX_SAMPLES // 4)
    coarse = coarse_lag(only[start : start + _MAX_SAMPLES], wet[start : start + _MAX_SAMPLES])
    other = _refined(only, wet, coarse, rate, UNKNOWN_INPUT)
    apart = 0 if other is None else other.alignment.latency_samples - place.alignment.latency_samples
    if other is None or not other.trusted or not apart:
        return False
    examination.add(
        "error",
        "dropout",
        f"the latency jumps by {apart:+d} samples at {begin:.0f} s: '{examination.output_path}' was cut or "
        "paused there, or the recorder lost a buffer; record again in one take (--set data.drift=ignore "
        "trains anyway)",
    )
    return True


def add_dropout(examination: Examination, drift: Drift) -> bool:
    """Add an error if a buffer was lost, and return whether there is one."""
    if not drift.jump_samples or examination.data.drift == "ignore":
        return False
    examination.add(
        "error",
        "dropout",
        f"the latency jumps by {drift.jump_samples:+.0f} samples at {drift.jump_at_s:.0f} s: the recorder "
        "lost or repeated a buffer; record again with larger buffers (--set data.drift=ignore trains anyway)",
    )
    return True


def _note(examination: Examination, found: Alignment, known: KnownInput) -> None:
    """Add what is good to know about a latency that can be used."""
    if known.blips and found.method != "blips":
        examination.add(
            "note",
            "blips_unread",
            "the output has no clear response to the blips of the input; the latency was measured by "
            "correlation",
        )
    elif found.uncertainty_samples > 0:
        examination.add(
            "note",
            "coarse_latency",
            "the input has little treble, so the latency is known to about "
            f"{found.uncertainty_samples} samples; 'neurdsp amp signal' makes an input with blips",
        )
    if found.inverted:
        examination.add("note", "polarity", "the output has reversed polarity; the model will reproduce that")
