"""Finding by how many samples a recorded output lags the input, and whether its polarity is reversed.

Where the input has blips (single clicks in silence), the answers to them are laid on each other, averaged,
and read off. Otherwise the linear part of the device is estimated as an impulse response: the cross-spectrum
of output and input over the power spectrum of the input (averaged over segments, and regularised where the
input has no energy), transformed back. That is a cross-correlation from which the colour of the signal is
divided out, so that its peak is a sample wide where the input reaches all frequencies. See C. Knapp and
G. Carter, "The generalized correlation method for estimation of time delay", 1976.

Too late is worse than too early: a causal model can wait but not foresee. Both ways of reading therefore take
the beginning of the response, not its peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError

__all__ = ["Alignment", "find_blip_latency", "find_latency", "impulse_response"]

_MAX_SEGMENTS = 64
_REGULARISATION = 1e-4
"""Of the mean power spectrum: bins 40 dB below it are not trusted."""

_ONSET = 0.35
"""Part of the peak at which a response has begun. At half the height it came out up to two samples late on
devices that smear, measured on 27 plugins; lower, the ringing of band-limited inputs counts as a
beginning."""

_BLIP_ONSET = 0.1
"""Part of the peak at which the answer to a blip has begun: there is no ringing but the device's own."""

_BACKGROUND = 3e-4
"""How far over the noise an answer must rise to be one at all."""


@dataclass(frozen=True)
class Alignment:
    """How the output lies in time against the input.

    Parameters
    ----------
    latency_samples
        By how much the output lags; negative when it leads.
    confidence
        Of a correlation: how far the peak stands out of the rest (over 2 ms away): 0 up to six times its RMS,
        which chance reaches hardly ever, then one minus that ratio. Unrelated recordings have 0, usual
        devices over 0.7. Of blips: the part of them that agree to a sample.
    inverted
        Whether the polarity is reversed. It is reported and learnt, not undone: the device does it.
    method
        How it was found.
    uncertainty_samples
        How exact it can be: 0 for blips and for broadband inputs, more where the input has little treble.
    """

    latency_samples: int
    confidence: float
    inverted: bool
    method: Literal["given", "blips", "correlation"] = "correlation"
    uncertainty_samples: int = 0


