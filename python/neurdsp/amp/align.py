"""Finding by how many samples a recorded output lags the input, and whether its polarity is reversed.

The linear part of the device is estimated as an impulse response: the cross-spectrum of output and input
over the power spectrum of the input (averaged over segments, and regularised where the input has no
energy), transformed back. That is a cross-correlation from which the colour of the signal is divided out,
so that its peak is a sample wide for a guitar too. See C. Knapp, G. Carter, "The generalized correlation
method for estimation of time delay", 1976.
"""

from dataclasses import dataclass

import numpy as np

from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError

__all__ = ["Alignment", "find_latency"]

_MAX_SEGMENTS = 64
_REGULARISATION = 1e-4
"""Of the mean power spectrum: bins 40 dB below it are not trusted."""


@dataclass(frozen=True)
class Alignment:
    """How the output lies in time against the input.

    Parameters
    ----------
    latency_samples
        By how much the output lags; negative when it leads. A strongly distorting device can blur it by a
        sample.
    confidence
        How far the peak stands out of the rest (over 2 ms away): 0 up to six times its RMS, which chance
        reaches hardly ever, then one minus that ratio. Unrelated recordings have 0, usual devices over
        0.7.
    inverted
        Whether the polarity is reversed. It is reported and learnt, not undone: the device does it.
    """

    latency_samples: int
    confidence: float
    inverted: bool


def find_latency(
    dry: FloatArray, wet: FloatArray, *, sample_rate: float, max_latency_samples: int
) -> Alignment:
    """Estimate the lag of ``wet`` behind ``dry``.

    Parameters
    ----------
    dry, wet
        What went into the device and what came out, ``(n_samples,)`` each.
    sample_rate
        In Hz.
    max_latency_samples
        The longest lag, or lead, that is looked for.

    Returns
    -------
    Alignment
        To the sample for a pure delay. For a device that smears the onset it is the beginning of the
        response, as a causal model needs it.

    Raises
    ------
    AudioFileError
        When a recording is silent, so that there is nothing to compare.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    >>> find_latency(noise, np.roll(noise, 17), sample_rate=48_000, max_latency_samples=1000).latency_samples
    17
    """
    n_samples = min(dry.size, wet.size)
    segment = 1 << max(12, int(4 * max_latency_samples - 1).bit_length())
    response = _impulse_response(dry[:n_samples], wet[:n_samples], segment)
    reach = min(max_latency_samples, segment // 2 - 1)
    lags = np.arange(-reach, reach + 1)
    window = response[lags]  # negative lags are at the end of the array
    magnitude = np.abs(window)
    peak = int(magnitude.argmax())
    if not magnitude[peak] > 0:
        raise AudioFileError("the recordings cannot be aligned: one of them is silent throughout")
    # A filter in the device peaks late. Its beginning is the first sample of half the height shortly before.
    near = slice(max(0, peak - int(0.001 * sample_rate)), peak + 1)
    onset = near.start + int(np.argmax(magnitude[near] >= 0.5 * magnitude[peak]))
    far = np.abs(lags - lags[peak]) > 0.002 * sample_rate
    floor = 6 * float(np.sqrt(np.mean(np.square(magnitude[far])))) if far.any() else 0.0
    return Alignment(
        latency_samples=int(lags[onset]),
        confidence=max(0.0, 1.0 - floor / float(magnitude[peak])),
        inverted=bool(window[peak] < 0),
    )


def _impulse_response(dry: FloatArray, wet: FloatArray, segment: int) -> np.ndarray:
    """Average the cross-spectra of the loudest segments, and deconvolve; ``(segment,)``."""
    if dry.size < segment:
        dry, wet = (np.pad(signal, (0, segment - signal.size)) for signal in (dry, wet))
    starts = np.arange(0, dry.size - segment + 1, segment // 2)
    energy = np.array([np.dot(dry[s : s + segment], dry[s : s + segment]) for s in starts])
    starts = starts[np.argsort(-energy)[:_MAX_SEGMENTS]]
    taper = np.hanning(segment)
    cross = np.zeros(segment // 2 + 1, dtype=np.complex128)
    power = np.zeros(segment // 2 + 1)
    for start in starts:
        x = np.fft.rfft(taper * dry[start : start + segment])
        y = np.fft.rfft(taper * wet[start : start + segment])
        cross += y * np.conj(x)
        power += np.abs(x) ** 2
    response: np.ndarray = np.fft.irfft(cross / (power + _REGULARISATION * power.mean() + 1e-30), segment)
    return response
