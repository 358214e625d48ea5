"""The signal to play into a device: three minutes that cover its behaviour and check themselves.

==========  =========  ===================================================================================
from (s)    length     content and purpose
==========  =========  ===================================================================================
0           3          four blips in silence: latency to the sample, noise floor, impulse response
3           9          playing that is repeated at the end: has the device changed in three minutes?
12          9          sweeps from 20 Hz to 20 kHz at three levels: all frequencies, harmonics, aliasing
21          12         multisines at twelve levels: intermodulation, as from chords
33          12         noise, white and guitar-coloured, swelling and fading: all levels, all frequencies
45          12         tones in level steps: the static curve, bias shift, sag after a jump
57          3          silence: recovery from loud tones, hum
60          110.5      played phrases, the purpose of the model: five styles from -30 to -1 dBFS
170.5       9          the playing from second 3 again, for validation: it is not trained on
179.5       0.5        silence, so that a delayed output is complete
==========  =========  ===================================================================================

The blips are unequally spaced, so that all of them coincide only at the true lag.
"""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.amp.capture.pluck import Phrase, phrase
from neurdsp.audio import FloatArray, check_sample_rate, write_audio
from neurdsp.errors import ParameterError

__all__ = ["LAYOUT", "Layout", "capture_signal", "validation_passage", "write_capture_signal"]


@dataclass(frozen=True)
class Layout:
    """Positions in the capture signal, in seconds.

    Parameters
    ----------
    blips
        Positions of single samples in silence.
    blip_level
        Their amplitude.
    repeat, validation
        ``(start, stop)`` of the two equal passages.
    seconds
        Length of the signal.
    """

    blips: tuple[float, ...] = (0.5, 1.0, 1.6, 2.3)
    blip_level: float = 0.9
    repeat: tuple[float, float] = (3.0, 12.0)
    validation: tuple[float, float] = (170.5, 179.5)
    seconds: float = 180.0


LAYOUT = Layout()

_STYLES = ("riff", "lead", "chords", "arpeggio", "lead", "riff", "bass", "chords")
_PEAKS_DB = (-1.0, -6.0, -12.0, -3.0, -18.0, -8.0, -30.0, -4.0, -14.0, -2.0, -22.0)
_SCALES = ("minor pentatonic", "dorian", "major")


def capture_signal(sample_rate: int = 48_000, *, seed: int = 1) -> FloatArray:
    """Make the capture signal.

    Parameters
    ----------
    sample_rate
        In Hz, 32,000 to 192,000; also the sample rate of the model.
    seed
        Of the noise and the notes; the same seed gives the same samples.

    Returns
    -------
    ndarray of float32, shape (180 * sample_rate,)
        Within -1 and 1.

    Raises
    ------
    ParameterError
        If the rate is out of range.

    Examples
    --------
    >>> signal = capture_signal(48_000)  # doctest: +SKIP
    >>> signal.size / 48_000  # doctest: +SKIP
    180.0
    """
    rate = check_sample_rate(sample_rate)
    if not 32_000 <= rate <= 192_000 or rate != int(rate):
        raise ParameterError(
            f"sample_rate is {sample_rate!r}, but it must be a whole number from 32000 to 192000 Hz"
        )
    rng = np.random.default_rng((seed, 0))
    blips = _silence(3.0, rate)
    blips[[round(t * rate) for t in LAYOUT.blips]] = LAYOUT.blip_level
    validation = validation_passage(rate, seed=seed)
    parts = [blips, validation]
    parts += [_sweep(3.0, peak_db, rate) for peak_db in (-1.0, -15.0, -30.0)]
    parts += [
        _multisine(peak_db, rate, rng) for peak_db in (-1, -20, -8, -30, -3, -14, -40, -6, -24, -2, -11, -17)
    ]
    parts += [_swell(2.0, low_db, high_db, tilt, rate, rng) for low_db, high_db, tilt in _SWELLS]
    parts += [_steps(hz, rate) for hz in (82.4, 164.8, 329.6, 659.3, 1318.5, 2637.0)]
    parts.append(_silence(3.0, rate))
    parts += _playing(rate, np.random.default_rng((seed, 2)))
    parts += [validation, _silence(0.5, rate)]
    return np.concatenate(parts)


def write_capture_signal(
    path: str | os.PathLike[str], sample_rate: int = 48_000, *, seed: int = 1
) -> FloatArray:
    """Write the capture signal as 24-bit PCM, which every player supports, and return it.

    Raises
    ------
    AudioFileError
        If the file cannot be written.

    Examples
    --------
    >>> write_capture_signal("in.wav")  # doctest: +SKIP
    """
    signal = capture_signal(sample_rate, seed=seed)
    write_audio(path, signal, sample_rate, subtype="PCM_24")
    return signal


def _silence(seconds: float, rate: float) -> FloatArray:
    return np.zeros(round(seconds * rate), np.float32)


