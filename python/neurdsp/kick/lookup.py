"""Which file the name of a kick generator stands for: a path, or a generator that comes with neurdsp."""

import os
from pathlib import Path

from neurdsp.errors import ModelFileError

__all__ = ["DEFAULT_GENERATOR", "find_generator", "shipped_generators"]

#: The generator that is taken if none is named.
DEFAULT_GENERATOR = "default"

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"


def shipped_generators() -> list[str]:
    """Return the names of the generators that come with neurdsp, for `KickGenerator.load`.

    Examples
    --------
    >>> names = shipped_generators()
    """
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def find_generator(name_or_path: str | os.PathLike[str] = DEFAULT_GENERATOR) -> Path:
    """Return the path of a model file, or of the shipped generator with this name.

    A file with this name takes precedence over a shipped generator, but not over the default.

    Raises
    ------
    ModelFileError
        If there is no such file or generator.

    Examples
    --------
    >>> find_generator("kicks.safetensors")  # doctest: +SKIP
    PosixPath('kicks.safetensors')
    """
    name, path = os.fspath(name_or_path), Path(name_or_path)
    shipped = shipped_generators()
    if name in shipped and (name == DEFAULT_GENERATOR or not path.is_file()):
        return _SHIPPED / f"{name}{_SUFFIX}"
    if path.is_file():
        return path
    if path.is_dir():
        raise ModelFileError(f"cannot load '{path}': it is a folder; give a model file")
    names = ", ".join(shipped) or "none"
    raise ModelFileError(
        f"cannot load '{path}': no such file, nor a shipped generator (shipped: {names}); train one with "
        "neurdsp kick train"
    )
