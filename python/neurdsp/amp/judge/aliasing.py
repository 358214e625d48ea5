"""How much a model folds back: a sine goes in, and what comes out beside its harmonics is aliasing.

The measure is the aliasing-to-signal ratio: the energy that is on no harmonic, relative to the energy on
harmonics ("Aliasing Reduction in Neural Amp Modeling by Smoothing Activations", arXiv 2505.04082, which
finds both in a transform of prime length; here a window keeps them apart).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurdsp.audio import FloatArray
from neurdsp.metrics.level import power_to_db

__all__ = ["PROBES_HZ", "AliasingResult", "measure_aliasing"]

PROBES_HZ = (1_249, 2_503, 4_999)
"""Primes, so that no folded harmonic falls on a true one at the usual sample rates."""

_LEVEL_DBFS = -12.0
_SETTLE_S = 0.5
_MAIN_LOBE = 4  # bins of a Blackman-Harris window on each side


@dataclass(frozen=True, slots=True)
class AliasingResult:
    """Aliasing-to-signal ratio of one probe: its frequency, its level, the ratio in dB (lower is better)."""

    frequency_hz: float
    level_db: float
    asr_db: float


def measure_aliasing(
    render: Callable[[FloatArray], FloatArray],
    *,
    sample_rate: float,
    level_db: float = _LEVEL_DBFS,
) -> list[AliasingResult]:
    """Drive a model with sines.

    Parameters
    ----------
    render
        Takes the input ``(n_samples,)`` and returns as many samples of output.
    sample_rate
        In Hz.
    level_db
        Peak of the sines, dBFS.

    Returns
    -------
    list of AliasingResult
        One for each of :data:`PROBES_HZ` that is under a quarter of the sample rate.

    Examples
    --------
    >>> hard = measure_aliasing(lambda x: np.clip(8 * x, -1, 1), sample_rate=48_000)
    >>> soft = measure_aliasing(lambda x: np.tanh(x), sample_rate=48_000)
    >>> hard[2].asr_db > -30 and soft[2].asr_db < -70
    True
    """
    n = round(sample_rate)  # one second: bins are 1 Hz apart and the probes lie on bins
    settle = round(_SETTLE_S * sample_rate)
    time = np.arange(settle + n)
    phase = 2 * np.pi * np.arange(n) / n
    window = 0.35875 - 0.48829 * np.cos(phase) + 0.14128 * np.cos(2 * phase) - 0.01168 * np.cos(3 * phase)
    results = []
    for frequency_hz in PROBES_HZ:
        if frequency_hz > sample_rate / 4:
            continue
        sine = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time / sample_rate)
        output = render(sine.astype(np.float32))[settle:].astype(np.float64)
        power = np.abs(np.fft.rfft(window * (output - output.mean()))) ** 2
        bins = np.arange(power.size)
        nearest = np.round(bins / frequency_hz) * frequency_hz
        harmonic = (np.abs(bins - nearest) <= _MAIN_LOBE) & (nearest > 0)
        offset = bins <= _MAIN_LOBE  # the device's bias is neither
        signal = float(power[harmonic].sum())
        folded = float(power[~harmonic & ~offset].sum())
        ratio_db = power_to_db(folded / signal) if signal > 0 else 0.0
        results.append(AliasingResult(float(frequency_hz), level_db, ratio_db))
    return results
