"""Output files that appear completely or not at all: a temporary file in the same folder, then a rename."""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from neurdsp import _core

__all__ = [
    "atomic_output",
    "check_output",
    "publish",
    "same_file",
    "temporary_beside",
    "temporary_label",
]


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Tell whether two paths lead to one file: by a link, a hard link, ``..`` or another case.

    Examples
    --------
    >>> same_file("in.wav", "./in.wav")
    True
    """
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist
        return os.path.realpath(one) == os.path.realpath(other)


def check_output(path: str | os.PathLike[str], *, inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Check that ``path`` can be written, before hours of work go into the content.

    Parameters
    ----------
    path : path-like
        The file to be written. A symbolic link is followed, so that the link itself is kept.
    inputs : iterable of path-like
        What the same work reads: none of these files may be written.

    Returns
    -------
    Path
        The real path to write to.

    Raises
    ------
    OSError
        If the folder is absent or read-only, or if ``path`` is a folder, a device or one of the inputs.
    """
    target = Path(os.path.realpath(path))
    for source in inputs:
        if same_file(path, source):
            also = "" if os.fspath(path) == os.fspath(source) else f" ('{os.fspath(source)}')"
            raise FileExistsError(
                f"cannot write '{path}': it is also an input{also}, which would be lost; give another name"
            )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write '{path}': the folder '{Path(path).parent}' does not exist; create it first"
        )
    if target.is_dir():
        raise IsADirectoryError(f"cannot write '{path}': it is a folder; give a file name")
    if target.exists() and not target.is_file():
        # A rename over a device node would replace the node itself.
        raise OSError(f"cannot write '{path}': it is not a regular file; give another name")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(
            f"cannot write '{path}': no permission to create files in that folder; choose another"
        )
    return target


def temporary_label(name: str) -> str:
    """Return the part of a file's name that its temporary names contain.

    It is cut by bytes: file systems allow 255 of them, and a character can have four.
    """
    return os.fsencode(name)[:100].decode(errors="ignore")


def temporary_beside(target: str | os.PathLike[str]) -> str:
    """Return a new hidden path in the folder of ``target``."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{temporary_label(name)}.{secrets.token_hex(4)}.tmp")


def publish(files: Sequence[tuple[str | os.PathLike[str], str | os.PathLike[str]]]) -> list[OSError | None]:
    """Sync finished files, and rename them to where they belong.

    Parameters
    ----------
    files
        The temporary and the final path of each. The final file, if there is one, is replaced in one step.

    Returns
    -------
    list of OSError or None
        What happened to each. After an error its temporary file is removed.
    """
    numbers = _core.publish_files(list(files))
    return [None if number is None else OSError(number, os.strerror(number)) for number in numbers]


@contextlib.contextmanager
def atomic_output(
    path: str | os.PathLike[str], *, inputs: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, and rename it to ``path`` if the block ends without an error.

    Parameters
    ----------
    path : path-like
        Path of the finished file. An existing file is replaced in one step.
    inputs : iterable of path-like
        As in `check_output`.

    Yields
    ------
    Path
        A hidden file in the same folder, which the block creates and writes.

    Raises
    ------
    OSError
        As `check_output`, and if the rename fails. Errors of the block are passed on. After any error the
        temporary file is removed.

    Examples
    --------
    >>> with atomic_output("notes.txt") as temporary:
    ...     _ = temporary.write_text("whole or not at all")
    """
    target = check_output(path, inputs=inputs)
    temporary = Path(temporary_beside(target))
    try:
        yield temporary
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    (error,) = publish([(temporary, target)])
    if error is not None:
        raise error
