"""The file that a loaded amp model came from: its bytes, by which a copy in another process can be loaded."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from neurdsp import _core

__all__ = ["ModelSource", "play_source", "read_model"]

_FOLDER_FILES = ("config.json", "weights.npy")
"""What the folder of an old ``.nam`` model holds."""


@dataclass(frozen=True, repr=False)
class ModelSource:
    """A model file as it was loaded.

    Parameters
    ----------
    name
        Of the file or, of an old ``.nam`` model, of its folder.
    content
        The bytes of the file, or those of each file in the folder by name.
    size, trainer
        As given to the engine.
    path
        Where the file was, or None if this was made from bytes.
    """

    name: str
    content: bytes | dict[str, bytes]
    size: float | None
    trainer: bool
    path: Path | None = field(default=None, compare=False)


def read_model(path: Path, size: float | None, trainer: bool) -> tuple[_core.AmpModel, ModelSource]:
    """Load a model file, and keep its bytes.

    Raises
    ------
    ModelFileError
        If the file is damaged or of an unknown kind.
    """
    core = _core.AmpModel.load(str(path), size, trainer)
    content: bytes | dict[str, bytes]
    if path.is_dir():
        content = {name: (path / name).read_bytes() for name in _FOLDER_FILES}
    else:
        content = path.read_bytes()
    return core, ModelSource(path.name, content, size, trainer, path.absolute())


def play_source(source: ModelSource) -> _core.AmpModel:
    """Load a model from the bytes of its file."""
    with tempfile.TemporaryDirectory(prefix="neurdsp-model-") as folder:
        path = Path(folder, Path(source.name).name or "model")
        if isinstance(source.content, bytes):
            path.write_bytes(source.content)
        else:
            path.mkdir()
            for name in _FOLDER_FILES:
                (path / name).write_bytes(source.content[name])
        return _core.AmpModel.load(str(path), source.size, source.trainer)
