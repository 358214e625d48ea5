"""What happens to stems on their way into a mixture, each in a way that keeps them exact."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import fft, signal

from neurdsp.drumsep.data.recordings import SAMPLE_RATE

__all__ = ["Room", "Spectrum", "bus_gain", "coded", "draw_room", "equaliser", "saturated"]

Array = NDArray[np.float32]

_OCTAVES = np.linspace(-7, 4.5, 128)
"""Octaves about 1 kHz at which equalisers are drawn."""


@dataclass(frozen=True)
class Spectrum:
    """Lengths and bins of the transforms that filter whole stems.

    Parameters
    ----------
    n_samples
        Of a stem.
    n_fft
        At least as many, and the longest room besides.
    """

    n_samples: int
    n_fft: int
    octaves: Array

    @classmethod
    def of(cls, n_samples: int, tail_s: float = 0.5) -> "Spectrum":
        """Return the transforms for stems of a length; what is longer than the tail wraps around."""
        n_fft = fft.next_fast_len(n_samples + round(tail_s * SAMPLE_RATE), real=True)
        hertz = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE) + 1
        return cls(n_samples, n_fft, np.log2(hertz / 1000).astype(np.float32))

    def filtered(self, x: Array, response: NDArray[np.generic]) -> Array:
        """Return ``x (channels, n_samples)`` times a response ``(n_bins,)`` or ``(channels, n_bins)``."""
        bins = fft.rfft(x, self.n_fft, axis=-1) * response
        return np.asarray(fft.irfft(bins, self.n_fft, axis=-1)[..., : self.n_samples], np.float32)


def equaliser(rng: np.random.Generator, spectrum: Spectrum, strength: float = 1.0) -> Array:
    """Draw a magnitude response: a tilt and two broad bells, at most 18 dB."""
    db = rng.normal(0, 1.5 * strength) * np.clip(_OCTAVES, -4, 4)
    for _ in range(2):
        bell = (_OCTAVES - rng.uniform(-4, 4)) / rng.uniform(0.3, 1.5)
        db = db + rng.normal(0, 4 * strength) * np.exp(-(bell**2))
    gains = (10 ** (np.clip(db, -18, 18) / 20)).astype(np.float32)
    return np.asarray(np.interp(spectrum.octaves, _OCTAVES, gains), np.float32)


@dataclass(frozen=True)
class Room:
    """The reverberation of a mixture: ``response (channels, n_bins)`` of unit energy."""

    response: NDArray[np.complex64]


def draw_room(rng: np.random.Generator, spectrum: Spectrum, channels: int) -> Room:
    """Draw a room: a few early reflections and decaying noise that darkens, different in each channel."""
    length = round(rng.uniform(0.05, 0.45) * SAMPLE_RATE)
    time = np.arange(length) / length
    tail = rng.standard_normal((channels, length), np.float32) * np.exp(-6.9 * time).astype(np.float32)
    dark = rng.uniform(0.1, 0.75)
    tail = signal.lfilter([1 - dark], [1, -dark], tail, axis=-1)
    early = round(rng.uniform(0.001, 0.02) * SAMPLE_RATE)
    for _ in range(rng.integers(0, 7)):
        at = min(length - 1, round(early * rng.uniform(0.2, 4)))
        tail[rng.integers(channels), at] += rng.normal(0, 4)
    together = rng.uniform(0, 0.5)
    tail = (1 - together) * tail + together * tail.mean(axis=0)
    delayed = np.zeros((channels, spectrum.n_fft), np.float32)
    ahead = round(rng.uniform(0, 0.015) * SAMPLE_RATE)
    room = tail[:, : spectrum.n_fft - ahead]
    delayed[:, ahead : ahead + room.shape[-1]] = room / np.sqrt((room**2).sum() / channels + 1e-12)
    return Room(np.asarray(fft.rfft(delayed, axis=-1), np.complex64))


def saturated(x: Array, drive_db: float) -> Array:
    """Return a stem through a soft clipper; its peak stays."""
    peak = np.float32(np.abs(x).max() + 1e-9)
    drive = np.float32(10 ** (drive_db / 20))
    return np.asarray(np.tanh(x * (drive / peak)) * (peak / np.tanh(drive)), np.float32)


def bus_gain(rng: np.random.Generator, mixture: Array) -> Array:
    """Draw the gain curve of a compressor on a mixture, ``(n_samples,)``; all stems get the same.

    It follows the peaks of blocks of 10 ms, with an attack of 3 to 30 ms and a release of 50 to 300 ms.
    """
    block = 441
    n_samples = mixture.shape[-1]
    n_blocks = -(-n_samples // block)
    level = np.zeros(n_blocks * block, np.float32)
    level[:n_samples] = np.abs(mixture).max(axis=0)
    attack, release = np.exp(-1 / rng.uniform(0.3, 3)), np.exp(-1 / rng.uniform(5, 30))
    state, envelope = 0.0, np.empty(n_blocks)
    for index, peak in enumerate(level.reshape(n_blocks, block).max(axis=1).tolist()):
        keep = attack if peak > state else release
        state = keep * state + (1 - keep) * peak
        envelope[index] = state
    threshold = np.quantile(envelope, 0.6) + 1e-6
    gain = np.minimum(1, (np.maximum(envelope, 1e-6) / threshold) ** -rng.uniform(0.2, 0.7))
    at = np.arange(n_samples)
    return np.asarray(np.interp(at, np.arange(n_blocks) * block + block / 2, gain), np.float32)


def coded(mixture: Array, quality: float) -> Array:
    """Return a mixture through an MP3 encoder and decoder, aligned with itself.

    Parameters
    ----------
    mixture
        ``(channels, n_samples)``.
    quality
        From 0, the highest bit rate, to 1, the lowest.
    """
    buffer = BytesIO()
    peak = np.float32(max(1.0, float(np.abs(mixture).max())))
    soundfile.write(
        buffer,
        (mixture / peak).T,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=quality,
    )
    buffer.seek(0)
    decoded = soundfile.read(buffer, dtype="float32", always_2d=True)[0].T * peak
    n_samples = mixture.shape[-1]
    # Decoders that do not know the delay of the encoder leave it in: find it.
    padded = np.zeros((len(mixture), n_samples + 4096), np.float32)
    take = min(decoded.shape[-1], padded.shape[-1])
    padded[:, :take] = decoded[:, :take]
    n_fft = fft.next_fast_len(n_samples + 4096, real=True)
    product = fft.rfft(padded.sum(0), n_fft) * np.conj(fft.rfft(mixture.sum(0), n_fft))
    lag = int(np.argmax(fft.irfft(product, n_fft)[:4096]))
    return padded[:, lag : lag + n_samples]
