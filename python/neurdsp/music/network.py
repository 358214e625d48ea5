"""A music network that runs without torch."""

import json
import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurdsp import _core
from neurdsp.config import build
from neurdsp.errors import ParameterError
from neurdsp.music.config import CONFIGS, Name, NetworkConfig

__all__ = ["MusicNetwork"]


class MusicNetwork:
    """One of the five networks, and one run of it.

    Parameters
    ----------
    path
        A model file of a music network, in float32 or int8.

    Attributes
    ----------
    name
        ``emotion``, ``melody``, ``harmony``, ``dynamics`` or ``groove``.
    precision
        ``float32`` or ``int8``.
    n_inputs, n_outputs
        Values that a step takes, and those that it gives.
    parameters
        The number of trained values.
    bytes
        Size of the weights in the file, scales of integers included.
    metadata
        Text by key, as the file has it.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    UnsupportedModelError
        If it holds no music network.

    Examples
    --------
    >>> groove = MusicNetwork("groove.safetensors")  # doctest: +SKIP
    >>> groove.step(np.zeros(64)).shape  # doctest: +SKIP
    (32,)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._network = _core.MusicNetwork(path)
        self.name: Name = self._network.name
        self.precision = self._network.precision
        self.n_inputs, self.n_outputs = self._network.n_inputs, self._network.n_outputs
        self.parameters, self.bytes = self._network.parameters, self._network.bytes
        self.metadata = self._network.metadata

    @property
    def config(self) -> NetworkConfig:
        """The shape of the network."""
        return build(CONFIGS[self.name], json.loads(self.metadata["neurdsp.config"]), source=self.name)

    @property
    def metrics(self) -> dict[str, Any]:
        """What was measured at export."""
        metrics: dict[str, Any] = json.loads(self.metadata["neurdsp.metrics"])
        return metrics

    def step(self, inputs: ArrayLike) -> NDArray[np.float32]:
        """Make a step, or several that follow each other.

        Emotion takes a mel frame, melody a token and the condition behind it, the others their features.
        What emotion and melody give depends on the steps since the last `reset`; of the others, rows are a
        batch.

        Parameters
        ----------
        inputs
            ``(n_inputs,)``, or ``(n_steps, n_inputs)``; finite.

        Returns
        -------
        ndarray of float32
            ``(n_outputs,)``, or ``(n_steps, n_outputs)``.

        Raises
        ------
        ParameterError
            If the shape is another, a value is not finite, or a token is none.
        """
        values = np.ascontiguousarray(inputs, dtype=np.float32)
        if values.ndim not in (1, 2) or values.shape[-1] != self.n_inputs:
            raise ParameterError(
                f"inputs have shape {list(values.shape)}, but {self.name} takes [{self.n_inputs}] or "
                f"[n_steps, {self.n_inputs}]"
            )
        return self._network.step(values)

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._network.reset()
