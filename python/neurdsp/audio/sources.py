"""Where audio comes from: paths of any name, pipes and file objects."""

import contextlib
import io
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["Source", "open_source", "shown_name", "sound_file"]

#: An audio file: its path, or a file object opened in binary mode.
Source: TypeAlias = str | os.PathLike[str] | BinaryIO


@cache
def sound_file() -> Any:
    """Return the class of soundfile, but for reading on and on.

    soundfile asks a file that can seek for its position before each block, and sets it afterwards: that fails
    for a FLAC file of unknown length, and has MP3 files decoded anew.
    """
    import soundfile

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return Sequential


def open_source(source: Source, stack: contextlib.ExitStack) -> tuple[str, Path | None, BinaryIO]:
    """Return the name of a file for messages, its path if it can be opened by it, and a file object."""
    name = shown_name(source)
    if not isinstance(source, str | os.PathLike):
        return name, None, _seekable(source, name)
    path = Path(source)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioFileError(f"cannot read {name}: it is a folder; give an audio file")
        file = stack.enter_context(path.open("rb"))
        if not stat.S_ISREG(mode):  # a pipe, which has no end to look at
            return name, None, io.BytesIO(file.read())
    except (FileNotFoundError, NotADirectoryError):
        raise AudioFileError(f"cannot read {name}: no such file") from None
    except (OSError, ValueError) as error:
        if isinstance(error, AudioFileError):
            raise
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AudioFileError(f"cannot read {name}: {text}") from error
    return name, path, file


def _seekable(file: Any, name: str) -> BinaryIO:
    """Return a file object that can seek and gives bytes."""
    if not hasattr(file, "read"):
        raise ParameterError(f"source is a {type(file).__name__}, but it must be a path or a file object")
    if hasattr(file, "seek") and not (hasattr(file, "seekable") and not file.seekable()):
        file.seek(0)
        first = file.read(0)
        if isinstance(first, bytes):
            seekable: BinaryIO = file
            return seekable
    else:
        first = file.read()
        if isinstance(first, bytes):
            return io.BytesIO(first)
    raise ParameterError(f"{name} gives text, but audio is bytes; open it in mode 'rb'")


def shown_name(source: object) -> str:
    """Return the name of a file in messages."""
    if isinstance(source, str | os.PathLike):
        return f"'{os.fspath(source)}'"
    name = getattr(source, "name", None)
    return f"'{name}'" if isinstance(name, str) else "the file object"
