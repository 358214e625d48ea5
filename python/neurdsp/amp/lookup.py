"""Which file the name of a model stands for: a path, or an amp that comes with neurdsp."""

import os
from pathlib import Path

from neurdsp.errors import ModelFileError

__all__ = ["find_model", "shipped_amps", "shipped_clip"]

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"


def shipped_amps() -> list[str]:
    """Return the names of the amps that come with neurdsp, for `AmpModel.load`.

    Examples
    --------
    >>> names = shipped_amps()
    """
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def shipped_clip() -> Path:
    """Return the path of the dry guitar clip that comes with neurdsp: mono, 48 kHz, its licence beside it.

    Examples
    --------
    >>> shipped_clip().name
    'di_clip.flac'
    """
    return _SHIPPED / "di_clip.flac"


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model file, or of the shipped amp with this name.

    A file with this name takes precedence. A folder does so only if it is an old ``.nam`` model: a folder
    that happens to be called ``crunch`` must not hide the amp. Names of amps are found in any case.

    Raises
    ------
    ModelFileError
        If there is no such file or amp.

    Examples
    --------
    >>> find_model("ts9").name
    'ts9.safetensors'
    """
    path = Path(name_or_path)
    no_model = not path.exists() or (path.is_dir() and not (path / "config.json").is_file())
    amps = {amp.casefold(): amp for amp in shipped_amps()}
    if no_model and str(path).casefold() in amps:
        return _SHIPPED / f"{amps[str(path).casefold()]}{_SUFFIX}"
    if path.is_dir() and not (path / "config.json").is_file():
        raise ModelFileError(
            f"cannot load '{path}': it is a folder, without the config.json and weights.npy of an old .nam "
            "model; give a model file"
        )
    if path.exists():
        return path
    shipped = ", ".join(amps.values()) or "none"
    raise ModelFileError(f"cannot load '{path}': no such file, nor a shipped amp (shipped: {shipped})")
