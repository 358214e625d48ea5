"""Which file the name of a network stands for: a path, or a network that comes with neurdsp."""

import os
from pathlib import Path

from neurdsp.errors import ModelFileError

__all__ = ["DEFAULT_NETWORK", "find_network", "shipped_networks"]

#: The network that is taken if none is named.
DEFAULT_NETWORK = "draft"

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"


def shipped_networks() -> list[str]:
    """Return the names of the networks that come with neurdsp, for `DrumSeparator.load`.

    Examples
    --------
    >>> names = shipped_networks()
    """
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def find_network(name_or_path: str | os.PathLike[str] | None = None) -> Path:
    """Return the path of a model file, or of the shipped network with this name, by default ``draft``.

    A file with this name takes precedence over a shipped network, but not over the default.

    Raises
    ------
    ModelFileError
        If there is no such file or network.

    Examples
    --------
    >>> find_network("drums.safetensors")  # doctest: +SKIP
    PosixPath('drums.safetensors')
    """
    shipped = shipped_networks()
    if name_or_path is None:
        if DEFAULT_NETWORK in shipped:
            return _SHIPPED / f"{DEFAULT_NETWORK}{_SUFFIX}"
        raise ModelFileError(
            "no network comes with this build of neurdsp; give a model file (--model), made of a checkpoint "
            "by neurdsp model convert"
        )
    path = Path(name_or_path)
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
