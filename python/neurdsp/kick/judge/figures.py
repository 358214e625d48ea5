"""Figures of kicks that need neither torch nor a network: distance, ripple of the tail, DC, and the end."""

import functools

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ParameterError
from neurdsp.kick.attributes import QUANTITIES, measure_all

__all__ = ["Hygiene", "hygiene", "log_mel_distance", "low_band_snr_db", "ripple_cents", "swell_db"]

from dataclasses import dataclass

Array = NDArray[np.float64]
_RATE = 44_100
_FRAME, _HOP, _BANDS = 2048, 512, 128
_FLOOR = 1e-5
_SWELL_DB = 10


@functools.cache
def _filters() -> Array:
    hertz = np.linspace(0, _RATE / 2, _FRAME // 2 + 1)
    mel = 2595 * np.log10(1 + hertz / 700)
    edges = np.linspace(0, mel[-1], _BANDS + 2)
    hz = 700 * (10 ** (edges / 2595) - 1)
    rising = (hertz[:, None] - hz[:-2]) / (hz[1:-1] - hz[:-2])
    falling = (hz[2:] - hertz[:, None]) / (hz[2:] - hz[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _log_mel(audio: NDArray[np.floating]) -> Array:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)
    padded = np.pad(np.asarray(audio, np.float64), _FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return np.asarray(np.log(power @ _filters() + _FLOOR))


def log_mel_distance(reference: NDArray[np.floating], audio: NDArray[np.floating]) -> float:
    """Return the mean difference of log-mel spectrograms in nats, within 60 dB of the reference's peak.

    Parameters
    ----------
    reference, audio
        ``(samples,)`` at 44,100 Hz, of one length.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 44_100)
    >>> round(log_mel_distance(noise, 0.5 * noise), 2)
    1.39
    """
    if np.shape(reference) != np.shape(audio):
        raise ParameterError(
            f"the shapes differ: {np.shape(reference)} and {np.shape(audio)}; give one length"
        )
    a, b = _log_mel(reference), _log_mel(audio)
    heard = (a > a.max() - np.log(1e6)) & (a > np.log(2 * _FLOOR))
    return float(np.abs(a - b)[heard].mean())


def low_band_snr_db(
    reference: NDArray[np.floating], audio: NDArray[np.floating], top_hz: float = 1100.0
) -> float:
    """Return the ratio of a reference to the error of audio, below a frequency."""
    hertz = np.fft.rfftfreq(len(reference), 1 / _RATE)
    weight = 1 / (1 + (hertz / top_hz) ** 8)
    whole, error = np.fft.rfft(reference) * weight, np.fft.rfft(np.subtract(reference, audio)) * weight
    return float(10 * np.log10((np.abs(whole) ** 2).sum() / ((np.abs(error) ** 2).sum() + 1e-12)))


def ripple_cents(audio: NDArray[np.floating]) -> float:
    """Return how the pitch of the tail, from 80 to 300 ms, wavers around a cubic; NaN where it is too short.

    Grain of a vocoder shows here. Real kicks measure about 280 to 460.

    Examples
    --------
    >>> t = np.arange(88_200) / 44_100
    >>> ripple_cents(np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.3)) < 5
    True
    """
    n = len(audio)
    hertz = np.fft.rfftfreq(n, 1 / _RATE)
    band = 1 / np.sqrt(1 + (25 / np.maximum(hertz, 1e-3)) ** 8) / np.sqrt(1 + (hertz / 250) ** 8)
    spectrum = np.zeros(n, complex)
    spectrum[: len(hertz)] = 2 * np.fft.rfft(audio) * band
    spectrum[0] = 0
    analytic = np.fft.ifft(spectrum)
    part = slice(int(0.08 * _RATE), int(0.3 * _RATE))
    level = np.abs(analytic)[part]
    pitch = np.gradient(np.unwrap(np.angle(analytic)))[part] * _RATE / (2 * np.pi)
    heard = level > 0.03 * np.abs(analytic).max()
    if heard.sum() < 4000:
        return float("nan")
    at = np.linspace(-1, 1, len(pitch))
    octaves = np.log2(np.clip(pitch, 20, 400))
    error = 1200 * (octaves - np.polyval(np.polyfit(at[heard], octaves[heard], 3), at))
    return float(np.sqrt(np.mean(error[heard] ** 2)))


def swell_db(audio: NDArray[np.floating]) -> float:
    """Return by how much the level of a kick rises again late, in dB.

    The level is that of 20 ms, within 40 dB of the loudest. Of each moment from 150 ms on it is compared with
    the least since 50 ms. Partials that beat a little, and noise, give a few dB.

    Examples
    --------
    >>> t = np.arange(88_200) / 44_100
    >>> tail = np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.05)
    >>> swell_db(tail) < 1, swell_db(tail + np.roll(tail, 11_025)) > 10
    (True, True)
    """
    n, hop = int(0.02 * _RATE), int(0.005 * _RATE)
    energy = np.cumsum(np.concatenate([[0.0], np.asarray(audio, np.float64) ** 2]))
    starts = np.arange(int(0.05 * _RATE), len(audio) - n, hop)
    every = np.arange(0, len(audio) - n, hop)
    loudest = float((energy[every + n] - energy[every]).max(initial=0.0))
    if not len(starts) or loudest <= 0:
        return 0.0
    level = 10 * np.log10(np.maximum((energy[starts + n] - energy[starts]) / loudest, 1e-4))
    rise = (level - np.minimum.accumulate(level))[starts >= int(0.15 * _RATE)]
    return float(rise.max(initial=0.0))


@dataclass(frozen=True)
class Hygiene:
    """What should be right of every kick.

    Parameters
    ----------
    last_sample, dc
        Largest last sample, and largest mean, of all kicks.
    dc_median
        Median of the means.
    ripple_cents
        Median of `ripple_cents`.
    swells
        Share of kicks whose level rises again late, by more than 10 dB of `swell_db`.
    crest
        Median of peak over RMS.
    pitch_hz, length_s, click_db
        Medians of the pitch of the tail, of the seconds until all but 0.01 % of the energy is over, and of
        the peak above 1.5 kHz in the first 10 ms over the peak.
    finite
        Whether every sample is a number.
    """

    last_sample: float
    dc: float
    dc_median: float
    ripple_cents: float
    swells: float
    crest: float
    pitch_hz: float
    length_s: float
    click_db: float
    finite: bool


def hygiene(audio: NDArray[np.floating]) -> Hygiene:
    """Return the hygiene of kicks ``(n, samples)``."""
    audio = np.asarray(audio, np.float64)
    means = np.abs(audio.mean(axis=1))
    ripples = np.array([ripple_cents(one) for one in audio])
    names = [quantity.name for quantity in QUANTITIES]
    medians = dict(zip(names, np.median(measure_all(audio), axis=0).tolist(), strict=True))
    peak, rms = np.abs(audio).max(axis=1), np.sqrt((audio**2).mean(axis=1)) + 1e-12
    return Hygiene(
        float(np.abs(audio[:, -1]).max()),
        float(means.max()),
        float(np.median(means)),
        float(np.nanmedian(ripples)) if np.isfinite(ripples).any() else float("nan"),
        float(np.mean([swell_db(one) > _SWELL_DB for one in audio])),
        float(np.median(peak / rms)),
        float(np.exp(medians["pitch"])),
        float(np.exp(medians["length"])),
        float(20 * np.log10(max(np.exp(medians["click"]) - 1e-3, 1e-6))),
        bool(np.isfinite(audio).all()),
    )
