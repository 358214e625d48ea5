"""Tunes in ABC notation, read as far as a melody on a grid needs: pitches, lengths, bars, keys, meters.

Grace notes, ornaments, chord names and words are left out, repeats are played once, and tunes with several
notes at once are not read. The notation: C. Walshaw, "The abc music standard 2.1", 2011.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core

__all__ = ["MAX_STEPS", "Tune", "read_tunes"]

MAX_STEPS = 3000
"""Longest tune that is read, in sixteenths."""

_LEAST_STEPS = 32
_LEAST_NOTES = 12
_PITCHES = range(36, 109)
#: Units of time in a sixteenth: divisible by what triplets, quintuplets and septuplets make of a 128th.
_UNITS = 5040
_WHOLE = 16 * _UNITS
_LONGEST = 64 * _WHOLE

_SHARPS, _FLATS = "FCGDAEB", "BEADGCF"
_FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
_MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "mix": -1,
    "dor": -2,
    "m": -3,
    "min": -3,
    "aeo": -3,
    "phr": -4,
    "loc": -5,
    "lyd": 1,
}
_PITCH = {"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69, "B": 71}
_ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
#: Notes of a tuplet are played in the time of so many.
_TUPLETS = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}

_TOKEN = re.compile(
    r"""\{[^}]*\} | "[^"]*" | ![^!]*!            # grace notes, chord names, ornaments
    | \[(?P<field>[A-Z]:[^\]]*)\]
    | (?P<together>\[[^\]|:0-9][^\]]*\])
    | \((?P<tuplet>[2-9])(?::(?P<time>\d?))?(?::(?P<count>\d?))?
    | (?P<accidental>\^\^|__|\^|_|=)?(?P<note>[A-Ga-gzx])(?P<octave>[,']*)
      (?P<times>\d{0,3})(?P<slashes>/{0,6})(?P<over>\d{0,3})(?P<tie>-?)
    | (?P<broken>[<>]{1,3})
    | (?P<bar>:*\|[\]|:]*|\[\d|::)
    | .""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Tune:
    """A tune on the grid.

    Parameters
    ----------
    name
        Its number and title.
    tokens
        ``(n,)``, see `neurdsp.music.melody.continuation`.
    surroundings
        ``(n, 6)``: place in the bar, sixteenths of a bar, compound meter, tonic, minor, 255 for no chord.
    """

    name: str
    tokens: NDArray[np.uint8]
    surroundings: NDArray[np.uint8]


@dataclass
class _Event:
    start: int
    pitch: int
    length: int
    key: tuple[int, bool]
    meter: tuple[int, int]


@dataclass
class _State:
    """What a reader of a tune keeps in mind."""

    meter: tuple[int, int]
    unit: int
    altered: dict[str, int]
    key: tuple[int, bool]
    now: int = 0
    accidentals: dict[tuple[str, int], int] = field(default_factory=dict)
    tuplet: tuple[int, int, int] = (0, 1, 1)
    broken: tuple[int, int] = (1, 1)
    tied: bool = False
    events: list[_Event] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)


def read_tunes(text: str) -> Iterator[Tune]:
    r"""Yield the tunes of a file that are melodies of a usable length.

    Parameters
    ----------
    text
        The content of an ``.abc`` file.

    Examples
    --------
    >>> tune = next(read_tunes("X:1\nT:Scale\nM:4/4\nL:1/4\nK:G\n" + "GABc|defg|" * 2))
    >>> tune.tokens[:5].tolist(), tune.tokens[24].item()
    ([67, 1, 1, 1, 69], 78)
    """
    for part in re.split(r"(?m)^(?=X:)", text):
        if part.startswith("X:"):
            tune = _read(part)
            if tune is not None:
                yield tune


def _read(text: str) -> Tune | None:
    head: dict[str, str] = {}
    body: list[str] = []
    for line in text.splitlines():
        content = line.split("%", 1)[0]
        is_field = re.match(r"[A-Za-z]:", content) is not None
        if is_field and "K" not in head:
            head.setdefault(content[0], content[2:].strip())
        elif is_field and content[0] in "KM":
            body.append(f"[{content[:2]}{content[2:].strip()}]")
        elif not is_field:
            body.append(content.rstrip("\\ "))
    meter, key = _meter(head.get("M", "4/4")), _key(head.get("K", ""))
    if meter is None or key is None:
        return None
    unit = re.fullmatch(r"1/(\d{1,2})", head.get("L", ""))
    short = meter[0] * 4 < meter[1] * 3
    state = _State(
        meter=meter,
        unit=_WHOLE // max(int(unit[1]), 1) if unit else _WHOLE // (16 if short else 8),
        altered=key[0],
        key=key[1],
    )
    for found in _TOKEN.finditer(" ".join(body)):
        if found["together"] or state.now > _LONGEST:
            return None
        _take(state, found)
    title = " ".join(filter(None, [head.get("X", ""), head.get("T", "")]))
    return _on_grid(title, state)


def _take(state: _State, found: "re.Match[str]") -> None:
    """Take in a piece of the notation."""
    if found["tuplet"]:
        n = int(found["tuplet"])
        state.tuplet = (int(found["count"] or n), int(found["time"] or _TUPLETS[n]), n)
    elif found["field"]:
        value = found["field"][2:]
        key, meter = _key(value), _meter(value)
        if found["field"][0] == "K" and key is not None:
            state.altered, state.key = key
            state.accidentals.clear()
        elif found["field"][0] == "M" and meter is not None:
            state.meter = meter
    elif found["note"]:
        _take_note(state, found)
    elif found["broken"] and state.events:
        # The dot is on one side, and what it takes comes from the other.
        parts = 2 ** len(found["broken"])
        long, short = (2 * parts - 1, parts), (1, parts)
        before, after = (long, short) if found["broken"][0] == ">" else (short, long)
        last = state.events[-1]
        changed = last.length * before[0] // before[1]
        state.now += changed - last.length
        last.length, state.broken = changed, after
    elif found["bar"]:
        state.accidentals.clear()
        state.bars.append(state.now)


def _take_note(state: _State, found: "re.Match[str]") -> None:
    length = state.unit * int(found["times"] or 1)
    if found["slashes"]:
        halved = 2 ** len(found["slashes"])
        length //= max(int(found["over"] or halved), 1) if len(found["slashes"]) == 1 else halved
    left, time, n = state.tuplet
    if left > 0:
        length = length * time // n
        state.tuplet = (left - 1, time, n)
    length = length * state.broken[0] // state.broken[1]
    state.broken = (1, 1)
    name = found["note"]
    pitch = 0
    if name not in "zx":
        octave = found["octave"].count("'") - found["octave"].count(",") + name.islower()
        place = (name.upper(), octave)
        if found["accidental"]:
            state.accidentals[place] = _ACCIDENTALS[found["accidental"]]
        altered = state.accidentals.get(place, state.altered.get(place[0], 0))
        pitch = _PITCH[place[0]] + 12 * octave + altered
    last = state.events[-1] if state.events else None
    if state.tied and last is not None and last.pitch == pitch:
        last.length += length
    else:
        state.events.append(_Event(state.now, pitch, length, state.key, state.meter))
    state.now += length
    state.tied = bool(found["tie"])


def _on_grid(name: str, state: _State) -> Tune | None:
    sounding = [event for event in state.events if event.pitch]
    if len(sounding) < _LEAST_NOTES or any(event.pitch not in _PITCHES for event in sounding):
        return None
    bar = _sixteenths(state.events[0].meter)
    if not 4 <= bar <= 24:
        return None
    # Before a pickup the bar is filled with rests.
    first = next((_steps(at) for at in state.bars if at > 0), 0)
    lead = bar - first if 0 < first < bar else 0
    n = _steps(state.now) + lead
    if not _LEAST_STEPS <= n <= MAX_STEPS:
        return None
    starts = np.array([event.start for event in sounding], np.float64) / _UNITS + lead
    lengths = np.array([event.length for event in sounding], np.float64) / _UNITS
    pitches = np.array([event.pitch for event in sounding], np.uint8)
    tokens = _core.melody_tokens(starts, starts + lengths, pitches, n)
    bars = [_steps(at) + lead for at in state.bars]
    return Tune(name, tokens, _surroundings(state.events, bars, n, lead))


def _surroundings(events: list[_Event], bars: list[int], n: int, lead: int) -> NDArray[np.uint8]:
    around = np.zeros((n, 6), np.uint8)
    around[:, 5] = 255
    at = 0
    for event in events:
        end = min(n, _steps(event.start + event.length) + lead)
        compound = event.meter[1] == 8 and event.meter[0] % 3 == 0
        around[at:end, 1:5] = (_sixteenths(event.meter), compound, *event.key)
        at = max(at, end)
    if at < n:
        around[at:, 1:5] = around[at - 1, 1:5] if at else (16, 0, *events[-1].key)
    marks = sorted({0, *bars})
    full = {begin for begin, end in pairwise(marks) if begin < n and end - begin == around[begin, 1]}
    place = 0
    for step in range(n):
        # A short bar, as before a repeat, does not move the ones that are whole.
        if step in full or place >= around[step, 1]:
            place = 0
        around[step, 0] = place
        place += 1
    return around


def _steps(units: int) -> int:
    return (units + _UNITS // 2) // _UNITS


def _sixteenths(meter: tuple[int, int]) -> int:
    return min(meter[0] * 16 // meter[1], 255)


def _meter(text: str) -> tuple[int, int] | None:
    text = {"C": "4/4", "C|": "2/2", "": "4/4"}.get(text.strip(), text)
    found = re.match(r"\s*(\d{1,2})/(\d{1,2})", text)
    if found is None:
        return None
    meter = int(found[1]), int(found[2])
    return meter if min(meter) > 0 else None


def _key(text: str) -> tuple[dict[str, int], tuple[int, bool]] | None:
    """Return the altered notes of a key, its tonic and whether its mode is a minor one."""
    found = re.match(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if found is None:
        return None
    mode = found[3].lower()
    mode = mode if mode == "m" else mode[:3]
    turned = _MODES.get(mode, 0)
    fifths = _FIFTHS[found[1]] + {"#": 7, "b": -7, "": 0}[found[2]] + turned
    order = _SHARPS if fifths > 0 else _FLATS
    altered: dict[str, int] = {}
    for at in range(min(abs(fifths), 14)):
        altered[order[at % 7]] = altered.get(order[at % 7], 0) + (1 if fifths > 0 else -1)
    tonic = (_PITCH[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]]) % 12
    return altered, (tonic, turned <= -2)
