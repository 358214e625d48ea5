"""How loud a model is, as the ``.nam`` format defines it: the level of its output for a standard input.

NAM's trainer plays a fixed clip: one second of pink noise at -15 dBFS RMS, from 1 Hz to half the sample rate.
The clip here is made from that description. On six amps, from clean to high gain, it gives the loudness that
NAM's clip gives to 0.2 dB.
"""

import math
from collections.abc import Callable

import numpy as np

from neurdsp.audio import FloatArray

__all__ = ["measure_levels", "standard_input"]

_RMS_DB = -15.0
_STEPS = 10
_SILENT = 1e-10


def standard_input(sample_rate: float) -> FloatArray:
    """Make the input whose output measures the loudness of a model.

    Parameters
    ----------
    sample_rate
        Of the model, in Hz.

    Returns
    -------
    ndarray of float32, shape (round(sample_rate),)
        Pink noise, the same samples each time.

    Examples
    --------
    >>> clip = standard_input(48_000)
    >>> round(20 * np.log10(np.sqrt(np.mean(clip**2))), 2)
    -15.0
    """
    n_samples = max(2, round(sample_rate))
    magnitude = np.zeros(n_samples // 2 + 1)
    magnitude[1:] = np.arange(1, magnitude.size) ** -0.5
    phase = 2 * np.pi * np.random.default_rng(2).random(magnitude.size)
    noise = np.fft.irfft(magnitude * np.exp(1j * phase), n_samples)
    result: FloatArray = (noise * 10 ** (_RMS_DB / 20) / np.sqrt(np.mean(np.square(noise)))).astype(
        np.float32
    )
    return result


def measure_levels(
    play: Callable[[FloatArray], FloatArray], sample_rate: float, *, with_gain: bool = True
) -> dict[str, float]:
    """Measure loudness and gain of a model, by the definitions of NAM's trainer.

    Parameters
    ----------
    play
        Plays a clip through the model from its resting state, ``(n_samples,)`` to the same shape.
    sample_rate
        Of the model, in Hz.
    with_gain
        Whether to measure the gain too, which takes ten times as long.

    Returns
    -------
    dict
        ``loudness``: RMS of the output in dB of full scale. ``gain``: how much the model compresses, from 0
        (its output grows with its input) to 1 (it does not). Empty if the model is silent or not finite.

    Examples
    --------
    >>> measure_levels(lambda clip: 0.5 * clip, 48_000)
    {'loudness': -21.02, 'gain': 0.0}
    """
    clip = standard_input(sample_rate)

    def level(factor: float) -> float:
        output = np.asarray(play(clip * np.float32(factor)), np.float64)
        return float(np.sqrt(np.mean(np.square(output)))) if np.isfinite(output).all() else float("nan")

    loudest = level(1.0)
    if not loudest > _SILENT:
        return {}
    levels = {"loudness": round(20 * math.log10(loudest), 2)}
    if with_gain:
        outputs = [*(level(step / _STEPS) for step in range(_STEPS)), loudest]
        # A constant output gives n times the loudest, and one that grows in proportion half of that.
        most = loudest * len(outputs)
        gain = (sum(outputs) - 0.5 * most) / (0.5 * most)
        if math.isfinite(gain):
            levels["gain"] = round(min(max(gain, 0.0), 1.0), 3)
    return levels
