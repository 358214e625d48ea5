"""The vocabulary: which words of the data become keywords, and their numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence

from neurdsp.errors import ConfigError
from neurdsp.kick.data.shards import Prepared
from neurdsp.kick.mel.recipe import Source, VocabularyConfig

__all__ = ["build_vocabulary", "numbers_of", "words_of_kicks"]


def words_of_kicks(data: Prepared, source: Source) -> list[tuple[str, ...]]:
    """Return the words of each prepared kick: of its name, measured, or both.

    Raises
    ------
    ConfigError
        If words were not measured when it was prepared.
    """
    if source != "names" and not data.thresholds:
        raise ConfigError(f"{data.folder}: prepared before words were measured; prepare the kicks again")
    found = []
    for item in data.items:
        named = item.keywords if source != "measured" else ()
        measured = item.measured if source != "names" else ()
        found.append(tuple(dict.fromkeys((*named, *measured))))
    return found


def build_vocabulary(
    samples: Iterable[tuple[str, Sequence[str]]], config: VocabularyConfig
) -> tuple[str, ...]:
    """Return the keywords, the most frequent first.

    Parameters
    ----------
    samples
        Kit and words of each kick of the training split.
    config
        Which words count.

    Raises
    ------
    ConfigError
        If no word does.

    Examples
    --------
    >>> samples = [("a", ["deep", "kick"]), ("b", ["deep"]), ("b", ["hard"])]
    >>> build_vocabulary(samples, VocabularyConfig(min_count=2))
    ('deep',)
    """
    counts, kits, n_samples = Counter[str](), dict[str, set[str]](), 0
    for kit, words in samples:
        n_samples += 1
        for word in {*words}:
            counts[word] += 1
            kits.setdefault(word, set()).add(kit)
    enough = [
        word
        for word, count in counts.items()
        if count >= config.min_count
        and len(kits[word]) >= config.min_kits
        and count <= config.max_share * n_samples
        and word not in config.drop
    ]
    if not enough:
        raise ConfigError(
            f"no word has {config.min_count} kicks of {config.min_kits} kits among the {n_samples} of the "
            "training split; lower vocabulary.min_count or vocabulary.min_kits, or give samples of telling "
            "names"
        )
    return tuple(sorted(enough, key=lambda word: (-counts[word], word)))


def numbers_of(words: Iterable[str], vocabulary: Sequence[str]) -> list[int]:
    """Return the numbers of the words that are in a vocabulary, sorted."""
    known = {word: number for number, word in enumerate(vocabulary)}
    return sorted({known[word] for word in words if word in known})
