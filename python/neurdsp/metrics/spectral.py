"""Multi-resolution spectral distance, computed block by block with neurdsp's STFT."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray
from neurdsp.dsp import stft
from neurdsp.errors import ParameterError
from neurdsp.metrics.error import check_pair

__all__ = ["RESOLUTIONS", "Resolution", "SpectralAccumulator", "multi_resolution_stft_distance"]

# Powers below this count as this much, so that the logarithm of silence stays finite.
_POWER_FLOOR = 1e-8
_BLOCK_SAMPLES = 65_536


@dataclass(frozen=True, slots=True)
class Resolution:
    """An STFT with a Hann window: samples per frame, and samples from frame to frame."""

    n_fft: int
    hop_length: int


#: Short frames for attacks, long ones for tone; the hop is a quarter of a frame.
RESOLUTIONS = (Resolution(512, 128), Resolution(1024, 256), Resolution(2048, 512))


class SpectralAccumulator:
    """Spectral distance of two signals at one resolution, computed block by block.

    Parameters
    ----------
    resolution : Resolution
        Frame and hop in samples.
    """

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution
        # Half a frame of zeros on both sides, as in a centred STFT, so that all samples have equal weight.
        self._pending = np.zeros((2, resolution.n_fft // 2), np.float32)  # (target and predicted, n)
        self._difference_energy = 0.0
        self._target_energy = 0.0
        self._log_sum = 0.0
        self._n_bins = 0

    def update(self, target: FloatArray, predicted: FloatArray) -> None:
        """Add the next samples of both signals, of shape (n,) each."""
        n_fft, hop = self._resolution.n_fft, self._resolution.hop_length
        pending = np.concatenate([self._pending, np.stack([target, predicted])], axis=1)
        n_frames = 1 + (pending.shape[1] - n_fft) // hop
        if n_frames <= 0:
            self._pending = pending
            return
        frames = pending[:, : (n_frames - 1) * hop + n_fft]
        spectrum = stft(np.ascontiguousarray(frames), n_fft=n_fft, hop_length=hop, center=False)
        power = np.square(spectrum.real) + np.square(spectrum.imag)  # (2, n_bins, n_frames)
        magnitude = np.sqrt(np.maximum(power, np.float32(_POWER_FLOOR)))
        difference = magnitude[0] - magnitude[1]
        ratio = np.log(magnitude[0] / magnitude[1])
        self._difference_energy += float(np.sum(np.square(difference), dtype=np.float64))
        self._target_energy += float(np.sum(np.square(magnitude[0]), dtype=np.float64))
        self._log_sum += float(np.sum(np.abs(ratio), dtype=np.float64))
        self._n_bins += difference.size
        self._pending = pending[:, n_frames * hop :]

    def finish(self) -> float:
        """Return spectral convergence plus mean absolute log-magnitude difference of the samples so far."""
        end = copy.copy(self)
        tail = np.zeros(self._resolution.n_fft // 2, np.float32)
        end.update(tail, tail)
        convergence = float(np.sqrt(end._difference_energy / end._target_energy))
        return convergence + end._log_sum / end._n_bins


def multi_resolution_stft_distance(
    target: npt.ArrayLike, predicted: npt.ArrayLike, *, resolutions: Sequence[Resolution] = RESOLUTIONS
) -> float:
    """Return spectral convergence plus log-magnitude distance, averaged over STFT resolutions.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.
    resolutions : sequence of Resolution
        By default frames of 512, 1024 and 2048 samples.

    Returns
    -------
    float
        0 for equal signals. Convergence is the Frobenius norm of the difference of the magnitudes, relative
        to the norm of the target's; the other term is the mean of ``|ln(target) - ln(predicted)|`` over all
        bins.

    Raises
    ------
    ParameterError
        If either signal is empty, not mono, not finite or of another length, or ``resolutions`` is empty.

    Notes
    -----
    R. Yamamoto, E. Song and J.-M. Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 6. Powers below 1e-8
    count as 1e-8. Long signals are processed in blocks, which do not change the result.

    Examples
    --------
    >>> tone = np.sin(np.arange(4_800) / 10).astype(np.float32)
    >>> multi_resolution_stft_distance(tone, tone)
    0.0
    """
    a, b = check_pair(target, predicted)
    if not resolutions:
        raise ParameterError("resolutions is empty; give at least one Resolution(n_fft, hop_length)")
    distances = []
    for resolution in resolutions:
        accumulator = SpectralAccumulator(resolution)
        for start in range(0, a.size, _BLOCK_SAMPLES):
            accumulator.update(a[start : start + _BLOCK_SAMPLES], b[start : start + _BLOCK_SAMPLES])
        distances.append(accumulator.finish())
    return float(np.mean(distances))
