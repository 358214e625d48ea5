"""What the name of a sample tells: whether it is a single kick, and its keywords."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

__all__ = ["is_loop", "keywords_of", "kits_of", "names_one_of"]

_SEPARATORS = re.compile(r"[-_\s.]+")
_LOOP_FOLDERS = re.compile(r"\bloops?\b")
_NUMBERS = re.compile(r"\d+")


def names_one_of(name: str, words: Iterable[str]) -> bool:
    """Tell whether the name of a file contains one of the words, in any case.

    Examples
    --------
    >>> names_one_of("BigKICK3.wav", ["kick"])
    True
    """
    lower = name.lower()
    return any(word.lower() in lower for word in words)


def is_loop(path: str) -> bool:
    """Tell whether a path names a loop: by the file's own name, by a tempo in it, or by a folder of loops.

    Parameters
    ----------
    path
        Relative to the folder that is searched, so that where that lies does not count.

    Examples
    --------
    >>> [is_loop(path) for path in ("Kick Loop 2.wav", "kick_120bpm.wav", "Drum Loops/kick.wav", "kick.wav")]
    [True, True, True, False]
    """
    pure = PurePath(path.lower())
    if "loop" in pure.name or "bpm" in pure.name:
        return True
    return any(_LOOP_FOLDERS.search(folder.replace("_", " ")) for folder in pure.parts[:-1])


def keywords_of(name: str) -> tuple[str, ...]:
    """Return the keywords of a file name.

    The name without its ending is split at hyphens, underscores, spaces and dots; pure numbers and words
    shorter than two characters are left out.

    Examples
    --------
    >>> keywords_of("Deep_Punchy-Kick 03.v2.WAV")
    ('deep', 'punchy', 'kick', 'v2')
    """
    stem = name.lower().removesuffix(PurePath(name).suffix.lower())
    words = (word for word in _SEPARATORS.split(stem) if len(word) >= 2 and not word.isdigit())
    return tuple(dict.fromkeys(words))


def kits_of(paths: Sequence[str]) -> list[str]:
    """Return the kit that each sample belongs to, so that samples of one kit stay in one split.

    A kit is a folder of the first level in which the paths differ. Samples that lie in that level itself
    share a kit if their names differ in numbers only.

    Parameters
    ----------
    paths
        Where the samples came from.

    Examples
    --------
    >>> kits_of(["a/Packs/One/kick 1.wav", "a/Packs/One/x/kick 2.wav", "a/Packs/Two/kick.wav"])
    ['One', 'One', 'Two']
    >>> kits_of(["a/deep1.wav", "a/deep2.wav", "a/hard.wav"])
    ['deep', 'deep', 'hard']
    """
    parts = [PurePath(path).parts for path in paths]
    common = 0
    while parts and all(len(one) > common + 1 for one in parts) and len({one[common] for one in parts}) == 1:
        common += 1
    kits = []
    for one in parts:
        if len(one) > common + 1:
            kits.append(one[common])
        else:
            stem = _NUMBERS.sub("", one[-1].removesuffix(PurePath(one[-1]).suffix))
            kits.append(" ".join(_SEPARATORS.split(stem.lower())).strip() or "numbered")
    return kits
