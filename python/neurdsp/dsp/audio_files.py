"""The audio files of folders, and the names of what is made of them."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from neurdsp._output import same_file
from neurdsp.errors import AudioFileError

__all__ = ["SUFFIXES", "find_audio", "in_words", "result_names", "short_enough"]

_MAX_NAME_BYTES = 255

#: Endings of audio files in a folder: what libsndfile reads and a folder of audio may hold.
SUFFIXES = (
    *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga"),
    *(".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".sph", ".nist", ".voc", ".svx", ".8svx", ".iff"),
    *(".avr", ".ircam", ".sf", ".paf", ".pvf", ".sd2", ".wve", ".xi"),
)


def find_audio(
    source: Path, skipped: Counter[str] | None = None, *, without: Path | None = None
) -> list[Path]:
    """Find the audio files of a folder and its subfolders, sorted; links are followed, hidden files left out.

    Parameters
    ----------
    source
        The folder, or a file, which is taken whatever its name.
    skipped
        Gets the endings of the other files, and of folders that cannot be opened.
    without
        A folder that is not searched.

    Raises
    ------
    AudioFileError
        If there are none.
    """
    if not source.is_dir():
        return [source]
    found, seen = [], set()
    skipped = Counter() if skipped is None else skipped

    def closed(_: OSError) -> None:
        skipped["folder that cannot be opened"] += 1

    for folder, folders, names in os.walk(source, followlinks=True, onerror=closed):
        # A link may lead back to a folder above it.
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if without is not None and same_file(folder, without):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                found.append(Path(folder, name))
            else:
                skipped[Path(name).suffix.lower() or "without an ending"] += 1
    if not found:
        there = f" ({in_words(skipped)})" if skipped else ""
        raise AudioFileError(
            f"cannot find audio in '{source}': none of its files{there} ends in {', '.join(SUFFIXES)}"
        )
    return sorted(found)


def in_words(skipped: Counter[str]) -> str:
    """Return how many files there are of each ending."""
    listed = [f"{n} {ending}" for ending, n in skipped.most_common(6)]
    rest = skipped.total() - sum(n for _, n in skipped.most_common(6))
    return ", ".join(listed) + (f", {rest} others" if rest else "")


def result_names(names: Sequence[str], ending: str) -> dict[str, str]:
    """Name the result of each file by another ending, appended to the old one where names would collide.

    A name that would be too long for a file system is cut, and a hash of the whole name appended.

    Parameters
    ----------
    names
        Paths of the files, relative to one folder.
    ending
        Of the results, such as ``.npy``.

    Examples
    --------
    >>> result_names(["a.wav", "b.wav", "b.flac"], ".npy")
    {'a.wav': 'a.npy', 'b.wav': 'b.wav.npy', 'b.flac': 'b.flac.npy'}
    """
    stems = [name.removesuffix(Path(name).suffix) for name in names]
    taken = Counter(stems)
    results = {
        name: (stem if taken[stem] == 1 else name) + ending for name, stem in zip(names, stems, strict=True)
    }
    if len({*results.values()}) < len(results):
        results = {name: name + ending for name in names}
    return {name: short_enough(result, name, ending) for name, result in results.items()}


def short_enough(output: str, name: str, ending: str) -> str:
    """Return the name of a result, cut if it is too long for a file system; the whole name gives the hash."""
    folder, slash, last = output.rpartition("/")
    if len(os.fsencode(last)) <= _MAX_NAME_BYTES:
        return output
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8).hexdigest()
    room = _MAX_NAME_BYTES - len(os.fsencode(ending)) - len(digest) - 1
    return f"{folder}{slash}{os.fsencode(last)[:room].decode(errors='ignore')}-{digest}{ending}"
