"""What prepared kicks measure, and the words that they deserve by that."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError
from neurdsp.kick.attributes import WORDS, labels, measure, thresholds
from neurdsp.kick.fit import onset

__all__ = ["quantities_of", "words_of"]

_LABEL_STRICTNESS = 0.6
_DECIMALS = 4


def quantities_of(kick: FloatArray, sample_rate: int) -> list[float]:
    """Return what a kick measures from its onset, one value for each of `neurdsp.kick.attributes.QUANTITIES`.

    Raises
    ------
    AudioFileError
        If a value is not finite.

    Examples
    --------
    >>> t = np.arange(44_100) / 44_100
    >>> kick = np.sin(2 * np.pi * 55 * t) * np.exp(-10 * t)
    >>> round(np.exp(quantities_of(kick, 44_100)[2]))
    55
    """
    with np.errstate(all="ignore"):
        found = np.round(measure(onset(kick, sample_rate)), _DECIMALS)
    if not np.isfinite(found).all():
        raise AudioFileError("no sound of a kick: its attack has no energy below 1,500 Hz")
    values: list[float] = found.tolist()
    return values


def words_of(
    quantities: Sequence[Sequence[float]], training: Sequence[bool]
) -> tuple[list[tuple[str, ...]], dict[str, float]]:
    """Return the words that kicks deserve, and the threshold beyond which each word holds.

    A kick is labelled where a word holds clearly, by a threshold that fewer kicks pass, as in the training of
    the preset ``fast``.

    Parameters
    ----------
    quantities
        Of each kick.
    training
        Whether a kick is of the training split, from which the thresholds come.

    Examples
    --------
    >>> words, at = words_of(np.arange(110).reshape(10, 11), [True] * 10)
    >>> words[0][:3], at["deep"]
    (('deep', 'short', 'tight'), 31.7)
    """
    measured: NDArray[np.float64] = np.asarray(quantities, float)
    own = measured[np.asarray(training, bool)]
    held = labels(measured, thresholds(own, strictness=_LABEL_STRICTNESS))
    words = [tuple(word.name for word, holds in zip(WORDS, row, strict=True) if holds) for row in held]
    at = np.round(thresholds(own), _DECIMALS).tolist()
    return words, dict(zip((word.name for word in WORDS), at, strict=True))
