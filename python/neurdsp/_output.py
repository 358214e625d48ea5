"""Output files that appear whole or not at all: a temporary name in the same folder, then a rename."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_output", "check_output"]


def check_output(path: str | os.PathLike[str]) -> Path:
    """Check that a file can be put at ``path``, before hours of work go into its content.

    Parameters
    ----------
    path : path-like
        The file to be written. A symbolic link is followed, so that the link itself survives.

    Returns
    -------
    Path
        The real path to write to.

    Raises
    ------
    OSError
        If the folder is absent or cannot be written, or if a folder or a device stands at ``path``.
    """
    target = Path(os.path.realpath(path))
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


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, and rename it to ``path`` if the block ends without an error.

    Parameters
    ----------
    path : path-like
        Where the finished file goes; a file that is there already is replaced in one step.

    Yields
    ------
    Path
        A hidden name in the same folder, for the block to create and write.

    Raises
    ------
    OSError
        As :func:`check_output`, and if the rename fails. Whatever the block raises passes through; nothing is
        left.

    Examples
    --------
    >>> with atomic_output("notes.txt") as temporary:
    ...     _ = temporary.write_text("whole or not at all")
    """
    target = check_output(path)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        # Data before name: after a power cut the file is the old one or the new one, never an empty one.
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
