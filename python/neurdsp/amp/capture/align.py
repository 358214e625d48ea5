"""By how many samples a recorded output lags its input, and whether its polarity is reversed.

If the input has blips (single clicks in silence), the responses to them are averaged and their onset is read.
Otherwise the linear part of the device is estimated as an impulse response: the cross-spectrum of output and
input, divided by the power spectrum of the input (averaged over segments, and regularised where the input has
no energy), and transformed back. This is a cross-correlation that does not depend on the spectrum of the
signal; its peak is one sample wide if the input reaches all frequencies. See C. Knapp and G. Carter, "The
generalized correlation method for estimation of time delay", 1976.

A latency that is too long is worse than one that is too short, because a causal model can delay but not
predict. Both methods therefore return the onset of the response, not its peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError

__all__ = ["Alignment", "coarse_lag", "find_blip_latency", "find_latency", "impulse_response", "lay_over"]

_MAX_SEGMENTS = 64
_REGULARISATION = 1e-4
"""Added to the power spectrum, relative to its mean: bins 40 dB below the mean hardly count."""

_ONSET = 0.35
"""Fraction of the peak at which a response begins. At one half, the onset was up to two samples late on
devices that smear it, measured on 27 plugins. At less, the ringing of band-limited inputs would count as the
onset."""

_BLIP_ONSET = 0.1
"""Fraction of the peak at which the response to a blip begins: only the device itself can ring there."""

_BACKGROUND = 3e-4
"""How far the response to a blip must rise above the noise."""


@dataclass(frozen=True)
class Alignment:
    """Position of the output in time, relative to the input.

    Parameters
    ----------
    latency_samples
        Lag of the output; negative if it leads.
    confidence
        For a correlation, how far the peak stands out from the response more than 2 ms away: 0 up to six
        times the RMS of the latter, which chance hardly ever reaches, and above that one minus their ratio.
        It is 0 for unrelated recordings and over 0.7 for most devices. For blips, the share of them that
        agree to a sample.
    inverted
        Whether the polarity is reversed. It is not undone, because it is a property of the device; the model
        learns it.
    method
        Where the latency comes from.
    uncertainty_samples
        Uncertainty of the latency: 0 for blips and broadband inputs, more for inputs with little treble.
    """

    latency_samples: int
    confidence: float
    inverted: bool
    method: Literal["given", "blips", "correlation"] = "correlation"
    uncertainty_samples: int = 0

    def shift(self, safety_samples: int) -> int:
        """Return by how many samples to advance the output, so that it lies on the input; see `lay_over`.

        Parameters
        ----------
        safety_samples
            Subtracted from a measured latency, because a model of an output that comes too early would have
            to predict. A given latency is used as it is.

        Returns
        -------
        int
            Negative if the output leads. A measured latency between 0 and ``safety_samples`` gives 0.

        Examples
        --------
        >>> Alignment(37, 0.9, inverted=False).shift(safety_samples=1)
        36
        >>> Alignment(-20, 1.0, inverted=False, method="given").shift(safety_samples=1)
        -20
        """
        if self.method == "given":
            return self.latency_samples
        # Devices without latency are the rule, and blips may be read two samples early.
        return (
            max(self.latency_samples - safety_samples, 0)
            if self.latency_samples >= -2 - self.uncertainty_samples
            else self.latency_samples
        )


def lay_over(dry: FloatArray, wet: FloatArray, shift: int) -> tuple[FloatArray, FloatArray]:
    """Cut two recordings so that sample ``i`` of the output answers sample ``i`` of the input.

    Parameters
    ----------
    dry, wet
        Input and output, ``(n_samples,)`` each.
    shift
        By how many samples the output lags. If it is negative, the output leads, so the beginning of the
        input is cut.

    Returns
    -------
    tuple of ndarray
        Views of both, of one length.

    Examples
    --------
    >>> dry, wet = np.arange(5, dtype=np.float32), np.arange(1, 5, dtype=np.float32)
    >>> [part.tolist() for part in lay_over(dry, wet, -1)]
    [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]
    """
    dry, wet = dry[max(-shift, 0) :], wet[max(shift, 0) :]
    n_samples = min(dry.size, wet.size)
    return dry[:n_samples], wet[:n_samples]


def find_latency(
    dry: FloatArray, wet: FloatArray, *, sample_rate: float, max_latency_samples: int
) -> Alignment:
    """Estimate the lag of ``wet`` behind ``dry`` by correlation, for any input.

    Parameters
    ----------
    dry, wet
        Input and output of the device, ``(n_samples,)`` each.
    sample_rate
        In Hz.
    max_latency_samples
        Longest lag or lead to search for.

    Returns
    -------
    Alignment
        Exact to the sample for a pure delay. For a device that smears the onset, the beginning of the
        response, as a causal model needs it.

    Raises
    ------
    AudioFileError
        If a recording is silent.

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
    # The response of a filter begins shortly before its peak.
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


