"""How much a model aliases: if the input is a sine, all output between its harmonics is aliasing.

The measure is the aliasing-to-signal ratio: the energy between the harmonics, relative to the energy on them
("Aliasing Reduction in Neural Amp Modeling by Smoothing Activations", arXiv 2505.04082, which separates the
two by a transform of prime length; here a window separates them).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurdsp.audio import FloatArray
from neurdsp.metrics.level import power_to_db

__all__ = ["PROBES_HZ", "AliasingResult", "measure_aliasing"]

PROBES_HZ = (1_249, 2_503, 4_999)
"""Primes, so that no aliased harmonic falls on a true one at the usual sample rates."""

_LEVEL_DBFS = -12.0
_SETTLE_S = 0.5
_MAIN_LOBE = 4  # bins of a Blackman-Harris window on each side


@dataclass(frozen=True, slots=True)
class AliasingResult:
    """Frequency and level of one probe, and its aliasing-to-signal ratio in dB; lower is better."""

    frequency_hz: float
    level_db: float
    asr_db: float


def measure_aliasing(
    render: Callable[[FloatArray], FloatArray],
    *,
    sample_rate: float,
    level_db: float = _LEVEL_DBFS,
) -> list[AliasingResult]:
    """Measure the aliasing of a model with sines.

    Parameters
    ----------
    render
        Takes an input ``(n_samples,)`` and returns as many samples of output.
    sample_rate
        In Hz.
    level_db
        Peak level of the sines, in dBFS.

    Returns
    -------
    list of AliasingResult
        One for each of `PROBES_HZ` below a quarter of the sample rate.

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
        offset = bins <= _MAIN_LOBE  # the bias of the device is neither signal nor aliasing
        signal = float(power[harmonic].sum())
        folded = float(power[~harmonic & ~offset].sum())
        ratio_db = power_to_db(folded / signal) if signal > 0 else 0.0
        results.append(AliasingResult(float(frequency_hz), level_db, ratio_db))
    return results
