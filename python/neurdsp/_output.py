"""Output files that appear completely or not at all: a temporary file in the same folder, then a rename."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["atomic_output", "check_output", "publish", "temporary_beside", "temporary_label"]


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


def temporary_label(name: str) -> str:
    """Return the part of a file's name that its temporary names contain.

    It is cut by bytes: file systems allow 255 of them, and a character can have four.
    """
    return os.fsencode(name)[:100].decode(errors="ignore")


def temporary_beside(target: Path) -> Path:
    """Return a new hidden name in the folder of ``target``."""
    return target.with_name(f".{temporary_label(target.name)}.{secrets.token_hex(4)}.tmp")


def publish(files: Sequence[tuple[Path, Path]]) -> list[OSError | None]:
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
    outcomes: list[OSError | None] = [None] * len(files)
    with contextlib.ExitStack() as stack:
        descriptors: dict[int, int] = {}
        for index, (temporary, _) in enumerate(files):
            try:
                # Windows syncs only what is open for writing.
                descriptors[index] = os.open(temporary, os.O_RDWR)
                stack.callback(os.close, descriptors[index])
            except OSError as error:
                outcomes[index] = error
        if len(files) > 1 and hasattr(os, "posix_fadvise"):
            # Linux starts to write the pages, and so allocates the blocks of all files before the first sync
            # commits the journal. One commit then serves the whole group.
            for descriptor in descriptors.values():
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        for index, descriptor in descriptors.items():
            # Sync before the rename: after a power cut the file is the old one or the new one, never empty.
            try:
                os.fsync(descriptor)
            except OSError as error:
                outcomes[index] = error
    for index, (temporary, target) in enumerate(files):
        try:
            if outcomes[index] is None:
                os.replace(temporary, target)
        except OSError as error:
            outcomes[index] = error
        if outcomes[index] is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return outcomes


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
    temporary = temporary_beside(target)
    try:
        yield temporary
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    (error,) = publish([(temporary, target)])
    if error is not None:
        raise error
