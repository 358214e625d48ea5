"""Resampling with soxr, of whole signals or block by block."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp.audio.checks import FloatArray, check_audio, check_sample_rate

__all__ = ["StreamResampler", "resample"]

#: soxr's "very high quality": 28 bits of precision. Source: the manual of the SoX resampler library.
RESAMPLE_QUALITY = "VHQ"


def resample(audio: npt.ArrayLike, from_rate: float, to_rate: float) -> FloatArray:
    """Resample with soxr at very high quality and without delay.

    Parameters
    ----------
    audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        The signal.
    from_rate, to_rate : float
        Rates in Hz.

    Returns
    -------
    ndarray of float32
        ``ceil(n_samples * to_rate / from_rate)`` samples per channel, as librosa and torchaudio give. The
        product is exact: 44,100 samples from 22,050 to 48,000 Hz are 96,000, where librosa rounds to 96,001.

    Raises
    ------
    ParameterError
        If a rate is out of range, or the samples are empty, not finite or of the wrong shape.

    Notes
    -----
    The resampler is the SoX resampler library, https://sourceforge.net/projects/soxr/.

    Examples
    --------
    >>> resample(np.zeros(48_000, np.float32), 48_000, 44_100).shape
    (44100,)
    >>> resample(np.zeros(44_098, np.float32), 44_100, 16_000).shape
    (16000,)
    """
    samples = check_audio(audio)
    source, target = (
        check_sample_rate(from_rate, name="from_rate"),
        check_sample_rate(to_rate, name="to_rate"),
    )
    if source == target:
        return samples.copy()
    import soxr

    ratio = Fraction(target) / Fraction(source)
    wanted = _length(samples.shape[-1], ratio)
    # soxr rounds the length: with silence after the signal there is enough to cut.
    silence = [(0, 0)] * (samples.ndim - 1) + [(0, _silence(ratio))]
    result = soxr.resample(np.pad(samples, silence).T, source, target, quality=RESAMPLE_QUALITY)
    return np.ascontiguousarray(result[:wanted].T, dtype=np.float32)


def _length(n_samples: int, ratio: Fraction) -> int:
    """Return the exact ``ceil(n_samples * ratio)``."""
    return -(-n_samples * ratio.numerator // ratio.denominator)


def _silence(ratio: Fraction) -> int:
    """Return the samples of silence that make more than one sample of output."""
    return int(2 / ratio) + 2


class StreamResampler:
    """The resampler of `resample` for one channel, block by block.

    The first blocks may be empty, while the filter fills. All blocks together are the output of `resample`
    for the whole signal.

    Parameters
    ----------
    from_rate, to_rate : float
        Rates in Hz.

    Examples
    --------
    >>> resampler = StreamResampler(48_000, 24_000)
    >>> parts = [resampler.process(np.zeros(4_800, np.float32)), resampler.finish()]
    >>> sum(len(part) for part in parts)
    2400
    """

    def __init__(self, from_rate: float, to_rate: float) -> None:
        source, target = (
            check_sample_rate(from_rate, name="from_rate"),
            check_sample_rate(to_rate, name="to_rate"),
        )
        self._stream: Any = None
        self._ratio = Fraction(target) / Fraction(source)
        self._n_in = self._n_out = 0
        if source != target:
            import soxr

            self._stream = soxr.ResampleStream(source, target, 1, dtype="float32", quality=RESAMPLE_QUALITY)

    def process(self, block: FloatArray) -> FloatArray:
        """Resample a block of shape (n,), and return the samples that are ready, of shape (m,)."""
        if self._stream is None:
            return block
        result: FloatArray = self._stream.resample_chunk(np.ascontiguousarray(block, dtype=np.float32))
        self._n_in += len(block)
        self._n_out += len(result)
        return result

    def finish(self) -> FloatArray:
        """End the signal, and return the remaining samples."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        silence = np.zeros(_silence(self._ratio) if self._n_in else 0, np.float32)
        result: FloatArray = self._stream.resample_chunk(silence, last=True)
        return result[: _length(self._n_in, self._ratio) - self._n_out]
