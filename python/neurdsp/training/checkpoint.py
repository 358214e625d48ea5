"""Training checkpoints: all that a run needs to continue as if it had never stopped.

A checkpoint is private to training: results leave it as model files. It holds only tensors and plain values,
is read without unpickling code, and is written to a temporary file and renamed.
"""

import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurdsp._output import atomic_output
from neurdsp.errors import ConfigError
from neurdsp.training.task import SINGLE_PHASE

__all__ = ["CHECKPOINT_VERSION", "best_of", "load_checkpoint", "save_checkpoint"]

CHECKPOINT_VERSION = 2


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path
        The file. An existing one is replaced in one step, when the new one is complete.
    state
        Nested dictionaries and lists of tensors and plain values.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # Through memory: torch reports a full disk as a RuntimeError without the cause.
    buffer = io.BytesIO()
    torch.save({"version": CHECKPOINT_VERSION, **state}, buffer)
    with atomic_output(path) as temporary:
        try:
            temporary.write_bytes(buffer.getbuffer())
        except OSError as error:
            raise OSError(error.errno, f"cannot write the checkpoint: {error.strerror}", str(path)) from None


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint, of this version or an earlier one.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        What `save_checkpoint` was given, and ``version``.

    Raises
    ------
    ConfigError
        If it is missing, damaged, or of a later version.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"{file}: no checkpoint to resume from; start without --resume")
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        if state["version"] == 1:
            state = _from_version_1(state)
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
            f"{file}: this checkpoint has version {version}, but this neurdsp resumes versions up to "
            f"{CHECKPOINT_VERSION}; start without --resume"
        )
    return state


def best_of(state: Mapping[str, Any]) -> tuple[Mapping[str, Tensor], dict[str, float]]:
    """Return the best weights of the checkpoint of a run, and what their validation measured.

    The last validation of a run, with which it ends, is beside what a resumed run continues with.
    """
    which = "result" if "result_state" in state else "best"
    return state[f"{which}_state"], dict(state.get(f"{which}_metrics") or {})


def _from_version_1(state: dict[str, Any]) -> dict[str, Any]:
    """Convert a checkpoint of the trainer that had one Adam optimiser and no phases."""
    shown_loss = state.pop("shown_loss")
    updates = {
        "optimizers": {SINGLE_PHASE: {"type": "Adam", "state": state.pop("optimizer")}},
        "scaler": {},
        "rate_scale": state.pop("rate_scale"),
    }
    return {
        **state,
        "version": 2,
        "updates": updates,
        "rng": {"cpu": state["rng"], "cuda": []},
        "losses": {} if shown_loss is None else {SINGLE_PHASE: shown_loss},
    }
