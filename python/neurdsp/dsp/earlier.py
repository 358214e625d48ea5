"""What is in the output folder of a corpus before a run: earlier results, or files that no run made.

Whose each earlier result is, `neurdsp.dsp.owners` knows.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from neurdsp.dsp.manifest import MANIFEST
from neurdsp.errors import ParameterError

__all__ = ["refuse_loss"]


def refuse_loss(
    folder: Path, results: Iterable[str], files: Iterable[Path], *, program: str, overwrite: bool
) -> None:
    """Refuse a run that would write over an audio file of the corpus, or over files that no run made.

    Parameters
    ----------
    folder
        The output folder.
    results
        The name of each result in it.
    files
        The audio files.
    program
        The command that runs, for messages.
    overwrite
        Whether files that no run made may be replaced. Audio files of the corpus may not.

    Raises
    ------
    ParameterError
        If something would be lost; the message names it.
    """
    manifest = folder / MANIFEST
    if not folder.is_dir():
        return
    # Strings, because a corpus may have a million files.
    root = os.fspath(folder)
    there = [path for name in results if os.path.isfile(path := os.path.join(root, name))]
    if not there and not manifest.is_file():
        return
    sources = {(status.st_dev, status.st_ino): path for path in files if (status := _status(path))}
    for path in (os.fspath(manifest), *there):
        status = _status(path)
        source = sources.get((status.st_dev, status.st_ino)) if status else None
        if source is not None:
            raise ParameterError(
                f"cannot write '{path}': it leads to '{source}', an input, which would be lost; "
                "give another output folder"
            )
    if overwrite:
        return
    foreign, or_not = there[:1] if not manifest.is_file() else [], ", or its manifest is gone"
    if _is_of_others(manifest):
        foreign, or_not = [os.fspath(manifest)], ""
    if foreign:
        raise ParameterError(
            f"cannot write '{foreign[0]}': it exists already, and was not made by {program}{or_not}; "
            "give another output folder, or --overwrite to replace it"
        )


def _is_of_others(manifest: Path) -> bool:
    """Tell whether a manifest has lines, but no record; a run that was stopped may have cut its first."""
    whole = False
    try:
        with manifest.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    whole |= line.endswith("\n")
                    continue
                if isinstance(entry, dict) and "file" in entry and entry.keys() & {"hash", "config"}:
                    return False
                whole = True
    except OSError:
        return False
    return whole


def _status(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None
