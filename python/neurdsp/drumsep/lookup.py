"""Which file the name of a network stands for: a path, or a network that comes with neurdsp."""

import os
from pathlib import Path

from neurdsp.errors import ModelFileError

__all__ = ["find_network", "shipped_networks"]

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"


def shipped_networks() -> list[str]:
    """Return the names of the networks that come with neurdsp, for `DrumSeparator.load`.

    Examples
    --------
    >>> names = shipped_networks()
    """
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def find_network(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model file, or of the shipped network with this name.

    A file with this name takes precedence.

    Raises
    ------
    ModelFileError
        If there is no such file or network.

    Examples
    --------
    >>> find_network("drums.safetensors")  # doctest: +SKIP
    PosixPath('drums.safetensors')
    """
    path, shipped = Path(name_or_path), shipped_networks()
    if path.is_file():
        return path
    if os.fspath(name_or_path) in shipped:
        return _SHIPPED / f"{os.fspath(name_or_path)}{_SUFFIX}"
    if path.is_dir():
        raise ModelFileError(f"cannot load '{path}': it is a folder; give a model file")
    names = ", ".join(shipped) or "none"
    raise ModelFileError(
        f"cannot load '{path}': no such file, nor a shipped network (shipped: {names}); convert a checkpoint "
        "with neurdsp model convert"
    )
