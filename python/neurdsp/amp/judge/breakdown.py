"""Where an error lies: its ratio to the target by octaves of frequency and by steps of level."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray
from neurdsp.dsp import stft

__all__ = ["BANDS_HZ", "LEVELS_DB", "Breakdown", "Slice"]

BANDS_HZ = (0.0, 80.0, 160.0, 320.0, 640.0, 1_280.0, 2_560.0, 5_120.0, 10_240.0)
"""Lower edges of the bands; the last band ends at half the sample rate."""

LEVELS_DB = (-96.0, -60.0, -48.0, -36.0, -24.0, -12.0)
"""Lower edges of the steps, in dBFS RMS of 50 ms frames of the target; softer frames count as silence."""

_N_FFT = 4_096
_FRAME_S = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """One band or step: its edges, its share of the target's energy, and its error-to-signal ratio."""

    low: float
    high: float
    share: float
    esr: float | None


class Breakdown:
    """Splits target and error by frequency and by level, for signals that come block by block.

    Parameters
    ----------
    sample_rate
        In Hz.

    Examples
    --------
    >>> breakdown = Breakdown(48_000)
    >>> tone = np.sin(2 * np.pi * 1_000 / 48_000 * np.arange(48_000)).astype(np.float32)
    >>> breakdown.update(tone, 0.9 * tone)
    >>> round(breakdown.bands()[4].esr, 4), round(breakdown.levels()[-1].esr, 4)
    (0.01, 0.01)
    """

    def __init__(self, sample_rate: float) -> None:
        self._rate = sample_rate
        self._frame = max(1, round(_FRAME_S * sample_rate))
        self._power = np.zeros((2, _N_FFT // 2 + 1))  # target, residual
        self._steps = np.zeros((2, len(LEVELS_DB)))
        self._pending: FloatArray = np.zeros((2, 0), np.float32)
        self._rest: FloatArray = np.zeros((2, 0), np.float32)

    def update(self, target: FloatArray, predicted: FloatArray) -> None:
        """Add the next samples of both signals, ``(n,)`` each."""
        pair = np.stack([target, target - predicted])
        self._sort_levels(np.concatenate([self._rest, pair], axis=1))
        pending = np.concatenate([self._pending, pair], axis=1)
        n_frames = (pending.shape[1] - _N_FFT) // (_N_FFT // 2) + 1
        if n_frames > 0:
            self._add_spectra(pending[:, : (n_frames - 1) * (_N_FFT // 2) + _N_FFT])
            pending = pending[:, n_frames * (_N_FFT // 2) :]
        self._pending = pending

    def _sort_levels(self, pair: FloatArray) -> None:
        n = pair.shape[1] // self._frame
        frames = pair[:, : n * self._frame].reshape(2, n, self._frame)
        energy = np.sum(np.square(frames, dtype=np.float64), axis=2)  # (2, n)
        level_db = 10 * np.log10(energy[0] / self._frame + 1e-30)
        step = np.searchsorted(LEVELS_DB, level_db, side="right") - 1
        for which in range(2):
            np.add.at(self._steps[which], step[step >= 0], energy[which][step >= 0])
        self._rest = pair[:, n * self._frame :]

    def _add_spectra(self, pair: FloatArray) -> None:
        spectrum = stft(np.ascontiguousarray(pair), n_fft=_N_FFT, hop_length=_N_FFT // 2, center=False)
        self._power += np.sum(np.square(np.abs(spectrum), dtype=np.float64), axis=2)

    def bands(self) -> list[Slice]:
        """Return the bands, with edges in Hz."""
        power = self._power
        if not power.any() and self._pending.shape[1]:
            self._add_spectra(np.pad(self._pending, ((0, 0), (0, _N_FFT - self._pending.shape[1]))))
        hz = np.arange(power.shape[1]) * self._rate / _N_FFT
        which = np.searchsorted(BANDS_HZ, hz, side="right") - 1
        sums = np.stack([np.bincount(which, row, len(BANDS_HZ)) for row in power]).astype(np.float64)
        return _slices(sums, BANDS_HZ, self._rate / 2)

    def levels(self) -> list[Slice]:
        """Return the steps of level, with edges in dBFS RMS."""
        return _slices(self._steps, LEVELS_DB, 3.0)


def _slices(sums: npt.NDArray[np.float64], edges: tuple[float, ...], top: float) -> list[Slice]:
    total = max(float(sums[0].sum()), 1e-30)
    return [
        Slice(low, high, float(target) / total, float(error / target) if target > 1e-12 * total else None)
        for low, high, target, error in zip(edges, (*edges[1:], top), sums[0], sums[1], strict=True)
        if low < top
    ]
