"""Data sets of MIDI files as they are published: a folder, or the archive that holds it."""

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from neurdsp.errors import ConfigError

__all__ = ["files_of"]

_MAX_FILES = 50_000
_MAX_BYTES = 8 << 20


def files_of(source: Path, *, suffixes: Sequence[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the name within the data set and the bytes of each file, in the order of the names.

    Parameters
    ----------
    source
        A folder, a ``.tar.gz`` or a ``.tar``.
    suffixes
        Of the files to read, such as ``.mid``. Files above 8 MiB are left out.

    Raises
    ------
    ConfigError
        If it cannot be read, or has more than 50,000 files.

    Examples
    --------
    >>> list(files_of(Path("groove.tar.gz"), suffixes=[".mid"]))  # doctest: +SKIP
    """
    too_many = ConfigError(f"{source}: more than {_MAX_FILES} files; give the data set alone")
    try:
        if source.is_dir():
            paths = sorted(path for path in source.rglob("*") if path.suffix in suffixes)
            if len(paths) > _MAX_FILES:
                raise too_many
            for path in paths:
                if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                    yield PurePosixPath(path.relative_to(source).as_posix()), path.read_bytes()
            return
        with tarfile.open(source) as archive:
            found: dict[PurePosixPath, bytes] = {}
            for member in archive:
                name = PurePosixPath(member.name)
                # Archives made on a Mac have a second file beside each.
                if not member.isfile() or name.suffix not in suffixes or name.name.startswith("._"):
                    continue
                if len(found) >= _MAX_FILES:
                    raise too_many
                stream = archive.extractfile(member)
                if stream is not None and member.size <= _MAX_BYTES:
                    found[name] = stream.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ConfigError(f"{source}: cannot read the data set: {error}") from None
    yield from sorted(found.items())
