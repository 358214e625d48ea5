"""The renderer of kick codes in NumPy: the reference of the engine, and what training uses.

It follows `docs/decisions/0014-the-kick-code.md` line by line.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick import code as layout
from neurdsp.kick.code import KickCode
from neurdsp.kick.counted import uniform

__all__ = ["LAYERS", "RATE", "ceiling", "render"]

Floats = NDArray[np.float32]
RATE = 44_100
"""The rate of the noise layers in Hz."""
CEILING = 10 ** (-1 / 20)
LAYERS = ("partials", "transient", "low", "noise", "fine")
"""The parts of a code that `render` can make alone."""
TRANSIENT_SAMPLES = 794
LOW_BINS = (*range(1, 11), 12, 14, 16, 18, 21, 24)
ATTACK_SECONDS = 0.018


def mel_centres(n_bands: int, low_hz: float) -> NDArray[np.float64]:
    mel = 2595 * np.log10(1 + np.array([low_hz, RATE / 2]) / 700)
    return np.linspace(mel[0], mel[1], n_bands + 2)[1:-1]


def _spread(bins: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear interpolation from bands to bins, as a matrix bins x bands."""
    return np.stack([np.interp(bins, centres, row) for row in np.eye(len(centres))], axis=1)


@functools.cache
def spreads() -> dict[str, tuple[int, int, Floats]]:
    """Return frame, hop and the matrix bins x bands of each layer of noise."""
    made: dict[str, tuple[int, int, Floats]] = {}
    for name, frame, hop, n_bands, low_hz in (
        ("low", 2048, 512, 16, 0),
        ("noise", 512, 128, 32, 300.0),
        ("fine", 64, 16, 8, 1000.0),
    ):
        hertz = RATE * np.arange(frame // 2 + 1) / frame
        if name == "low":
            bands = np.array(LOW_BINS, float)
            matrix = _spread(np.arange(len(hertz), dtype=float), bands)
            matrix[25:] = 0
            matrix *= (1 / np.sqrt(1 + (hertz / 400) ** 8))[:, None]
        else:
            matrix = _spread(2595 * np.log10(1 + hertz / 700), mel_centres(n_bands, low_hz))
            if name == "noise":
                matrix *= (1 / np.sqrt(1 + (400 / np.maximum(hertz, 1e-3)) ** 8))[:, None]
        matrix[0] = matrix[-1] = 0
        made[name] = (frame, hop, matrix.astype(np.float32))
    return made


@functools.cache
def cosines() -> Floats:
    """Return the 256 cosines of the transient at 44,100 Hz, edge included, ``(256, 794)``."""
    n, k = np.arange(TRANSIENT_SAMPLES), np.arange(layout.N_TRANSIENT)[:, None]
    basis = math.sqrt(2 / TRANSIENT_SAMPLES) * np.cos(np.pi * (n + 0.5) * k / TRANSIENT_SAMPLES)
    basis[0] /= math.sqrt(2)
    return (basis * np.minimum(1, (TRANSIENT_SAMPLES - n) / 64)).astype(np.float32)


def gate(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the transient and the fine noise at a time: 1 up to 12 ms, 0 from 18 ms."""
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((seconds - 0.012) / 0.006, 0, 1))


def code_time(seconds: NDArray[np.float64], duration: float, decay: float) -> NDArray[np.float64]:
    """Return the code's time at each time of a kick that is to last ``duration`` seconds."""
    end = ATTACK_SECONDS + (layout.SECONDS - ATTACK_SECONDS) * decay
    if duration > end:
        half = end / 2
        seconds = np.where(seconds > half, half + (seconds - half) * half / (duration - half), seconds)
    return np.where(seconds > ATTACK_SECONDS, ATTACK_SECONDS + (seconds - ATTACK_SECONDS) / decay, seconds)


def _amplitude(levels: NDArray[np.floating], silent: float) -> NDArray[np.floating]:
    return np.asarray(np.maximum(np.exp(levels) - math.exp(silent), 0))


def _shaped(
    cosine: NDArray[np.float64], drive: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    high, low = np.tanh(drive * (1 + bias)), np.tanh(drive * (bias - 1))
    return (np.tanh(drive * (cosine + bias)) - (high + low) / 2) / ((high - low) / 2)


def _partials(
    code: KickCode, t: NDArray[np.float64], u: NDArray[np.float64], rate: float, tune: float
) -> NDArray[np.float64]:
    total = np.zeros(len(t))
    for p in range(layout.N_PARTIALS):
        alive = np.flatnonzero(code.log_a[p] > layout.SILENT_PARTIAL)
        if not len(alive):
            continue
        stop = int(np.searchsorted(u, layout.KNOTS[min(alive[-1] + 1, len(layout.KNOTS) - 1)]))
        time, warped = t[:stop], u[:stop]
        hertz = 2 ** (tune / 12) * np.exp(np.interp(time, layout.KNOTS, code.log_f[p]))
        cycles = np.cumsum(hertz) - 0.5 * hertz - 0.5 * hertz[:1]
        cosine = np.cos(2 * np.pi * cycles / rate + float(code.phase[p]))
        level = _amplitude(np.interp(warped, layout.KNOTS, code.log_a[p]), layout.SILENT_PARTIAL)
        level *= np.clip((0.5 * rate - hertz) / (0.05 * rate), 0, 1)
        if p == 0 and code.drive.max() > 1e-3:
            asked = np.interp(warped, layout.DRIVE_KNOTS, code.drive)
            bias = np.interp(warped, layout.DRIVE_KNOTS, code.bias)
            drive = np.minimum(asked, 6000 / hertz)
            safe = np.maximum(drive, 1e-3)
            points = np.cos(2 * np.pi * np.arange(32) / 32)
            means = _shaped(
                points, np.maximum(code.drive, 1e-3)[:, None].astype(float), code.bias[:, None].astype(float)
            ).mean(1)
            mean = np.interp(warped, layout.DRIVE_KNOTS, means)
            share = np.clip(drive / 0.3, 0, 1)
            cosine = np.where(
                drive < 1e-3, cosine, share * (_shaped(cosine, safe, bias) - mean) + (1 - share) * cosine
            )
        total[:stop] += level * cosine
    return total


@functools.lru_cache(maxsize=32)
def _spectra(key: int, stream: int, frame: int, first: int, n_frames: int) -> NDArray[np.complex64]:
    index = 2 * frame * np.arange(first, first + n_frames)[:, None] + np.arange(frame)[None]
    numbers = uniform(key, stream, index.astype(np.uint32))
    pairs = np.zeros((n_frames, frame // 2 + 1), np.complex64)
    pairs[:, : frame // 2] = numbers[:, 0::2] + 1j * numbers[:, 1::2]
    return pairs * np.float32(math.sqrt(frame / 3))


def noise_frames(levels: Floats, name: str) -> Floats:
    """Return amplitudes of the bins of frames from levels of the bands."""
    return _amplitude(levels, layout.SILENT_NOISE).astype(np.float32) @ spreads()[name][2].T


def _noise(
    levels: Floats,
    knots: NDArray[np.float64],
    name: str,
    key: int,
    n_samples: int,
    duration: float,
    decay: float,
) -> Floats:
    stream = {"low": 1, "noise": 2, "fine": 3}[name]
    frame, hop, spread = spreads()[name]
    n_frames = 52 if name == "fine" else n_samples // hop + 2
    centre = np.maximum(0, (np.arange(n_frames) - 1) * hop / RATE)
    time = centre if name == "fine" else code_time(centre, duration, decay)
    at = np.stack([np.interp(time, knots, band) for band in levels.T], axis=1)
    loud = np.flatnonzero(at.max(1) > layout.SILENT_NOISE)
    out = np.zeros(n_samples + 2 * frame, np.float32)
    if not len(loud):
        return out[:n_samples]
    n_frames = int(loud[-1]) + 1
    bins = _amplitude(at[:n_frames], layout.SILENT_NOISE).astype(np.float32) @ spread.T
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype(np.float32)
    made = (
        np.fft.irfft(_spectra(key, stream, frame, 0, n_frames) * bins, n=frame, axis=1).astype(np.float32)
        * window
    )
    # Sample 0 of the output is sample `frame / 2 + hop` of this buffer: frame -1 begins there at 0.
    buffer = np.zeros((n_frames + frame // hop, hop), np.float32)
    for part in range(frame // hop):
        buffer[part : part + n_frames] += made[:, part * hop : (part + 1) * hop]
    flat = buffer.reshape(-1)[frame // 2 + hop :][:n_samples]
    out[: len(flat)] = flat
    return out[:n_samples]


def _at_rate(noise: Floats, n: int, rate: float) -> NDArray[np.float64]:
    """Resample the layers of noise from 44,100 Hz by a windowed sine cardinal."""
    if rate == RATE:
        return noise[:n].astype(float)
    cutoff = min(1.0, rate / RATE)
    position = np.arange(n) * (RATE / rate)
    half = math.ceil(16 / cutoff)
    padded = np.concatenate([np.zeros(half), noise, np.zeros(2 * half + 2)])
    whole = np.floor(position).astype(int)
    total = np.zeros(n)
    for offset in range(-half, half + 2):
        distance = (position - (whole + offset)) * cutoff
        window = np.where(
            np.abs(distance) < 16, np.i0(8 * np.sqrt(np.maximum(0, 1 - (distance / 16) ** 2))) / np.i0(8.0), 0
        )
        index = np.clip(whole + offset + half, 0, len(padded) - 1)
        total += padded[index] * cutoff * np.sinc(distance) * window
    return total


def render(
    code: KickCode,
    key: int,
    *,
    length: int = 88_200,
    sample_rate: int = RATE,
    tune: float = 0.0,
    decay: float = 1.0,
    level: bool = True,
    layers: tuple[str, ...] = LAYERS,
) -> Floats:
    """Render one code.

    Parameters
    ----------
    code
        One code, in canonical form.
    key
        The key of its noise; see `neurdsp.kick.counted.kick_key`.
    length
        Samples.
    sample_rate
        In Hz.
    tune
        Semitones by which the partials are moved.
    decay
        By how much everything after the first 18 ms is stretched.
    level
        Whether the peak is brought to -1 dBFS, and what stays 60 dB below it fades to nothing.
    layers
        The parts to render.

    Returns
    -------
    ndarray of float32
        ``(length,)``; the last sample is 0.

    Examples
    --------
    >>> from neurdsp.kick.code import KickCode
    >>> float(abs(render(KickCode.silent(), 1, length=1000)).max())
    0.0
    """
    duration = length / sample_rate
    t = np.arange(length) / sample_rate
    u = code_time(t, duration, decay)
    total = np.zeros(length)
    if "partials" in layers:
        total += _partials(code, t, u, sample_rate, tune)
    if "transient" in layers:
        n = min(length, math.ceil(ATTACK_SECONDS * sample_rate))
        if sample_rate == RATE:
            n = min(n, TRANSIENT_SAMPLES)
            total[:n] += (code.transient @ cosines())[:n]
        else:
            position = np.arange(n) * (RATE / sample_rate)
            k = np.arange(layout.N_TRANSIENT)[:, None]
            basis = math.sqrt(2 / TRANSIENT_SAMPLES) * np.cos(
                np.pi * (position + 0.5) * k / TRANSIENT_SAMPLES
            )
            basis[0] /= math.sqrt(2)
            basis[k[:, 0] * RATE / (2 * TRANSIENT_SAMPLES) > sample_rate / 2] = 0
            total[:n] += (code.transient @ basis) * np.clip((TRANSIENT_SAMPLES - position) / 64, 0, 1)
    n_noise = math.ceil(duration * RATE) + (0 if sample_rate == RATE else 64)
    noise = np.zeros(n_noise, np.float32)
    share = gate(np.arange(min(n_noise, TRANSIENT_SAMPLES + 64)) / RATE).astype(np.float32)
    for name, knots in (
        ("low", layout.LOW_KNOTS),
        ("noise", layout.NOISE_KNOTS),
        ("fine", layout.FINE_KNOTS),
    ):
        if name not in layers:
            continue
        made = _noise(getattr(code, name), knots, name, key, n_noise, duration, decay)
        if name == "fine":
            made[: len(share)] *= share
            made[len(share) :] = 0
        else:
            made[: len(share)] *= 1 - share
        noise += made
    if noise.any():
        total += _at_rate(noise, length, sample_rate)
    closing = min(length / 4, 0.005 * sample_rate)
    left = length - 1 - np.arange(length)
    total *= np.where(left < closing, 0.5 - 0.5 * np.cos(np.pi * left / closing), 1)
    return ceiling(total) if level else total.astype(np.float32)


def ceiling(audio: NDArray[np.floating]) -> Floats:
    """Bring the peak of audio to -1 dBFS by one gain, and end it where nothing is left to hear.

    What no longer rises above -60 dB of the peak fades, and is nothing from -66 dB on. Silence stays silent.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if not peak > 0:
        return audio.astype(np.float32)
    levelled = audio * (CEILING / peak)
    to_come = np.maximum.accumulate(np.abs(levelled)[::-1])[::-1] / CEILING
    return np.asarray(levelled * np.clip((to_come - 5e-4) / 5e-4, 0, 1), np.float32)