def coarse_lag(dry: FloatArray, wet: FloatArray) -> int:
    """Return the lag, of any length and sign, at which two waveforms fit best; exact to some samples.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each.

    Returns
    -------
    int
        In samples; negative if ``wet`` leads.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    >>> coarse_lag(noise, noise[30_000:])
    -30000
    """
    n_fft = 1 << (dry.size + wet.size - 1).bit_length()
    cross = np.fft.rfft(wet, n_fft) * np.conj(np.fft.rfft(dry, n_fft))
    magnitude = np.sqrt(np.abs(cross))
    cross /= magnitude + 1e-6 * magnitude.max() + 1e-30
    peak = int(np.abs(np.fft.irfft(cross, n_fft)).argmax())
    return peak if peak < n_fft // 2 else peak - n_fft


def find_blip_latency(
    wet: FloatArray, blips: Sequence[int], *, sample_rate: float, max_latency_samples: int
) -> Alignment | None:
    """Read the lag from the responses to clicks.

    Parameters
    ----------
    wet
        Output of the device, ``(n_samples,)``.
    blips
        Positions of the clicks in the input.
    sample_rate
        In Hz.
    max_latency_samples
        Longest lag to search for; leads of up to 20 ms are found too.

    Returns
    -------
    Alignment or None
        None if no response rises above the noise, or if the responses disagree.

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
    responses = np.stack(cut)  # (n_blips, n), the blip at 2 * lead
    responses -= responses[:, :lead].mean(axis=1, keepdims=True)
    noise = np.abs(responses[:, :lead]).max(axis=1)
    peaks = np.abs(responses).max(axis=1)
    usable = peaks > noise + np.maximum(_BACKGROUND, noise)
    if not usable.any():
        return None
    onsets = np.array([_onset(response) for response in responses[usable]])
    mean = responses[usable].mean(axis=0)
    if np.abs(mean).max() < 0.5 * np.median(peaks[usable]):
        return None  # the responses cancel: they do not belong to these clicks
    onset = _onset(mean)
    if onset < lead:
        return None  # sound before the click: the device hums or is still settling
    agree = float(np.mean(np.abs(onsets - onset) <= 1)) * float(np.mean(usable))
    if agree < 0.5:
        return None
    # The first half-wave decides the polarity: later ringing may have the opposite sign.
    first = int(np.argmax(np.abs(mean[onset : onset + 5])))
    return Alignment(onset - 2 * lead, agree, bool(mean[onset + first] < 0), "blips")


def _onset(response: npt.NDArray[np.float64]) -> int:
    magnitude = np.abs(response)
    quiet = magnitude[: round(response.size * 0.02) + 1].max()
    return int(np.argmax(magnitude >= max(_BLIP_ONSET * magnitude.max(), quiet + _BACKGROUND)))


def _half_width(kernel: npt.NDArray[np.float64]) -> int:
    """Return how many samples after its centre the kernel stays above the onset threshold."""
    middle = kernel.size // 2
    return int(np.argmax(np.abs(kernel[middle:]) < _ONSET * kernel[middle])) - 1


def impulse_response(
    dry: FloatArray, wet: FloatArray, *, max_latency_samples: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Estimate the linear part of the device that turns ``dry`` into ``wet``.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each, cut to the shorter.
    max_latency_samples
        Longest lag or lead of the response.

    Returns
    -------
    response, kernel : ndarray of float64, shape (2 * max_latency_samples + 1,)
        The response with lag 0 at its centre, and the response that a device without effect would have: a
        click, as wide as the bandwidth of the input makes it.

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
