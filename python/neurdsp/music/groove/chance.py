"""What drummers do beyond what can be foretold: quantiles and memory, measured on takes."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.music.groove.takes import Hits, View

__all__ = ["measure_residuals", "played_like", "quantised_copy"]

Runner: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Runs a network: ``(n, 64)`` to ``(n, 32)``."""

#: Probabilities of the normal numbers at which quantiles are given, -3 to 3 by halves.
_BELOW = [0.00135, 0.00621, 0.02275, 0.06681, 0.15866, 0.30854]
_PROBABILITIES = np.array([*_BELOW, 0.5, *(1 - below for below in reversed(_BELOW))])
_N_VOICES = 9
#: Fewer hits of a voice tell too little; all voices together then stand for it.
_LEAST_HITS = 40
_SHARED = (0.2, 0.35, 0.5, 0.65)
_PERSISTENCE = (0.3, 0.5, 0.7, 0.85)
#: What is taken without takes that are long enough to tell.
_USUAL = (0.35, 0.7)
_REFERENCE_WINDOWS = 8


def measure_residuals(
    views: Sequence[tuple[Hits, View, View]], takes: Sequence[_core.GrooveBars], run: Runner
) -> str:
    """Return what a network misses, as the text of a model file.

    Parameters
    ----------
    views
        Hits of a split, and what the network is asked about them without and with a reference.
    takes
        Takes on which the memory is chosen: that which plays most like them.
    run
        The network.
    """
    tables: dict[str, list[list[list[float]]]] = {"offset_ms": [], "velocity": []}
    for which in (0, 1):
        missed_ms, missed, voices = [], [], []
        for hits, *asked in views:
            view = asked[which]
            counted = view.referred if which else np.ones(len(hits.step), bool)
            offset, velocity = view.predicted(run(view.inputs), hits.step)
            missed_ms.append(((hits.late - offset) * hits.sixteenth_ms)[counted])
            missed.append((hits.velocity - velocity)[counted])
            voices.append(hits.voice[counted])
        voice = np.concatenate(voices)
        tables["offset_ms"].append(_quantiles(np.concatenate(missed_ms), voice))
        tables["velocity"].append(_quantiles(np.concatenate(missed), voice))
    examples = [example for bars in takes if (example := _Example.of(bars, run)) is not None]
    if not examples:
        return _text(tables, *_USUAL)
    best = min(
        ((shared, persistence) for shared in _SHARED for persistence in _PERSISTENCE),
        key=lambda pair: _unlikeness(examples, _text(tables, *pair)),
    )
    # What chance adds lies on top of what the network varies by itself: the whole has a drummer's spread.
    for _ in range(3):
        figures = played_like(examples, _text(tables, *best))
        for name, spread in (("offset_ms", "spread"), ("velocity", "velocity_spread")):
            factor = float(np.clip(1 / max(figures[spread], 1e-3), 0.8, 1.25))
            tables[name] = [[[factor * value for value in row] for row in table] for table in tables[name]]
    return _text(tables, *best)


def played_like(examples: Sequence["_Example"], residuals: str, *, seed: int = 1) -> dict[str, float]:
    """Play quantised takes with their own first bars as the reference, and compare with the drummers.

    Parameters
    ----------
    examples
        Of `quantised_copy`.
    residuals
        Text of a model file.
    seed
        Of the chance.

    Returns
    -------
    dict
        ``w1_ms`` and ``velocity_w1``: mean Wasserstein-1 distance over the voices; ``spread`` and
        ``velocity_spread``: standard deviation over the drummers'; ``lag1`` and ``human_lag1``: correlation
        of the mean offsets of neighbouring steps.
    """
    played = [example.play(residuals, seed) for example in examples]
    offset_ms = np.concatenate([offset for offset, _ in played])
    velocity = np.concatenate([velocity for _, velocity in played])
    human_ms = np.concatenate([example.human_ms for example in examples])
    human_velocity = np.concatenate([example.human_velocity for example in examples])
    voice = np.concatenate([example.voice for example in examples])
    shown = [one for one in range(_N_VOICES) if np.count_nonzero(voice == one) >= _LEAST_HITS]
    own = [voice == one for one in shown]
    lags = [_neighbours(example.unit, offset) for example, (offset, _) in zip(examples, played, strict=True)]
    human_lags = [_neighbours(example.unit, example.human_ms) for example in examples]
    return {
        "w1_ms": float(np.mean([_wasserstein(offset_ms[at], human_ms[at]) for at in own])),
        "velocity_w1": float(np.mean([_wasserstein(velocity[at], human_velocity[at]) for at in own])),
        "spread": float(offset_ms.std() / human_ms.std()),
        "velocity_spread": float(velocity.std() / human_velocity.std()),
        "lag1": _correlation(lags),
        "human_lag1": _correlation(human_lags),
    }


