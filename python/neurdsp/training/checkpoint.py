"""Training checkpoints: everything that a run needs to go on as if it had never stopped.

A checkpoint is private to training (the model file is what leaves it), holds tensors and plain
values only, is read without unpickling code, and is written through a temporary file and a rename.
"""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from neurdsp._output import atomic_output
from neurdsp.errors import ConfigError

__all__ = ["CHECKPOINT_VERSION", "load_checkpoint", "save_checkpoint"]

CHECKPOINT_VERSION = 1


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path
        The file; an older one is replaced only once the new one is whole.
    state
        Nested dictionaries and lists of tensors and plain values.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    # Through memory, for torch reports a full disk as a RuntimeError without saying what happened.
    buffer = io.BytesIO()
    torch.save({"version": CHECKPOINT_VERSION, **state}, buffer)
    with atomic_output(path) as temporary:
        try:
            temporary.write_bytes(buffer.getbuffer())
        except OSError as error:
            raise OSError(error.errno, f"cannot write the checkpoint: {error.strerror}", str(path)) from None


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    ConfigError
        When it is missing, damaged, or of another version.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"{file}: there is no checkpoint to resume from; start without --resume")
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        version = state["version"]
    except (
        RuntimeError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
        OSError,
    ) as error:
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise ConfigError(f"{file}: the checkpoint is damaged ({reason}); start without --resume") from None
    if version != CHECKPOINT_VERSION:
        raise ConfigError(
            f"{file}: checkpoint version {version}, this neurdsp resumes version {CHECKPOINT_VERSION}; "
            f"start without --resume"
        )
    return state