def _faded(signal: npt.NDArray[np.float64], rate: float, fade_s: float = 0.005) -> FloatArray:
    """Fade both ends, so that joined parts do not click."""
    n = round(fade_s * rate)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
    signal[:n] *= ramp
    signal[-n:] *= ramp[::-1]
    return signal.astype(np.float32)


def _sweep(seconds: float, peak_db: float, rate: float) -> FloatArray:
    """Make an exponential sweep from 20 Hz to 20 kHz (or 0.45 of the rate), after A. Farina, 2000."""
    high_hz = min(20_000.0, 0.45 * rate)
    octaves = np.log(high_hz / 20)
    time_s = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * 20 * seconds / octaves * np.expm1(time_s * octaves / seconds)
    return _faded(10 ** (peak_db / 20) * np.sin(phase), rate, 0.02)


def _multisine(peak_db: float, rate: float, rng: np.random.Generator) -> FloatArray:
    """Make one second of 40 tones from 40 Hz to 10 kHz, at -3 dB per octave and random phases."""
    hz = 40.0 * (10_000 / 40.0) ** ((np.arange(40) + rng.random(40)) / 40)
    time_s = np.arange(round(rate)) / rate
    signal = np.zeros(time_s.size)
    for frequency, phase in zip(hz, rng.uniform(0, 2 * np.pi, hz.size), strict=True):
        signal += frequency**-0.5 * np.sin(2 * np.pi * frequency * time_s + phase)
    return _faded(signal * (10 ** (peak_db / 20) / np.abs(signal).max()), rate)


_SWELLS = ((-50, -1, -3), (-1, -50, -3), (-50, -6, 0), (-6, -50, 0), (-30, -1, -6), (-1, -60, -6))
"""First and last peak level (dBFS) of each noise, and its tilt (dB per octave)."""


def _swell(
    seconds: float, from_db: float, to_db: float, tilt_db: float, rate: float, rng: np.random.Generator
) -> FloatArray:
    n = round(seconds * rate)
    hz = np.fft.rfftfreq(n, 1 / rate)
    shape = np.maximum(hz, 80.0) ** (tilt_db / 6.02) * (hz > 20) / (1 + (hz / 12_000) ** 8)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n)
    # Four standard deviations fit under the peak; rare larger samples are compressed softly.
    noise = np.tanh(noise / (4 * noise.std()) * 1.2) / np.tanh(1.2)
    noise /= np.abs(noise).max()
    return _faded(noise * 10 ** (np.linspace(from_db, to_db, n) / 20), rate)


def _steps(frequency_hz: float, rate: float) -> FloatArray:
    """Make a tone at ten levels in irregular order, 0.2 s each, without pauses."""
    levels_db = (-50, -1, -40, -6, -30, -12, -50, -3, -20, -60)
    n = round(0.2 * rate)
    edge = round(0.002 * rate)
    gain = np.repeat(10 ** (np.array(levels_db) / 20), n)
    smooth = np.convolve(np.pad(gain, edge, mode="edge"), np.ones(2 * edge + 1) / (2 * edge + 1), "valid")
    return _faded(smooth * np.sin(2 * np.pi * frequency_hz * np.arange(gain.size) / rate), rate)


def validation_passage(rate: float, *, seed: int = 1) -> FloatArray:
    """Make nine seconds in another key than the rest: soft and loud, single notes and chords.

    Parameters
    ----------
    rate
        In Hz.
    seed
        Of the whole signal.

    Returns
    -------
    ndarray of float32, shape (9 * rate,)
        What the signal of that seed holds at `Layout.repeat` and `Layout.validation`.
    """
    rng = np.random.default_rng((seed, 1))
    phrases = (
        Phrase("lead", 2.5, -4.0, root=6, scale="dorian", tempo_bpm=126),
        Phrase("chords", 2.5, -2.0, root=1, scale="major", tempo_bpm=98),
        Phrase("arpeggio", 2.0, -16.0, root=8, tempo_bpm=117),
        Phrase("riff", 2.0, -1.0, root=1, tempo_bpm=151),
    )
    return np.concatenate([phrase(what, rate, rng) for what in phrases])


def _playing(rate: float, rng: np.random.Generator) -> list[FloatArray]:
    """Make 22 phrases of five seconds, each style at several levels, and half a second of silence."""
    parts = []
    for index in range(22):
        what = Phrase(
            _STYLES[index % len(_STYLES)],
            5.0,
            _PEAKS_DB[index % len(_PEAKS_DB)],
            root=int(rng.integers(0, 12)),
            scale=_SCALES[int(rng.integers(len(_SCALES)))],
            tempo_bpm=float(rng.uniform(80, 160)),
        )
        parts.append(phrase(what, rate, rng))
    return [*parts, _silence(0.5, rate)]