def quantised_copy(takes: Sequence[_core.GrooveBars], run: Runner) -> "list[_Example]":
    """Return what `played_like` plays: takes after their first eight bars, quantised, at one velocity."""
    return [example for bars in takes if (example := _Example.of(bars, run)) is not None]


class _Example:
    """A quantised take, asked about with its first bars as the reference, and what the drummer did."""

    def __init__(self, hits: tuple[NDArray[Any], ...], first: int, run: Runner) -> None:
        _, voice, velocity, window, _, offset, base, sixteenth_ms, unit = hits
        later = window >= first + _REFERENCE_WINDOWS
        self.voice = voice[later].astype(np.int64)
        self.unit = unit[later]
        self.human_ms = ((offset - base) * sixteenth_ms)[later]
        self.human_velocity = velocity[later].astype(np.float32)
        self._sixteenth_ms = sixteenth_ms[later]
        # Thousandths of a quarter note are exact enough for a comparison in milliseconds.
        ticks = (unit / 12 + base / 4) * _TICKS
        played = ticks + (offset - base) / 4 * _TICKS
        keys = _KEYS[voice.astype(np.int64)]
        before = ~later
        quarter_us = round(float(np.median(sixteenth_ms)) * 4_000)
        reference = _core.GrooveBars(
            np.maximum(np.rint(played[before]), 0).astype(np.uint64),
            keys[before],
            velocity[before].astype(np.uint8),
            _TICKS,
            [],
            [(0, quarter_us)],
        )
        self._ticks = np.maximum(np.rint(ticks[later]), 0).astype(np.uint64)
        flat = np.full(np.count_nonzero(later), 80, np.uint8)
        bars = _core.GrooveBars(self._ticks, keys[later], flat, _TICKS, [], [(0, quarter_us)])
        self._calls = bars.ask(reference, earlier=False, accents=False)
        self._outputs = run(self._calls.inputs())

    @classmethod
    def of(cls, bars: _core.GrooveBars, run: Runner) -> "_Example | None":
        """Return the example of a take; None for one that is too short."""
        hits = bars.hits()
        window = hits[3]
        if not len(window) or window.max() < window.min() + _REFERENCE_WINDOWS:
            return None
        return cls(hits, int(window.min()), run)

    def play(self, residuals: str, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return offsets in milliseconds and velocities, in the order of the hits."""
        note, tick, velocity, _ = self._calls.play(
            self._outputs,
            residuals,
            amount=1.0,
            tightness=0.0,
            lean_ms=0.0,
            accents=1.0,
            seed=seed,
            locked=[],
            late_only=False,
        )
        offset, loud = np.zeros(len(note), np.float32), np.zeros(len(note), np.float32)
        moved = tick - self._ticks[note].astype(np.int64)
        offset[note] = moved * (4 / _TICKS) * self._sixteenth_ms[note]
        loud[note] = velocity
        return offset, loud


_TICKS = 9_600
_KEYS = np.array([36, 38, 42, 46, 43, 47, 50, 49, 51], np.uint8)


def _unlikeness(examples: Sequence[_Example], residuals: str) -> float:
    figures = played_like(examples, residuals)
    return abs(figures["lag1"] - figures["human_lag1"])


def _quantiles(values: NDArray[np.floating], voice: NDArray[np.int64]) -> list[list[float]]:
    rows = []
    for one in range(_N_VOICES):
        own = values[voice == one]
        rows.append(np.quantile(own if own.size >= _LEAST_HITS else values, _PROBABILITIES).round(3).tolist())
    return rows


def _text(tables: dict[str, list[list[list[float]]]], shared: float, persistence: float) -> str:
    rounded = {
        name: [[[round(value, 3) for value in row] for row in table] for table in values]
        for name, values in tables.items()
    }
    return json.dumps({**rounded, "shared": shared, "persistence": persistence}, separators=(",", ":"))


def _wasserstein(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the Wasserstein-1 distance of two samples of one size."""
    return float(np.abs(np.sort(one) - np.sort(other)).mean())


def _neighbours(unit: NDArray[np.int64], offset: NDArray[np.floating]) -> tuple[NDArray[np.floating], ...]:
    """Return the mean offsets of the steps with a hit, but the last, and those of the steps after."""
    _, place = np.unique(unit, return_inverse=True)
    mean = np.bincount(place, offset) / np.maximum(np.bincount(place), 1)
    return mean[:-1], mean[1:]


def _correlation(pairs: Sequence[tuple[NDArray[np.floating], ...]]) -> float:
    before, after = (np.concatenate([pair[which] for pair in pairs]) for which in (0, 1))
    return float(np.corrcoef(before, after)[0, 1])
