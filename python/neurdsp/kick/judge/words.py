"""Which words of a generator can be checked by measuring, and how often they hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick.attributes import QUANTITIES, WORDS, measure_all
from neurdsp.kick.fit import onset
from neurdsp.kick.infer import KickGenerator

__all__ = ["Rule", "measured_kicks", "rules_of", "word_shares"]

_NAMES = [quantity.name for quantity in QUANTITIES]


@dataclass(frozen=True)
class Rule:
    """When a word holds.

    Parameters
    ----------
    quantity
        One of `neurdsp.kick.attributes.QUANTITIES`.
    side
        1 if the word holds above the threshold, -1 if below.
    at
        The threshold, in the unit of the quantity.
    """

    quantity: str
    side: int
    at: float

    def share(self, measured: NDArray[np.float64]) -> float:
        """Return for which share of kicks the word holds, by what they measure, ``(n, quantities)``."""
        return float((self.side * (measured[:, _NAMES.index(self.quantity)] - self.at) > 0).mean())


def rules_of(generator: KickGenerator, thresholds: Mapping[str, float] | None = None) -> dict[str, Rule]:
    """Return the rule of each word of a generator that a measure defines.

    Parameters
    ----------
    generator
        The generator. All words of a `kick.hybrid` file are measured ones. Those of a `kick.mel_diffusion`
        file may be any; such as have the name of a measured word are judged by it.
    thresholds
        For the latter; by default those of its training split, and those of the generator that ships where
        the file has none.
    """
    if generator.is_editable:
        return {word: Rule(*generator.threshold(word)) for word in generator.keywords}
    at = thresholds or generator.thresholds or KickGenerator.load().thresholds
    return {
        word.name: Rule(word.quantity, word.side, at[word.name])
        for word in WORDS
        if word.name in generator.keywords and word.name in at
    }


def measured_kicks(
    generator: KickGenerator, words: Sequence[str], *, n: int, seed: int
) -> NDArray[np.float64]:
    """Return what kicks of words measure from their onset; a vocoder puts a little before it."""
    audio = generator.generate(words, n=n, seed=seed)
    return measure_all(audio if generator.is_editable else np.stack([onset(one, 44_100) for one in audio]))


def word_shares(
    generator: KickGenerator,
    rules: Mapping[str, Rule],
    *,
    per_word: int,
    seed: int,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> dict[str, tuple[float, float]]:
    """Return for which share of kicks each word holds: of those of the word, and of those of the others.

    A word that does nothing has the same share in both.

    Parameters
    ----------
    generator, rules
        The generator, and its words.
    per_word, seed
        Kicks of each word, and the seed of the first.
    progress
        Called with what is done.
    """
    measured = {}
    for done, word in enumerate(rules):
        measured[word] = measured_kicks(generator, [word], n=per_word, seed=seed + done)
        progress("words", done + 1, len(rules))
    found = {}
    for word, rule in rules.items():
        others = [kicks for name, kicks in measured.items() if name != word]
        found[word] = (rule.share(measured[word]), rule.share(np.concatenate(others)) if others else 0.0)
    return found
