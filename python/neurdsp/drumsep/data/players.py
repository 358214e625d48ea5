"""Playing part of a performance on a kit: the strokes of one stem, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.data.bank import BankKit, StoredStroke
from neurdsp.drumsep.data.config import TimbreConfig
from neurdsp.drumsep.data.groove import Performance
from neurdsp.drumsep.data.roles import ROLES, STEM_OF, stand_ins
from neurdsp.drumsep.data.timbre import Timbre, draw_timbre

__all__ = ["Event", "Player", "Windows", "plays"]

STEM_OF_ROLE = np.array([STEM_OF[role] for role in ROLES])
_BEFORE_S = 3.0
"""Strokes this long before a window still sound in it."""

_PANNING = {"kick": 0.05, "snare": 0.1, "stick": 0.15, "percussion": 0.8}
_SPREAD = 0.7


@dataclass(frozen=True)
class Event:
    """A stroke: when, in seconds from the beginning of the window, which role, and how loud."""

    time_s: float
    role: str
    velocity: float


class Windows:
    """Windows of performances, drawn so that all stems occur often enough."""

    def __init__(self, performances: Sequence[Performance]) -> None:
        self._performances = performances
        lengths = np.array([min(float(one.times_s[-1]), 120.0) for one in performances])
        self._chances = lengths**0.7 / np.sum(lengths**0.7)
        stems = [STEM_OF_ROLE[one.roles] for one in performances]
        share = [np.mean((found == 2) | (found == 4)) for found in stems]
        self._rich = [index for index, part in enumerate(share) if part > 0.12] or list(range(len(stems)))
        self._at = [
            np.array(
                [(i, k) for i, found in enumerate(stems) for k in np.flatnonzero(found == stem)]
            ).reshape(-1, 2)
            for stem in range(5)
        ]

    def any(self, rng: np.random.Generator, seconds: float) -> list[Event]:
        """Draw a window; a third are from performances with many toms and cymbals."""
        if rng.random() < 0.35:
            which = self._rich[rng.integers(len(self._rich))]
        else:
            which = int(rng.choice(len(self._performances), p=self._chances))
        last = float(self._performances[which].times_s[-1])
        return self._window(which, rng.uniform(0, max(0.01, last - 0.7 * seconds)), seconds)

    def around(self, rng: np.random.Generator, stem: int, seconds: float) -> list[Event]:
        """Draw a window with a stroke of a stem in it; empty if no performance has one."""
        if not len(self._at[stem]):
            return []
        which, stroke = self._at[stem][rng.integers(len(self._at[stem]))]
        time = float(self._performances[which].times_s[stroke])
        return self._window(int(which), time - rng.uniform(0, 0.8 * seconds), seconds)

    def _window(self, which: int, begin: float, seconds: float) -> list[Event]:
        one = self._performances[which]
        first, last = np.searchsorted(one.times_s, [begin - _BEFORE_S, begin + seconds])
        part = slice(int(first), int(last))
        rows = zip(
            one.times_s[part].tolist(), one.roles[part].tolist(), one.velocities[part].tolist(), strict=True
        )
        return [Event(time - begin, ROLES[role], velocity) for time, role, velocity in rows]


def plays(kit: BankKit, stem: int) -> bool:
    """Return whether a kit has a recording of a stem."""
    return any(STEM_OF[role] == stem for role in kit.roles)


@dataclass(frozen=True)
class _Piece:
    """What plays a role for the length of a mixture: a recording for each velocity, perhaps two, changed."""

    strokes: Sequence[StoredStroke]
    second: Sequence[StoredStroke] = ()
    second_gain: float = 0.0
    timbre: Timbre | None = None


class Player:
    """One kit for the length of a mixture: which of its alternatives play, how, and where they stand.

    Parameters
    ----------
    kit
        The kit.
    rng
        What it draws from.
    channels
        1 or 2.
    narrow
        Whether all pieces stand in the middle.
    exponent
        How much quieter soft strokes are: amplitudes are velocities to this power.
    human
        Whether strokes vary in level and in the layer that they take.
    timbre
        How pieces are changed; None leaves them as they are.
    others
        Kits that pieces may be borrowed from.
    """

    def __init__(
        self,
        kit: BankKit,
        rng: np.random.Generator,
        *,
        channels: int,
        narrow: bool = False,
        exponent: float = 1.0,
        human: bool = True,
        timbre: TimbreConfig | None = None,
        others: Sequence[BankKit] = (),
    ) -> None:
        self._kit, self._rng, self._channels = kit, rng, channels
        self._narrow, self._exponent, self._human = narrow, exponent, human
        self._mirror = rng.random() < 0.5
        self._timbre, self._others = timbre, others
        self._chosen: dict[str, _Piece | None] = {}
        self._changed: dict[tuple[str, int], NDArray[np.float32]] = {}
        self._gains: dict[str, NDArray[np.float32]] = {}

    def stem(self, events: Sequence[Event], n_samples: int, rate: float) -> NDArray[np.float32]:
        """Return the sum of the strokes, ``(channels, n_samples)``, with the times at this rate in Hz."""
        played: dict[str, NDArray[np.float32]] = {}
        for index, event in enumerate(events):
            piece = self._piece(event.role)
            if piece is None:
                continue
            which = self._layer(piece.strokes, event.velocity)
            samples = self._recording(event.role, piece, which)
            at = round(event.time_s * rate)
            length = samples.shape[-1]
            if event.role.startswith("hihat") and index + 1 < len(events):
                # The next stroke closes the cymbal.
                length = min(length, max(600, round((events[index + 1].time_s - event.time_s) * rate) + 300))
            begin, end = max(0, -at), min(length, n_samples - at)
            if end <= begin:
                continue
            gain = event.velocity**self._exponent * piece.strokes[which].scale
            if self._human:
                gain *= 10 ** (self._rng.normal(0, 0.5) / 20)
            part = self._placed(samples[:, begin:end], event.role, np.float32(gain))
            if end == length < samples.shape[-1]:
                fade = min(500, end - begin)
                part[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
            if event.role not in played:
                played[event.role] = np.zeros((self._channels, n_samples), np.float32)
            played[event.role][:, at + begin : at + end] += part
        out = np.zeros((self._channels, n_samples), np.float32)
        for role, sound in played.items():
            piece = self._chosen[role]
            out += sound if piece is None or piece.timbre is None else piece.timbre.coloured(sound)
        return out

    def _recording(self, role: str, piece: _Piece, which: int) -> NDArray[np.int16] | NDArray[np.float32]:
        """Return a recording of a piece as it is played, in units of the scale of its stroke."""
        stroke = piece.strokes[which]
        if piece.timbre is None and not piece.second:
            return stroke.samples
        key = (role, which)
        if key not in self._changed:
            samples: NDArray[np.float32] = stroke.samples.astype(np.float32)
            if piece.second:
                middle = (stroke.low + stroke.high) / 2
                second = piece.second[_nearest(piece.second, middle)].samples.astype(np.float32)
                samples = _sum(samples, second * np.float32(piece.second_gain))
            self._changed[key] = samples if piece.timbre is None else piece.timbre.shaped(samples)
        return self._changed[key]

    def _placed(
        self, samples: NDArray[np.int16] | NDArray[np.float32], role: str, gain: np.float32
    ) -> NDArray[np.float32]:
        """Return a recording with its gain, at its place between the channels."""
        if self._channels == 1:
            if len(samples) == 1:
                return samples * gain
            return (samples[:1].astype(np.float32) + samples[1:]) * (np.float32(0.5) * gain)
        if len(samples) == 2:
            if self._narrow:
                return np.repeat(
                    (samples[:1].astype(np.float32) + samples[1:]) * (np.float32(0.5) * gain), 2, 0
                )
            return (samples[::-1] if self._mirror else samples) * gain
        if role not in self._gains:
            # Constant power, with more room for what stands at the sides of a kit.
            place = 0.0 if self._narrow else self._rng.normal(0, _PANNING.get(role, _SPREAD))
            angle = np.pi / 4 * (1 + np.clip(place, -0.95, 0.95))
            self._gains[role] = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(2**0.5)
        return samples * (gain * self._gains[role])

    def _piece(self, role: str) -> _Piece | None:
        if role not in self._chosen:
            self._chosen[role] = self._drawn(role)
        return self._chosen[role]

    def _drawn(self, role: str) -> _Piece | None:
        """Choose what plays a role; None if no kit has anything for it."""
        config, rng = self._timbre, self._rng
        kit = self._kit
        if config is not None and self._others and rng.random() < config.borrow:
            kit = self._others[int(rng.integers(len(self._others)))]
        strokes = self._strokes(kit, role)
        if strokes is None:
            return None
        if config is None:
            return _Piece(strokes)
        second, gain = None, 0.0
        if self._others and rng.random() < config.layer:
            second = self._strokes(self._others[int(rng.integers(len(self._others)))], role)
            gain = float(10 ** (rng.uniform(-12, 0) / 20))
        return _Piece(strokes, second or (), gain, draw_timbre(rng, config))

    def _strokes(self, kit: BankKit, role: str) -> Sequence[StoredStroke] | None:
        """Return the recordings of a kit for a role, or for one that stands in for it."""
        roles = kit.roles
        candidates = [role, *stand_ins(role)]
        candidates += [other for other in roles if STEM_OF[other] == STEM_OF[role]]
        found = next((name for name in candidates if name in roles), None)
        if found is None:
            return None
        alternatives = roles[found]
        return alternatives[int(self._rng.integers(len(alternatives)))]

    def _layer(self, strokes: Sequence[StoredStroke], velocity: float) -> int:
        """Return which recording plays a velocity."""
        fitting = [index for index, one in enumerate(strokes) if one.low <= velocity <= one.high]
        index = fitting[self._rng.integers(len(fitting))] if fitting else _nearest(strokes, velocity)
        if self._human and self._rng.random() < 0.2:
            index = min(max(index + int(self._rng.integers(-1, 2)), 0), len(strokes) - 1)
        return index


def _nearest(strokes: Sequence[StoredStroke], velocity: float) -> int:
    return min(range(len(strokes)), key=lambda i: abs((strokes[i].low + strokes[i].high) / 2 - velocity))


def _sum(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of two recordings of any lengths, with one channel or two."""
    channels, length = max(len(first), len(second)), max(first.shape[-1], second.shape[-1])
    out = np.zeros((channels, length), np.float32)
    out[:, : first.shape[-1]] += first
    out[:, : second.shape[-1]] += second
    return out
