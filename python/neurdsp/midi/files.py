"""Reading MIDI files from paths, bytes and file objects, and writing them whole or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from neurdsp import _core
from neurdsp._output import atomic_output
from neurdsp.errors import MidiFileError, ParameterError
from neurdsp.midi.midi_file import MidiFile

__all__ = ["MidiSource", "read_midi", "write_midi"]

#: A MIDI file: its path, its bytes, or a file object opened in binary mode.
MidiSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read_midi(source: MidiSource) -> MidiFile:
    """Read a Standard MIDI File of format 0, 1 or 2.

    What exists is read, whatever lengths the file announces; `MidiFile.warnings` says what was repaired.

    Parameters
    ----------
    source
        A path, the bytes, or a file object opened in binary mode; at most 32 MiB.

    Raises
    ------
    MidiFileError
        If it cannot be read, or is no MIDI file.
    ParameterError
        If it is neither a path nor bytes nor a file object.

    Examples
    --------
    >>> read_midi("beat.mid").notes()["velocity"].mean()  # doctest: +SKIP
    71.5
    """
    name, data = _contents(source)
    try:
        return MidiFile(_core.MidiFile.read(data))
    except MidiFileError as error:
        raise MidiFileError(f"cannot read {name}: {error}") from None


def write_midi(
    path: str | os.PathLike[str],
    midi: MidiFile,
    *,
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Write a MIDI file, which appears under its name only when it is complete.

    Parameters
    ----------
    path
        The file to write.
    midi
        Its content.
    overwrite
        Whether a file that exists may be replaced.
    inputs
        Files that must not be replaced in any case.

    Raises
    ------
    MidiFileError
        If the file exists, is one of the inputs, or cannot be written.

    Examples
    --------
    >>> from neurdsp.midi import MidiFile
    >>> write_midi("empty.mid", MidiFile.new())
    """
    data = midi.to_bytes()
    if not overwrite and os.path.exists(path):
        raise MidiFileError(
            f"cannot write '{os.fspath(path)}': it exists already; give another name, or overwrite=True"
        )
    try:
        with atomic_output(path, inputs=inputs) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        text = str(error)
        raise MidiFileError(
            text if text.startswith("cannot write") else f"cannot write '{os.fspath(path)}': {text}"
        ) from error


def _contents(source: MidiSource) -> tuple[str, bytes]:
    """Return the name of a file for messages, and its bytes, one more than allowed at most."""
    limit = _core.MidiFile.MAX_BYTES + 1
    if isinstance(source, bytes | bytearray | memoryview):
        return "the bytes", bytes(source)
    if isinstance(source, str | os.PathLike):
        name = f"'{os.fspath(source)}'"
        try:
            if Path(source).is_dir():
                raise MidiFileError(f"cannot read {name}: it is a folder; give a .mid file")
            with Path(source).open("rb") as file:
                return name, file.read(limit)
        except MidiFileError:
            raise
        except FileNotFoundError:
            raise MidiFileError(f"cannot read {name}: no such file") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise MidiFileError(f"cannot read {name}: {reason}") from error
    if not hasattr(source, "read"):
        raise ParameterError(
            f"source is a {type(source).__name__}, but must be a path, bytes or a file object"
        )
    name = f"'{source.name}'" if isinstance(getattr(source, "name", None), str) else "the file object"
    data = source.read(limit)
    if not isinstance(data, bytes):
        raise ParameterError(f"{name} gives text, but a MIDI file is bytes; open it in mode 'rb'")
    return name, data
