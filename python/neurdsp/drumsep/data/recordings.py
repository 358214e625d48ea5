"""Recordings of single strokes: trimmed, at one rate, and grouped into instruments and kits."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from neurdsp.audio import resample
from neurdsp.drumsep.data.roles import LONGEST_S, ROLES

__all__ = ["SAMPLE_RATE", "Instrument", "Kit", "Stroke", "clean", "sort_toms"]

SAMPLE_RATE = 44_100
"""Rate of all recordings in a bank, in Hz."""

_HIGH_PASS_HZ = {
    "hihat_closed": 200,
    "hihat_pedal": 200,
    "hihat_open": 200,
    "crash": 130,
    "ride": 130,
    "bell": 130,
}
"""Some recordings of cymbals carry rumble that outweighs the cymbal."""


@dataclass(frozen=True)
class Stroke:
    """One recording, for a range of velocities from 0 to 1.

    Parameters
    ----------
    low, high
        The velocities that it is for.
    samples
        ``(channels, n_samples)``, float32, with one channel or two.
    """

    low: float
    high: float
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Instrument:
    """The recordings of one piece of a kit, in the order of their velocities.

    Parameters
    ----------
    role
        One of `neurdsp.drumsep.data.roles.ROLES`.
    strokes
        At least one. Levels between them are as recorded; the loudest peaks at 1.
    """

    role: str
    strokes: tuple[Stroke, ...]

    @classmethod
    def of(cls, role: str, strokes: Iterable[Stroke | None]) -> "Instrument | None":
        """Return the instrument of these recordings, brought to a peak of 1; None without a usable one."""
        found = sorted((stroke for stroke in strokes if stroke is not None), key=lambda stroke: stroke.low)
        if not found:
            return None
        peak = max(float(np.abs(stroke.samples).max()) for stroke in found)
        return cls(role, tuple(Stroke(s.low, s.high, s.samples / np.float32(peak)) for s in found))


@dataclass(frozen=True)
class Kit:
    """The instruments of one source.

    Parameters
    ----------
    name
        Unique within a bank.
    author
        Kits that share recordings, or a maker, share this too; they belong to one split.
    licence
        Of the recordings.
    split
        ``train``, ``validation`` or ``test``.
    instruments
        All roles; several of one role are alternatives.
    """

    name: str
    author: str
    licence: str
    split: str = "train"
    instruments: tuple[Instrument, ...] = field(default=(), repr=False)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that the kit can play, each once."""
        present = {instrument.role for instrument in self.instruments}
        return tuple(role for role in ROLES if role in present)

    @property
    def n_strokes(self) -> int:
        """Number of recordings."""
        return sum(len(instrument.strokes) for instrument in self.instruments)


def clean(audio: NDArray[np.floating], sample_rate: float, role: str) -> NDArray[np.float32] | None:
    """Return a recording as `SAMPLE_RATE` has it, without silence, rumble and offset; None if it is silent.

    Parameters
    ----------
    audio
        ``(n_samples,)`` or ``(channels, n_samples)``; two channels that are equal become one.
    sample_rate
        In Hz.
    role
        Decides the longest duration and the high-pass of cymbals.

    Returns
    -------
    ndarray or None
        ``(channels, n_samples)``.
    """
    x = np.atleast_2d(np.asarray(audio, np.float64))[:2]
    if x.shape[-1] < 64 or np.abs(x).max() < 1e-4:
        return None
    if len(x) == 2 and np.abs(x[0] - x[1]).max() < 1e-3 * np.abs(x).max():
        x = x[:1]
    if x.shape[-1] > 4000:
        # Before it is resampled, which would ring where an offset begins and ends.
        x = x - x[:, -200:].mean(axis=-1, keepdims=True)
    if round(sample_rate) != SAMPLE_RATE:
        x = np.atleast_2d(resample(x, round(sample_rate), SAMPLE_RATE))
    if role in _HIGH_PASS_HZ:
        sections = signal.butter(4, _HIGH_PASS_HZ[role], "high", fs=SAMPLE_RATE, output="sos")
        x = signal.sosfilt(sections, x, axis=-1)
    level = np.abs(x).max(axis=0)
    peak = level.max()
    if peak < 1e-5:
        return None
    first = max(0, int(np.argmax(level > 0.006 * peak)) - 20)
    last = len(level) - int(np.argmax(level[::-1] > 3e-4 * peak))
    x = x[:, first : min(last, first + round(LONGEST_S[role] * SAMPLE_RATE))].copy()
    fade = min(x.shape[-1] // 4, SAMPLE_RATE // 10)
    if fade:
        x[:, -fade:] *= np.linspace(1, 0, fade) ** 2
    head = min(8, x.shape[-1])
    x[:, :head] *= np.linspace(0, 1, head)
    return x.astype(np.float32) if x.shape[-1] >= 64 else None


def sort_toms(instruments: Iterable[Instrument]) -> list[Instrument]:
    """Give the toms among instruments the roles low, middle and high by their pitch."""
    found = list(instruments)
    toms = sorted((one for one in found if one.role.startswith("tom_")), key=_pitch_hz)
    others = [one for one in found if not one.role.startswith("tom_")]
    roles = ("tom_low", "tom_mid", "tom_high")
    for index, tom in enumerate(toms):
        others.append(Instrument(roles[min(2, 3 * index // max(len(toms), 1))], tom.strokes))
    return others


def _pitch_hz(instrument: Instrument) -> float:
    """Return where the spectrum of the loudest stroke is highest, between 45 and 500 Hz."""
    loudest = max(instrument.strokes, key=lambda stroke: stroke.high).samples.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(loudest, 1 << 16))
    frequencies = np.fft.rfftfreq(1 << 16, 1 / SAMPLE_RATE)
    inside = (frequencies > 45) & (frequencies < 500)
    return float(frequencies[inside][np.argmax(spectrum[inside])])
