"""Output files that appear completely or not at all: a temporary file in the same folder, then a rename."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_output", "check_output"]


def check_output(path: str | os.PathLike[str]) -> Path:
    """Check that ``path`` can be written, before hours of work go into the content.

    Parameters
    ----------
    path : path-like
        The file to be written. A symbolic link is followed, so that the link itself is kept.

    Returns
    -------
    Path
        The real path to write to.

    Raises
    ------
    OSError
        If the folder is absent or read-only, or if ``path`` is a folder or a device.
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
        Path of the finished file. An existing file is replaced in one step.

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
    target = check_output(path)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        # Sync before the rename: after a power cut the file is the old one or the new one, never empty.
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
