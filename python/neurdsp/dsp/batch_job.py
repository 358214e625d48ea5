"""What a job over audio files is: which files, to which folder, and the tasks that it has."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["BatchJob", "Task", "reason_for_one_file"]

# What the operating system says of one path. Anything else, such as a full disk, would befall each file.
_OF_ONE_FILE = {
    errno.EACCES,
    errno.EEXIST,
    errno.EILSEQ,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
}


@dataclass(frozen=True, kw_only=True)
class BatchJob:
    """A job over audio files. What is done to each, a subclass says.

    Parameters
    ----------
    source
        An audio file, or a folder that is searched with all its subfolders; or several of both.
    output
        Folder for the results, made if it does not exist.
    """

    source: Path | Sequence[Path]
    output: Path

    def __post_init__(self) -> None:
        if not self.sources:
            raise ParameterError("source is empty; give audio files or folders")
        for source in self.sources:
            if not source.exists():
                raise AudioFileError(f"cannot read '{source}': no such file or folder")
        if self.output.exists() and not self.output.is_dir():
            raise ParameterError(f"output is '{self.output}', which is no folder; give the name of a folder")

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files and folders."""
        return (self.source,) if isinstance(self.source, Path) else tuple(self.source)

    @property
    def root(self) -> Path:
        """The folder that paths of the manifest are relative to: with several sources, the one above all."""
        folders = [source if source.is_dir() else source.parent for source in self.sources]
        return folders[0] if len(folders) == 1 else Path(os.path.commonpath([*map(os.path.abspath, folders)]))

    def names(self, files: Sequence[Path]) -> list[str]:
        """Return the paths of files below the root."""
        root = self.root
        if len(self.sources) == 1:
            return [path.relative_to(root).as_posix() for path in files]
        return [Path(os.path.relpath(path, root)).as_posix() for path in files]

    @property
    def config(self) -> str:
        """Hash of all that the results depend on beside the audio: 16 hexadecimal digits."""
        raise NotImplementedError

    @property
    def program(self) -> str:
        """The command, for messages."""
        raise NotImplementedError

    def tasks(self, files: Sequence[Path]) -> "list[Task]":
        """Return the task of each file."""
        raise NotImplementedError


class Task(NamedTuple):
    """A file to do.

    Attributes
    ----------
    path
        The audio.
    name, output
        Paths of the audio and of its result, relative to the input and to the output folder.
    parts
        Names of the files of a result that is a folder; None for a result that is one file.
    """

    path: Path
    name: str
    output: str
    parts: tuple[str, ...] | None = None

    @property
    def results(self) -> list[str]:
        """The files of the result, relative to the output folder."""
        return [self.output] if self.parts is None else [f"{self.output}/{part}" for part in self.parts]


def reason_for_one_file(error: OSError, target: str) -> str:
    """Return the reason why one result cannot be written; raise the error if it is not about that file."""
    # `check_output` gives no number, but a sentence.
    if error.errno is not None and error.errno not in _OF_ONE_FILE:
        raise error
    return str(error) if error.errno is None else f"cannot write '{target}': {error.strerror}"
