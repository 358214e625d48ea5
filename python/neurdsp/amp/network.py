"""What the torch networks of amp models share: two scales, the forward pass, and how they are written.

Each network knows how it is written: its weights with the scales folded in, its header, and the double
precision twin that computes the reference output of a model file.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.amp.config import NetworkConfig
from neurdsp.audio import FloatArray
from neurdsp.nn.wavenet import wavenet

__all__ = ["AmpNetwork"]


class AmpNetwork(nn.Module):
    """Base class of the networks.

    The two scales are constants of a run. They are set from the levels of the recordings before training, and
    folded into the weights at export.

    Parameters
    ----------
    config
        Shape of the network.
    input_scale
        Factor on the input; about one over its RMS.
    output_scale
        Factor on the output; about a tenth of the RMS of the target, from which training converges fastest.
    """

    architecture: ClassVar[str]
    """Name of the architecture in the model file."""

    blocks_at_once: ClassVar[int] = 1
    """How many stretches of a long signal to compute in one batch."""

    def __init__(self, config: NetworkConfig, *, input_scale: float = 1.0, output_scale: float = 1.0) -> None:
        super().__init__()
        self.config = config
        self.input_scale = input_scale
        self.output_scale = output_scale
        self._network = config.network

    @property
    def receptive_field(self) -> int:
        """How many input samples an output sample depends on."""
        return self.config.receptive_field

    @abstractmethod
    def flat_weights(self) -> Tensor:
        """Return the weights as the training operator reads them, ``(n_parameters,)``."""

    @abstractmethod
    def folded(self) -> dict[str, FloatArray]:
        """Return the weights in float32, by their names in the model file, with both scales folded in."""

    @abstractmethod
    def twin(self, folded: Mapping[str, FloatArray]) -> Self:
        """Return a double precision network that computes what the folded weights in a file compute."""

    @abstractmethod
    def header(self, sample_rate: float) -> dict[str, Any]:
        """Return the ``config`` of the model file."""

    def forward(self, audio: Tensor) -> Tensor:
        """Compute the outputs whose whole receptive field lies in the input.

        Parameters
        ----------
        audio
            ``(batch, time)``, at least a receptive field long.

        Returns
        -------
        Tensor
            ``(batch, time - receptive_field + 1)``; its first sample belongs to input sample
            ``receptive_field - 1``. Earlier outputs depend on input before the crop, so no loss uses them.
        """
        return wavenet(self.flat_weights(), audio * self.input_scale, self._network)

    def render(self, audio: Tensor) -> Tensor:
        """Compute an output for every input sample, with endless silence before the first one.

        This is the state of a prewarmed engine.

        Parameters
        ----------
        audio
            ``(batch, time)``.

        Returns
        -------
        Tensor
            ``(batch, time)``.
        """
        output: Tensor = self(functional.pad(audio, (self.receptive_field - 1, 0)))
        return output


def double(values: FloatArray) -> Tensor:
    """Return an array as a float64 tensor."""
    return torch.from_numpy(values).double()
