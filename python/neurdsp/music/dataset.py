"""Prepared data of a music task: arrays by split, with what is known of them, in one safetensors file."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.errors import ConfigError

__all__ = ["SPLITS", "Dataset", "Split", "open_dataset"]

Split: TypeAlias = Literal["train", "validation", "test"]
"""What a piece is for. No piece, nor a variant of it, is in two splits."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""All of them."""

_FORMAT = "neurdsp music data 1"


@dataclass(frozen=True)
class Dataset:
    """Arrays of a task.

    Parameters
    ----------
    task
        The name of the network that they are for.
    arrays
        By name; those of a split are named ``SPLIT.NAME``.
    facts
        What is known of them, as JSON values: sources, licences, numbers of pieces.

    Examples
    --------
    >>> data = Dataset("groove", {"train.inputs": np.zeros((2, 64), np.float32)})
    >>> data.of("train")["inputs"].shape
    (2, 64)
    """

    task: str
    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A hash of all arrays."""
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def of(self, split: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of a split by their names.

        Raises
        ------
        ConfigError
            If it has none.
        """
        head = f"{split}."
        found = {name.removeprefix(head): a for name, a in self.arrays.items() if name.startswith(head)}
        if not found:
            raise ConfigError(f"the data of {self.task} has no split '{split}'; prepare it again")
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        from safetensors.numpy import save_file

        metadata = {"format": _FORMAT, "task": self.task, "facts": json.dumps(dict(self.facts))}
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        with atomic_output(path) as temporary:
            save_file(arrays, temporary, metadata=metadata)


def open_dataset(path: str | os.PathLike[str], *, task: str) -> Dataset:
    """Read what `Dataset.save` wrote.

    Parameters
    ----------
    path
        The file.
    task
        What it must be for.

    Raises
    ------
    ConfigError
        If there is no such file, it is damaged, or it is for another task.

    Examples
    --------
    >>> open_dataset("groove.safetensors", task="groove").facts["takes"]  # doctest: +SKIP
    1150
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise ConfigError(f"'{path}': no such file; make it with neurdsp music prepare {task}")
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            facts = json.loads(metadata.get("facts", "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ConfigError(f"'{path}' cannot be read ({reason}); prepare it again") from None
    if metadata.get("format") != _FORMAT or metadata.get("task") != task:
        found = metadata.get("task") or "something else"
        raise ConfigError(f"'{path}' holds data of {found}, not of {task}; make it with music prepare {task}")
    return Dataset(task, arrays, facts)
