"""Variants of a tune: found by the runs of intervals that they share, so that they are in one split."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["groups_of"]

_RUN = 9
"""Intervals in a run."""
_COMMON = 60
"""Runs that so many pieces have, such as scales, tell nothing."""
_RELATED = 0.25
_SAME = 0.8


def groups_of(melodies: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
    """Return the numbers of related melodies together, without near copies of an earlier one.

    Two are related if a quarter of the runs of intervals of the shorter one are in the other, in any key and
    at any speed; nearly the same, with four fifths.

    Parameters
    ----------
    melodies
        Tokens of each.

    Returns
    -------
    list of list of int
        Every melody that stays, in one group.

    Examples
    --------
    >>> tune = np.array([60, 64, 62, 67, 65, 60, 69, 62, 71, 60, 67, 64, 72, 65], np.uint8)
    >>> groups_of([tune, tune + 3, tune[::-1].copy()])
    [[0], [2]]
    """
    runs = [_runs(tokens) for tokens in melodies]
    having: dict[bytes, list[int]] = defaultdict(list)
    for number, found in enumerate(runs):
        for run in found:
            having[run].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in having.values():
        if 1 < len(numbers) < _COMMON:
            shared.update((a, b) for at, a in enumerate(numbers) for b in numbers[at + 1 :])
    parent = list(range(len(melodies)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    dropped: set[int] = set()
    for (a, b), count in sorted(shared.items()):
        part = count / max(1, min(len(runs[a]), len(runs[b])))
        if part >= _RELATED:
            parent[max(root(a), root(b))] = min(root(a), root(b))
        if part >= _SAME and a not in dropped:
            dropped.add(b)
    groups: dict[int, list[int]] = defaultdict(list)
    for number in range(len(melodies)):
        if number not in dropped:
            groups[root(number)].append(number)
    return [groups[key] for key in sorted(groups)]


def _runs(tokens: NDArray[np.uint8]) -> set[bytes]:
    """Return the runs of intervals of a melody that are more than a scale or a trill."""
    intervals = np.diff(tokens[tokens > 1].astype(np.int8))
    if len(intervals) < _RUN:
        return {intervals.tobytes()} if len(intervals) else set()
    windows = np.lib.stride_tricks.sliding_window_view(intervals, _RUN)
    return {window.tobytes() for window in windows if len(np.unique(window)) > 2}
