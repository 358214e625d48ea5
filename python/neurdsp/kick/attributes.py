"""What a kick measures, and the words that say so: `deep`, `punchy`, `clicky`, and others.

A word is a side of a threshold of one measured quantity, so whether a kick deserves its word can be checked.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ParameterError

__all__ = ["QUANTITIES", "WORDS", "Quantity", "Word", "labels", "measure", "measure_all", "thresholds"]

Array = NDArray[np.float64]
_RATE = 44_100
_TAIL = 8192
_HARMONICS = 9


@dataclass(frozen=True)
class Quantity:
    """A quantity that is measured of a kick of 2 s at 44,100 Hz.

    Parameters
    ----------
    name
        Its name.
    meaning
        What it is, with its unit.
    """

    name: str
    meaning: str


@dataclass(frozen=True)
class Word:
    """A keyword: a quantity on one side of a threshold.

    Parameters
    ----------
    name
        The keyword.
    quantity
        The name of the quantity.
    side
        1 if the quantity is above the threshold, -1 if below.
    share
        Which share of a mixture of kicks deserves it.
    meaning
        What it says of a kick.
    """

    name: str
    quantity: str
    side: int
    share: float
    meaning: str


QUANTITIES = (
    Quantity("length", "log of the seconds until all but 0.01 % of the energy is over"),
    Quantity("body", "log of the seconds until 95 % of the energy is over"),
    Quantity("pitch", "log of the Hz of the tail"),
    Quantity("sweep", "log of the mean frequency of the attack over the pitch of the tail"),
    Quantity("high", "log of the share of energy above 2 kHz"),
    Quantity("click", "log of the peak of what is above 1.5 kHz in the first 10 ms, over the peak"),
    Quantity("centroid", "mean of log frequency, weighted by magnitude"),
    Quantity("sub", "share of energy from 20 to 70 Hz"),
    Quantity("middle", "log of the share of energy from 150 to 800 Hz"),
    Quantity("harmonics", "log of the energy locked to multiples of the tail's phase, over that of the tail"),
    Quantity("noise", "log of the level and flatness of the spectrum from 250 Hz to 8 kHz after 40 ms"),
)
"""What is measured, in the order of `measure`."""
_NAMES = [quantity.name for quantity in QUANTITIES]

WORDS = (
    Word("deep", "pitch", -1, 0.30, "a low pitch of the tail"),
    Word("high", "pitch", 1, 0.30, "a high pitch of the tail"),
    Word("long", "length", 1, 0.30, "takes long until it is over"),
    Word("short", "length", -1, 0.30, "is over soon"),
    Word("boomy", "body", 1, 0.25, "most of its energy comes late"),
    Word("tight", "body", -1, 0.25, "most of its energy comes at once"),
    Word("bright", "centroid", 1, 0.30, "much treble"),
    Word("dark", "centroid", -1, 0.30, "little treble"),
    Word("clicky", "click", 1, 0.25, "a loud click at the start"),
    Word("soft", "click", -1, 0.25, "no click at the start"),
    Word("punchy", "sweep", 1, 0.30, "a wide glide of the pitch at the start"),
    Word("flat", "sweep", -1, 0.30, "hardly any glide of the pitch"),
    Word("distorted", "harmonics", 1, 0.25, "strong harmonics of the tail, as from overdrive"),
    Word("clean", "harmonics", -1, 0.30, "hardly any harmonics of the tail"),
    Word("noisy", "noise", 1, 0.25, "noise behind the tail, as of a room or a tape"),
    Word("dry", "noise", -1, 0.30, "no noise behind the tail"),
    Word("sub", "sub", 1, 0.30, "much energy below 70 Hz"),
    Word("mid", "middle", 1, 0.30, "much energy from 150 to 800 Hz"),
)
"""The vocabulary."""


def measure(audio: NDArray[np.floating]) -> Array:
    """Measure one kick.

    Parameters
    ----------
    audio
        Samples at 44,100 Hz, from the onset; shorter ones are followed by silence.

    Returns
    -------
    ndarray of float64
        One value for each of `QUANTITIES`.

    Raises
    ------
    ParameterError
        If the audio is not one channel, or silent.

    Examples
    --------
    >>> t = np.arange(88_200) / 44_100
    >>> values = measure(np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.1))
    >>> round(float(np.exp(values[2])))
    55
    """
    if np.ndim(audio) != 1:
        raise ParameterError(f"a kick has one channel, but got shape {np.shape(audio)}")
    x = np.zeros(88_200)
    x[: len(audio)] = audio[:88_200]
    peak = float(np.abs(x).max())
    if not peak > 0 or not math.isfinite(peak):
        raise ParameterError("the kick is silent or not finite; give one with a peak above 0")
    x /= peak
    energy = np.cumsum(x * x)
    total = energy[-1]
    length = (np.searchsorted(energy, total * (1 - 1e-4)) + 1) / _RATE
    body = (np.searchsorted(energy, total * 0.95) + 1) / _RATE

    n = 32_768
    closing = np.ones(n)
    closing[-4096:] = np.linspace(1, 0, 4096)
    magnitude = np.abs(np.fft.rfft(x[:n] * closing))
    hertz = np.fft.rfftfreq(n, 1 / _RATE)
    power = magnitude**2
    share = power / power.sum()
    heard = hertz >= 20
    centroid = float((np.log(hertz[heard]) * magnitude[heard]).sum() / magnitude[heard].sum())

    start = max(int(0.03 * _RATE), min(int(0.05 * _RATE), int(0.4 * body * _RATE)))
    pitch = _pitch_hz(x[start : start + _TAIL])
    attack = np.abs(np.fft.rfft(x[:1024] * np.hanning(2048)[1024:], n))
    low = (hertz > 25) & (hertz < 1500)
    attack_hz = float((attack[low] * hertz[low]).sum() / attack[low].sum())

    # The end fades, or its step would be heard as a click.
    short = np.fft.rfft(
        x[:1024] * np.concatenate([np.ones(512), 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, 512))])
    )
    short[np.fft.rfftfreq(1024, 1 / _RATE) < 1500] = 0
    click = float(np.abs(np.fft.irfft(short)[:441]).max())

    late = np.abs(np.fft.rfft(x[1764 : 1764 + _TAIL] * np.hanning(_TAIL))) ** 2 + 1e-12
    late_hz = np.fft.rfftfreq(_TAIL, 1 / _RATE)
    band = (late_hz > 250) & (late_hz < 8000)
    flat = np.exp(np.log(late[band]).mean()) / late[band].mean()
    noise = math.log(flat * late[band].sum() / late.sum() + 1e-9)
    return np.array(
        [
            math.log(length),
            math.log(body),
            math.log(pitch),
            math.log(attack_hz / pitch),
            math.log(share[hertz > 2000].sum() + 1e-7),
            math.log(click + 1e-3),
            centroid,
            share[(hertz > 20) & (hertz < 70)].sum(),
            math.log(share[(hertz > 150) & (hertz < 800)].sum() + 1e-6),
            _harmonics(x[start : start + 2 * _TAIL], pitch),
            noise,
        ]
    )


def _pitch_hz(tail: Array) -> float:
    """Return the frequency of the strongest line from 24 to 300 Hz, refined by a parabola."""
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail)), 65_536))
    step = _RATE / 65_536
    first, last = int(24 / step), int(300 / step)
    k = first + int(np.argmax(spectrum[first:last]))
    left, middle, right = np.log(spectrum[k - 1 : k + 2] + 1e-12)
    curve = left - 2 * middle + right
    peak = min(max(0.5 * (left - right) / curve, -0.5), 0.5) if curve < 0 else 0.0
    return float((k + peak) * step)


def _harmonics(tail: Array, pitch_hz: float) -> float:
    """Measure what moves in step with multiples of the phase of the tail's fundamental.

    The tail is demodulated by each multiple and averaged over six periods, so what is not locked averages
    out.
    """
    rate = _RATE / 4
    spectrum = np.fft.rfft(tail, 4 * _TAIL)[: _TAIL // 2]
    x = np.fft.irfft(spectrum, _TAIL)[: len(tail) // 4] / 4
    hertz = np.fft.fftfreq(_TAIL, 1 / rate)
    full = np.fft.fft(x, _TAIL)
    near = np.exp(-0.5 * ((hertz - pitch_hz) / (0.3 * pitch_hz)) ** 2)
    fundamental = 2 * np.fft.ifft(full * near)[: len(x)]
    turn = fundamental / (np.abs(fundamental) + 1e-9)
    window = max(8, int(6 * rate / pitch_hz))
    level, back = [], np.ones(len(x), complex)
    for k in range(1, _HARMONICS + 1):
        back = back * turn.conj()
        if k * pitch_hz > 0.45 * rate:
            break
        mean = np.cumsum(np.concatenate([[0], x * back]))
        mean = (mean[window:] - mean[:-window]) / window if len(mean) > window else mean[-1:] / len(x)
        level.append(float((np.abs(mean) ** 2).sum()))
    return math.log(sum(level[1:]) / (level[0] + 1e-12) + 1e-6)


def measure_all(audio: NDArray[np.floating]) -> Array:
    """Measure many kicks, ``(n, samples)``; return ``(n, quantities)``."""
    return np.stack([measure(one) for one in audio])


def thresholds(measured: Array, *, strictness: float = 1.0) -> Array:
    """Return the threshold of every word, so that it holds for its share of a mixture.

    Parameters
    ----------
    measured
        ``(n, quantities)``, from `measure_all`.
    strictness
        By how much smaller shares are made; 0.6 for labels that training sees.

    Returns
    -------
    ndarray of float64
        One for each of `WORDS`.
    """
    found = []
    for word in WORDS:
        share = word.share * strictness
        found.append(
            np.quantile(measured[:, _NAMES.index(word.quantity)], share if word.side < 0 else 1 - share)
        )
    return np.array(found)


def labels(measured: Array, at: Array) -> NDArray[np.bool_]:
    """Return which words hold, ``(n, words)``, by the given thresholds."""
    return np.stack(
        [
            word.side * (measured[:, _NAMES.index(word.quantity)] - threshold) > 0
            for word, threshold in zip(WORDS, at, strict=True)
        ],
        axis=1,
    )
