"""An n-gram of a collection of melodies: what the network is compared with.

Escapes are by method C of prediction by partial matching: A. Moffat, "Implementing the PPM data compression
scheme", IEEE Transactions on Communications 38 (1990).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["NGram"]

_TOKENS = 128


class NGram:
    """Counts of what followed up to ``order`` tokens.

    Parameters
    ----------
    melodies
        Tokens of each, best in one key.
    order
        Most tokens that are looked back.

    Examples
    --------
    >>> model = NGram([np.array([60, 62, 60, 62, 60], np.uint8)], order=2)
    >>> bool(model.probabilities(np.array([60, 62, 60], np.uint8))[2, 60] > 0.6)
    True
    """

    def __init__(self, melodies: Iterable[NDArray[np.uint8]], *, order: int = 5) -> None:
        self._order = order
        self._counts: list[dict[bytes, Counter[int]]] = [defaultdict(Counter) for _ in range(order + 1)]
        for melody in melodies:
            text = melody.tobytes()
            for at, token in enumerate(text):
                for length in range(min(at, order) + 1):
                    self._counts[length][text[at - length : at]][token] += 1

    def probabilities(self, tokens: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return what it says before each token, ``(n, 128)``.

        Parameters
        ----------
        tokens
            ``(n,)``.
        """
        text = tokens.tobytes()
        found = np.full((len(text), _TOKENS), 1 / _TOKENS)
        for at in range(len(text)):
            for length in range(min(at, self._order) + 1):
                counts = self._counts[length].get(text[at - length : at])
                if counts is None:
                    break
                total, kinds = counts.total(), len(counts)
                found[at] *= kinds / (total + kinds)
                found[at, list(counts)] += np.array(list(counts.values())) / (total + kinds)
        return found
