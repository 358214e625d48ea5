"""Where the music networks are: those that come with neurdsp, or those of a folder."""

import os
from pathlib import Path

from neurdsp.errors import ModelFileError
from neurdsp.music.config import NAMES

__all__ = ["find_network", "networks_of"]

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"
DEFAULT = "default"
"""Stands for the networks that come with neurdsp."""


def networks_of(name_or_folder: str | os.PathLike[str] = DEFAULT) -> dict[str, Path]:
    """Return the model file of each network, by its name.

    Parameters
    ----------
    name_or_folder
        ``default`` for those that come with neurdsp, or a folder with ``groove.safetensors`` and so on; some
        may be missing.

    Raises
    ------
    ModelFileError
        If there is no such folder, or it holds none of the five.

    Examples
    --------
    >>> sorted(networks_of("default")) <= ["dynamics", "emotion", "groove", "harmony", "melody"]
    True
    """
    shipped = os.fspath(name_or_folder) == DEFAULT
    folder = _SHIPPED if shipped else Path(name_or_folder)
    if not shipped and not folder.is_dir():
        raise ModelFileError(f"'{folder}': no such folder; give one with model files, or '{DEFAULT}'")
    found: dict[str, Path] = {
        name: folder / f"{name}{_SUFFIX}" for name in NAMES if (folder / f"{name}{_SUFFIX}").is_file()
    }
    if not found and not shipped:
        names = ", ".join(f"{name}{_SUFFIX}" for name in NAMES)
        raise ModelFileError(f"'{folder}' holds no music network; it should have some of {names}")
    return found


def find_network(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model file, or of the network of this name that comes with neurdsp.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = networks_of(DEFAULT)
    if os.fspath(name_or_path) in shipped:
        return shipped[os.fspath(name_or_path)]
    names = ", ".join(shipped) or "none"
    raise ModelFileError(
        f"'{path}': no such file, nor a network that comes with neurdsp (those are: {names})"
    )
