"""All metrics of a prediction in one pass over blocks, so that memory does not grow with the length."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray
from neurdsp.errors import ParameterError
from neurdsp.metrics.alignment import correlate
from neurdsp.metrics.error import PRE_EMPHASIS, check_pair
from neurdsp.metrics.level import amplitude_to_db, power_to_db
from neurdsp.metrics.spectral import RESOLUTIONS, SpectralAccumulator

__all__ = ["Comparison", "ComparisonResult"]

# The lag is estimated from the beginning of the signals: over twenty seconds at 48 kHz.
_LAG_SAMPLES = 2**20
_MAX_LAG_SAMPLES = 1024

# Signals that correlate less than this at the best lag do not resemble each other: their sign says nothing.
_ALIKE = 0.3
# Power beside the mean, relative to all, at which a signal counts as constant.
_CONSTANT = 1e-9


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """How close a prediction is to its target.

    Attributes
    ----------
    n_samples : int
        Samples compared.
    esr, pre_emphasised_esr : float
        Error-to-signal ratios; see `neurdsp.metrics.esr`.
    null_depth_db : float
        ``esr`` in dB; minus infinity for equal signals.
    stft_distance : float
        See `neurdsp.metrics.multi_resolution_stft_distance`.
    target_rms_db, predicted_rms_db, target_peak_db, predicted_peak_db : float
        Levels in dB relative to 1.0.
    target_dc, predicted_dc : float
        DC offsets.
    best_gain_db : float
        Gain on the prediction, turned over if it is ``inverted``, that minimises the error; NaN if no gain
        does, because the prediction is silent or does not resemble the target.
    best_lag_samples : int or None
        Lag of the prediction behind the target, at most 1024 samples in either direction; None if one of
        them is constant, silence included.
    inverted : bool
        Whether the prediction is like the target with reversed polarity.
    alike : bool
        Whether the prediction resembles the target at all, at any lag and in either polarity.
    predicted_constant : bool
        Whether all samples of the prediction are (nearly) one value, such as silence.
    """

    n_samples: int
    esr: float
    pre_emphasised_esr: float
    null_depth_db: float
    stft_distance: float
    target_rms_db: float
    predicted_rms_db: float
    target_peak_db: float
    predicted_peak_db: float
    target_dc: float
    predicted_dc: float
    best_gain_db: float
    best_lag_samples: int | None
    inverted: bool = False
    alike: bool = True
    predicted_constant: bool = False

    def to_json(self) -> dict[str, float | None]:
        """Return the numbers by name, with None for infinities and NaN, which JSON does not have."""
        return {
            name: value if value is not None and math.isfinite(value) else None
            for name, value in asdict(self).items()
        }


class Comparison:
    """Compares two mono signals block by block.

    Examples
    --------
    >>> comparison = Comparison()
    >>> comparison.update(np.float32([1.0, -1.0]), np.float32([0.5, -0.5]))
    >>> comparison.result().esr
    0.25
    """

    def __init__(self) -> None:
        self._n = 0
        # Energies, sums and peaks of all samples so far, in float64.
        self._energy = np.zeros(3)  # target, residual, predicted
        self._emphasised = np.zeros(2)  # target, residual
        self._product = 0.0
        self._sum = np.zeros(2)  # target, predicted; so are the next two
        self._peak = np.zeros(2)
        self._last = np.zeros(2)
        self._spectra = [SpectralAccumulator(resolution) for resolution in RESOLUTIONS]
        self._lag_blocks: list[npt.NDArray[np.float32]] = []

    def update(self, target: npt.ArrayLike, predicted: npt.ArrayLike) -> None:
        """Add the next samples of both signals, of shape (n,) each.

        Raises
        ------
        ParameterError
            If the blocks differ in length, are not mono or not finite.
        """
        a, b = check_pair(target, predicted)
        if self._n < _LAG_SAMPLES:
            self._lag_blocks.append(np.stack([a, b])[:, : _LAG_SAMPLES - self._n])
        self._n += a.size
        for accumulator in self._spectra:
            accumulator.update(a, b)
        self._update_sums(a, b)

    def _update_sums(self, a: FloatArray, b: FloatArray) -> None:
        pair = np.stack([a, b]).astype(np.float64)  # (2, n)
        residual = pair[0] - pair[1]
        self._energy += [_dot(pair[0], pair[0]), _dot(residual, residual), _dot(pair[1], pair[1])]
        self._product += _dot(pair[0], pair[1])
        self._sum += pair.sum(axis=1)
        self._peak = np.maximum(self._peak, np.abs(pair).max(axis=1))
        before = np.concatenate([self._last[:, None], pair[:, :-1]], axis=1)
        emphasised = pair - PRE_EMPHASIS * before
        difference = emphasised[0] - emphasised[1]
        self._emphasised += [_dot(emphasised[0], emphasised[0]), _dot(difference, difference)]
        self._last = pair[:, -1]

    def result(self) -> ComparisonResult:
        """Return the metrics of all samples so far.

        Raises
        ------
        ParameterError
            If there are no samples, or the target is silent.
        """
        if self._n == 0:
            raise ParameterError("nothing to compare: the signals are empty")
        if self._energy[0] == 0:
            raise ParameterError(
                "target is silent, so an error relative to it is undefined; choose another passage"
            )
        ratio = float(self._energy[1] / self._energy[0])
        gain = self._product / float(self._energy[2]) if self._energy[2] > 0 else 0.0
        lag, likeness = self._best_lag()
        inverted = likeness <= -_ALIKE
        alike = inverted or likeness >= _ALIKE or ratio < 1 - _ALIKE**2
        gain = -gain if inverted else gain
        mean_power = self._sum[1] * self._sum[1] / self._n
        return ComparisonResult(
            n_samples=self._n,
            esr=ratio,
            pre_emphasised_esr=float(self._emphasised[1] / self._emphasised[0]),
            null_depth_db=power_to_db(ratio),
            stft_distance=float(np.mean([accumulator.finish() for accumulator in self._spectra])),
            target_rms_db=power_to_db(float(self._energy[0]) / self._n),
            predicted_rms_db=power_to_db(float(self._energy[2]) / self._n),
            target_peak_db=amplitude_to_db(float(self._peak[0])),
            predicted_peak_db=amplitude_to_db(float(self._peak[1])),
            target_dc=float(self._sum[0]) / self._n,
            predicted_dc=float(self._sum[1]) / self._n,
            best_gain_db=amplitude_to_db(gain) if alike and gain > 0 else math.nan,
            best_lag_samples=lag,
            inverted=inverted,
            alike=alike,
            predicted_constant=bool(self._energy[2] - mean_power <= _CONSTANT * self._energy[2]),
        )

    def _best_lag(self) -> tuple[int | None, float]:
        """Return the lag of the strongest correlation, and the correlation there, -1 to 1."""
        start = np.concatenate(self._lag_blocks, axis=1).astype(np.float64)
        power = np.einsum("cn,cn->c", start, start)
        start -= start.mean(axis=1, keepdims=True)  # an offset correlates at every lag
        varying = np.einsum("cn,cn->c", start, start)
        if (varying <= _CONSTANT * power).any():
            return None, 0.0
        correlation = correlate(start[0], start[1], _MAX_LAG_SAMPLES)
        best = int(np.argmax(np.abs(correlation)))
        return best - _MAX_LAG_SAMPLES, float(correlation[best] / math.sqrt(varying[0] * varying[1]))


def _dot(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    # Not BLAS: it would wake a thread per core and, on a busy machine, wait for the slowest.
    return float(np.einsum("n,n->", a, b))
