"""The plainest WAV files, decoded from memory: one channel of 16-bit or float32 samples, nothing unusual.

libsndfile reads the same samples from them, but it costs more to open a file with it than to decode four
seconds. Anything that is not plain is left to it.
"""

import struct

import numpy as np

from neurdsp.audio.checks import FloatArray

__all__ = ["decode_plain_wav"]

# Format tag and bits of a sample -> type.
_TYPES = {(1, 16): "<i2", (3, 32): "<f4"}

_MAX_SAMPLE_RATE = 384_000

# Chunks before the samples that do not change them.
_SKIPPED = (b"fact", b"PEAK", b"LIST")


def decode_plain_wav(data: bytes | memoryview) -> tuple[FloatArray, int] | None:
    """Decode a plain WAV file.

    Parameters
    ----------
    data
        The bytes of the file.

    Returns
    -------
    samples : ndarray of float32, shape (n_samples,)
        The samples, all of them finite.
    sample_rate : int
        In Hz.
        None instead of both if the file is not plain or is damaged, or if a sample is not finite.
    """
    if len(data) < 44 or data[:4] != b"RIFF" or data[8:16] != b"WAVEfmt ":
        return None
    riff_bytes, format_bytes = struct.unpack_from("<4xI8xI", data)
    tag, channels, sample_rate, _, align, bits = struct.unpack_from("<HHIIHH", data, 20)
    kind = _TYPES.get((tag, bits))
    if riff_bytes + 8 != len(data) or format_bytes not in (16, 18) or kind is None:
        return None
    if channels != 1 or align != bits // 8 or not 1 <= sample_rate <= _MAX_SAMPLE_RATE:
        return None
    start = 20 + format_bytes
    while start + 8 <= len(data):
        name, n_bytes = struct.unpack_from("<4sI", data, start)
        start += 8
        if name == b"data":
            if n_bytes == 0 or n_bytes % align or start + n_bytes > len(data):
                return None
            samples = np.frombuffer(data, kind, n_bytes // align, start)
            if kind == "<i2":
                return np.multiply(samples, np.float32(2**-15), dtype=np.float32), sample_rate
            return (samples.astype(np.float32), sample_rate) if np.isfinite(samples).all() else None
        if name not in _SKIPPED:
            return None
        start += n_bytes + n_bytes % 2
    return None
