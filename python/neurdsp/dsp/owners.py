"""To which audio file each result in the output folder of a corpus belongs, as the manifest tells.

Two corpora may have files of equal names. A result is replaced only by the file that it came from, by that
file at another place (its bytes are the same), or with ``--overwrite``.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from neurdsp.dsp.batch_job import Task
from neurdsp.dsp.manifest import Record, file_hash

__all__ = ["Owners", "claim"]

_ADVICE = "give another output folder, or --overwrite to replace it"


def claim(task: Task, source: str, config: str) -> Record:
    """Return the record by which a file claims the name of its result before the result is written."""
    return Record(
        file=task.name,
        source=source,
        config=config,
        claims=task.output,
        error="not finished",
        parts=task.parts,
    )


class Owners:
    """The owners of the results in a folder.

    Parameters
    ----------
    folder
        The output folder.
    records
        The records of its manifest, the oldest first.
    """

    def __init__(self, folder: Path, records: Iterable[Record]) -> None:
        self._folder = os.fspath(folder)
        self._owners = {result: record for record in records for result in record.results}

    def earlier(self, task: Task, source: str) -> tuple[Record | None, str | None]:
        """Tell what is at the place of a file's result.

        Parameters
        ----------
        task
            The file.
        source
            Its absolute path.

        Returns
        -------
        Record or None
            The record of an earlier result of the same file, if all of it is there.
        str or None
            Why the result there may not be replaced: it is another file's, or nobody's.
        """
        found = [self._earlier(result, task, source) for result in task.results]
        refusal = next((refusal for _, refusal in found if refusal is not None), None)
        first = found[0][0]
        return (first if all(record == first for record, _ in found) else None), refusal

    def _earlier(self, result: str, task: Task, source: str) -> tuple[Record | None, str | None]:
        """Tell what is at the place of one file of a result; see `earlier`."""
        target, record = os.path.join(self._folder, result), self._owners.get(result)
        if not os.path.isfile(target):
            return None, None
        if record is None:
            return None, f"cannot write '{target}': the manifest does not say whose result it is; {_ADVICE}"
        if (record.file, record.source) == (task.name, source):
            return record, None
        if record.source == source or (record.source and _one_file(record.source, task.path)):
            return replace(record, file=task.name, source=source), None
        mtime_ns = _time_of_the_same_content(record, task.path)
        if mtime_ns is not None:
            return replace(record, file=task.name, source=source, mtime_ns=mtime_ns), None
        whose = (
            f"'{record.source}'" if record.source else f"another '{record.file}', or of what it was before"
        )
        return None, f"cannot write '{target}': it is the result of {whose}; {_ADVICE}"

    def others(self, run: Collection[Record], folders: Iterable[Path]) -> Iterator[Record]:
        """Yield the records of results that are in the folder beside those of a run.

        Parameters
        ----------
        run
            The records of the run.
        folders
            The folders that the run has searched. Audio that is gone from them loses its result in the
            manifest, though not in the folder; so does audio that has its result under another name now.
        """
        written = {result for record in run for result in record.results}
        audio, whole = {record.source for record in run}, set[int]()
        searched = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        for name, record in self._owners.items():
            if name in written or not os.path.isfile(os.path.join(self._folder, name)):
                continue
            gone = record.source.startswith(searched) and not os.path.lexists(record.source)
            if gone or record.source in audio:
                reason = "the audio is gone" if gone else "the audio has another result now"
                yield Record(
                    file=record.file,
                    source=record.source,
                    config=record.config,
                    claims=name,
                    error=f"'{name}' is left of an earlier run: {reason}",
                )
            elif id(record) not in whole:
                whole.add(id(record))  # a record of several files stands there once
                yield record


def _one_file(one: str, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _time_of_the_same_content(record: Record, path: Path) -> int | None:
    """Return the time of a file that has the bytes of a record, or None if it has others."""
    try:
        status = path.stat()
        # Reading a pipe would wait for a writer.
        if not record.hash or record.size != status.st_size or not stat.S_ISREG(status.st_mode):
            return None
        return status.st_mtime_ns if record.hash == file_hash(path) else None
    except OSError:
        return None