def find_latency(
    dry: FloatArray, wet: FloatArray, *, sample_rate: float, max_latency_samples: int
) -> Alignment:
    """Estimate the lag of ``wet`` behind ``dry`` from whatever was played.

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
    response, kernel = impulse_response(dry, wet, max_latency_samples=max_latency_samples)
    reach = (response.size - 1) // 2
    magnitude = np.abs(response)
    peak = int(magnitude.argmax())
    if not magnitude[peak] > 0:
        raise AudioFileError("the recordings cannot be aligned: one of them is silent throughout")
    # A filter in the device peaks late. Its beginning is shortly before.
    near = slice(max(0, peak - int(0.001 * sample_rate)), peak + 1)
    onset = near.start + int(np.argmax(magnitude[near] >= _ONSET * magnitude[peak]))
    far = np.abs(np.arange(response.size) - peak) > 0.002 * sample_rate
    floor = 6 * float(np.sqrt(np.mean(np.square(magnitude[far])))) if far.any() else 0.0
    return Alignment(
        latency_samples=onset - reach,
        confidence=max(0.0, 1.0 - floor / float(magnitude[peak])),
        inverted=bool(response[peak] < 0),
        uncertainty_samples=_half_width(kernel),
    )


def find_blip_latency(
    wet: FloatArray, blips: Sequence[int], *, sample_rate: float, max_latency_samples: int
) -> Alignment | None:
    """Read the lag off the answers to clicks.

    Parameters
    ----------
    wet
        What came out, ``(n_samples,)``.
    blips
        Where the input's clicks are.
    sample_rate
        In Hz.
    max_latency_samples
        The longest lag that is looked for; a lead of up to 20 ms is found too.

    Returns
    -------
    Alignment or None
        None where no answer rises out of the noise, or where the answers do not agree with each other.

    Examples
    --------
    >>> wet = np.zeros(40_000, np.float32)
    >>> wet[[10_012, 30_012]] = -0.5
    >>> found = find_blip_latency(wet, (10_000, 30_000), sample_rate=48_000, max_latency_samples=2_000)
    >>> found.latency_samples, found.inverted, found.confidence
    (12, True, 1.0)
    """
    lead = round(0.02 * sample_rate)
    gap = min(np.diff(sorted(blips)), default=wet.size) if len(blips) > 1 else wet.size
    reach = min(max_latency_samples, int(gap) - 2 * lead)
    cut = [
        wet[blip - 2 * lead : blip + reach + lead].astype(np.float64)
        for blip in blips
        if blip >= 2 * lead and blip + reach + lead <= wet.size
    ]
    if reach <= 0 or not cut:
        return None
    answers = np.stack(cut)  # (n_blips, n), the blip at 2 * lead
    answers -= answers[:, :lead].mean(axis=1, keepdims=True)
    noise = np.abs(answers[:, :lead]).max(axis=1)
    peaks = np.abs(answers).max(axis=1)
    usable = peaks > noise + np.maximum(_BACKGROUND, noise)
    if not usable.any():
        return None
    onsets = np.array([_onset(answer) for answer in answers[usable]])
    mean = answers[usable].mean(axis=0)
    if np.abs(mean).max() < 0.5 * np.median(peaks[usable]):
        return None  # the answers cancel: these are not answers to the same clicks
    onset = _onset(mean)
    if onset < lead:
        return None  # sound before the click: the device hums or settles, and nothing can be read
    agree = float(np.mean(np.abs(onsets - onset) <= 1)) * float(np.mean(usable))
    if agree < 0.5:
        return None
    # The first half-wave, not the peak: what follows may ring the other way.
    first = int(np.argmax(np.abs(mean[onset : onset + 5])))
    return Alignment(onset - 2 * lead, agree, bool(mean[onset + first] < 0), "blips")


def _onset(answer: npt.NDArray[np.float64]) -> int:
    magnitude = np.abs(answer)
    quiet = magnitude[: round(answer.size * 0.02) + 1].max()
    return int(np.argmax(magnitude >= max(_BLIP_ONSET * magnitude.max(), quiet + _BACKGROUND)))


def _half_width(kernel: npt.NDArray[np.float64]) -> int:
    """Return how many samples the kernel stays over the onset's threshold after its middle."""
    middle = kernel.size // 2
    return int(np.argmax(np.abs(kernel[middle:]) < _ONSET * kernel[middle])) - 1


def impulse_response(
    dry: FloatArray, wet: FloatArray, *, max_latency_samples: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Estimate the linear part of what turns ``dry`` into ``wet``.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each, cut to the shorter.
    max_latency_samples
        The longest lag, or lead, of the response.

    Returns
    -------
    response, kernel : ndarray of float64, shape (2 * max_latency_samples + 1,)
        The response with lag 0 in the middle, and what a device that does nothing would give: a click, as
        wide as the input's bandwidth makes it.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    >>> response, _ = impulse_response(noise, 0.5 * noise, max_latency_samples=10)
    >>> int(response.argmax()), bool(abs(response.max() - 0.5) < 0.01)
    (10, True)
    """
    n_samples = min(dry.size, wet.size)
    segment = 1 << max(12, int(4 * max_latency_samples - 1).bit_length())
    dry, wet = (np.pad(s[:n_samples], (0, max(0, segment - n_samples))) for s in (dry, wet))
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
    floor = power + _REGULARISATION * power.mean() + 1e-30
    reach = min(max_latency_samples, segment // 2 - 1)
    lags = np.arange(-reach, reach + 1)  # negative lags are at the end of the transform
    return np.fft.irfft(cross / floor, segment)[lags], np.fft.irfft(power / floor, segment)[lags]
