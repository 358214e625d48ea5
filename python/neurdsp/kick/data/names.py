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


def kits_of(paths: Sequence[str], sources: Iterable[str] = ()) -> list[str]:
    """Return the kit that each sample belongs to, so that samples of one kit stay in one split.

    A kit is a folder of the first level in which the paths of a source differ. Samples that lie in that level
    itself share a kit if their names differ in numbers only.

    Parameters
    ----------
    paths
        Where the samples came from.
    sources
        The folders that were searched.

    Examples
    --------
    >>> kits_of(["a/Packs/One/kick 1.wav", "a/Packs/One/x/kick 2.wav", "a/Packs/Two/kick.wav"])
    ['One', 'One', 'Two']
    >>> kits_of(["a/deep1.wav", "a/deep2.wav", "b/One/kick.wav", "b/Two/kick.wav"], ["a", "b"])
    ['a/deep', 'a/deep', 'b/One', 'b/Two']
    """
    roots = sorted({*sources}, key=len, reverse=True)
    groups: dict[str, list[int]] = {}
    for index, path in enumerate(paths):
        inside = (root for root in roots if PurePath(path).is_relative_to(root))
        groups.setdefault(next(inside, ""), []).append(index)
    kits = [""] * len(paths)
    for root, members in groups.items():
        parts = [PurePath(paths[index]).parts[len(PurePath(root).parts) :] for index in members]
        for index, kit in zip(members, _kits_below(parts), strict=True):
            kits[index] = f"{PurePath(root).name}/{kit}" if len(groups) > 1 else kit
    return kits


def _kits_below(parts: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the kits of the paths of one source."""
    common = 0
    while all(len(one) > common + 1 for one in parts) and len({one[common] for one in parts}) == 1:
        common += 1
    kits = []
    for one in parts:
        if len(one) > common + 1:
            kits.append(one[common])
        else:
            stem = _NUMBERS.sub("", one[-1].removesuffix(PurePath(one[-1]).suffix))
            kits.append(" ".join(_SEPARATORS.split(stem.lower())).strip() or "numbered")
    return kits
