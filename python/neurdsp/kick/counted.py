"""Random numbers that are counted, not drawn: any one of them can be made alone, on any processor."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["kick_key", "normal", "split", "uniform"]

_64 = (1 << 64) - 1


def split(state: int) -> int:
    """Return the output of splitmix64 for a state: 64 well-mixed bits.

    Examples
    --------
    >>> hex(split(0))
    '0xe220a8397b1dcdaf'
    """
    value = (state + 0x9E3779B97F4A7C15) & _64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _64
    return value ^ (value >> 31)


def kick_key(seed: int, index: int) -> int:
    """Return the key of one kick of a seed, from which all of its noise follows."""
    return split((split(seed & _64) + index) & _64)


def _hash(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x7FEB352D)
    values ^= values >> np.uint32(15)
    values *= np.uint32(0x846CA68B)
    values ^= values >> np.uint32(16)
    return values


def uniform(key: int, stream: int, index: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the numbers at ``index`` of a stream: uniform, of mean 0 and variance 1.

    Parameters
    ----------
    key
        The key of a kick, from `kick_key`.
    stream
        0 for latents, 1 to 3 for the layers of noise.
    index
        Which numbers; below 2^32.

    Examples
    --------
    >>> numbers = uniform(kick_key(7, 0), 2, np.arange(100_000))
    >>> bool(abs(numbers.mean()) < 0.01 and abs(numbers.std() - 1) < 0.01)
    True
    """
    mixed = split((key + stream) & _64)
    first = _hash(index.astype(np.uint32) ^ np.uint32(mixed & 0xFFFFFFFF))
    second = _hash(first + np.uint32(mixed >> 32))
    return (second.view(np.int32) >> np.int32(8)).astype(np.float32) * np.float32(np.sqrt(3.0) / 2**23)


def normal(key: int, n: int, size: int) -> NDArray[np.float32]:
    """Return ``n`` vectors of ``size`` nearly normal numbers of variance 1: halves of sums of four.

    Parameters
    ----------
    key
        The key of a kick, from `kick_key`.
    n, size
        How many vectors, and how long.
    """
    quarters = uniform(key, 0, np.arange(4 * n * size)).reshape(n, size, 4)
    return (0.5 * ((quarters[..., 0] + quarters[..., 1]) + (quarters[..., 2] + quarters[..., 3]))).astype(
        np.float32
    )
