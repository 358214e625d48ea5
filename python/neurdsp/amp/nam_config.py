"""Shapes of the ``.nam`` networks that can be trained, and their documents. Needs no torch."""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from neurdsp.config import Config

__all__ = ["NAM_VERSION", "LayerArrayConfig", "LstmConfig", "NamWaveNetConfig", "Weights", "nam_document"]

NAM_VERSION = "0.6.0"
"""Version of the ``.nam`` format in which networks are written."""

ActivationName = Literal["Tanh", "Hardtanh", "ReLU", "LeakyReLU", "Sigmoid", "SiLU", "Hardswish", "Softsign"]

MAX_RECEPTIVE_FIELD = 1 << 20
MAX_PARAMETERS = 1 << 24


def nam_document(architecture: str, config: dict[str, Any], sample_rate: float) -> dict[str, Any]:
    """Return a ``.nam`` document whose list of weights is still empty.

    Parameters
    ----------
    architecture
        ``WaveNet`` or ``LSTM``.
    config
        As `NamWaveNetConfig.document` and `LstmConfig.document` return it.
    sample_rate
        In Hz.

    Examples
    --------
    >>> nam_document("LSTM", LstmConfig().document(), 48_000)["version"]
    '0.6.0'
    """
    return {
        "version": NAM_VERSION,
        "weights": [],
        "sample_rate": sample_rate,
        "architecture": architecture,
        "config": config,
    }


@dataclass(frozen=True)
class Weights:
    """One tensor of the flat list of weights.

    Parameters
    ----------
    name
        Its place in the network, such as ``arrays.0.layers.3.conv.weight``.
    shape
        As in PyTorch.
    fan_in
        Number of values that each output sums.
    on_input
        Whether it multiplies the input of the network.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int
    on_input: bool = False

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


class LayerArrayConfig(Config):
    """A layer array: a stack of layers of the same width.

    Parameters
    ----------
    channels
        Channels of the residual signal.
    bottleneck
        Channels after the activation; null means ``channels``.
    kernel_size
        Taps of the dilated convolutions: one number for all layers, or one each.
    dilations
        Dilation of each layer, in samples.
    activation
        One name for all layers, or one each.
    gated
        Whether each layer is multiplied by a sigmoid gate of its own.
    layer1x1
        Whether a linear map of the activation is added to the residual signal.
    head1x1
        Output channels of a linear map from the activation to the head signal; null means no map.
    head_kernel_size, head_bias
        Taps and bias of the convolution from the sum of the head signals to the head output.
    """

    channels: int = Field(ge=1, le=1024)
    bottleneck: int | None = Field(default=None, ge=1, le=1024)
    kernel_size: int | tuple[int, ...] = 3
    dilations: tuple[int, ...] = Field(min_length=1, max_length=256)
    activation: ActivationName | tuple[ActivationName, ...] = "Tanh"
    gated: bool = False
    layer1x1: bool = True
    head1x1: int | None = Field(default=None, ge=1, le=1024)
    head_kernel_size: int = Field(default=1, ge=1, le=1024)
    head_bias: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("kernel_size", "activation"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != len(self.dilations):
                raise ValueError(
                    f"{name} has {len(value)} entries and dilations {len(self.dilations)}; give one for each "
                    "layer, or a single one for all"
                )
        if not all(1 <= taps <= 1024 for taps in self.kernel_sizes):
            raise ValueError(f"kernel_size is {self.kernel_size}, but it must be 1 to 1024")
        if not all(1 <= dilation <= 1 << 20 for dilation in self.dilations):
            raise ValueError(f"dilations are {self.dilations}, but each must be 1 to 1048576")
        if not self.layer1x1 and self.width != self.channels:
            raise ValueError(f"bottleneck is {self.width}, but without layer1x1 it must be {self.channels}")
        return self

    @property
    def width(self) -> int:
        """Channels after the activation."""
        return self.bottleneck or self.channels

    @property
    def kernel_sizes(self) -> tuple[int, ...]:
        """Taps of each layer."""
        sizes = self.kernel_size
        return sizes if isinstance(sizes, tuple) else (sizes,) * len(self.dilations)

    @property
    def reach(self) -> int:
        """How many earlier samples the array reads, its head included."""
        layers = zip(self.kernel_sizes, self.dilations, strict=True)
        return sum((taps - 1) * dilation for taps, dilation in layers) + self.head_kernel_size - 1

    def weights(self, name: str, input_size: int, head_size: int) -> list[Weights]:
        """List the tensors in the order of the format."""
        rows, first = self.width * (2 if self.gated else 1), input_size == 1 and name == "arrays.0"

        def linear(
            part: str, outputs: int, inputs: int, taps: int = 1, *, bias: bool = True
        ) -> list[Weights]:
            fan_in = inputs * taps
            weight = Weights(f"{part}.weight", (outputs, inputs, taps), fan_in)
            return [weight, Weights(f"{part}.bias", (outputs,), fan_in)] if bias else [weight]

        found = [Weights(f"{name}.rechannel.weight", (self.channels, input_size, 1), input_size, first)]
        for index, taps in enumerate(self.kernel_sizes):
            layer = f"{name}.layers.{index}"
            found += linear(f"{layer}.conv", rows, self.channels, taps)
            found.append(Weights(f"{layer}.input_mixin.weight", (rows, 1, 1), 1, on_input=True))
            if self.layer1x1:
                found += linear(f"{layer}.layer1x1", self.channels, self.width)
            if self.head1x1 is not None:
                found += linear(f"{layer}.head1x1", self.head1x1, self.width)
        inputs = self.head1x1 or self.width
        return found + linear(f"{name}.head", head_size, inputs, self.head_kernel_size, bias=self.head_bias)

    def document(self, input_size: int, head_size: int) -> dict[str, Any]:
        """Return the array with the keys of version 0.6 of the format and later."""
        one = isinstance(self.kernel_size, int)
        head = {"out_channels": head_size, "kernel_size": self.head_kernel_size, "bias": self.head_bias}
        return {
            "input_size": input_size,
            "condition_size": 1,
            "channels": self.channels,
            "bottleneck": self.width,
            "kernel_size" if one else "kernel_sizes": self.kernel_size if one else list(self.kernel_sizes),
            "dilations": list(self.dilations),
            "activation": self.activation if isinstance(self.activation, str) else list(self.activation),
            "gating_mode": "gated" if self.gated else "none",
            "layer1x1": {"active": self.layer1x1, "groups": 1},
            "head1x1": {"active": self.head1x1 is not None, "out_channels": self.head1x1 or self.channels},
            "head": head,
        }


class NamWaveNetConfig(Config):
    """Shape of a WaveNet of the ``.nam`` format.

    Parameters
    ----------
    arrays
        The layer arrays. The head output of each has as many channels as the next array, of the last one 1.

    Examples
    --------
    >>> NamWaveNetConfig(arrays=[{"channels": 2, "dilations": [1, 2]}]).receptive_field
    7
    """

    arrays: tuple[LayerArrayConfig, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        for before, array in zip(self.arrays, self.arrays[1:], strict=False):
            if (array.head1x1 or array.width) != array.channels:
                raise ValueError(
                    f"an array of {array.channels} channels adds {array.head1x1 or array.width} channels to "
                    f"the head signal of the array before, which has {before.channels}; set head1x1"
                )
        for what, got, most in (
            ("the receptive field", self.receptive_field, MAX_RECEPTIVE_FIELD),
            ("the number of parameters", self.n_parameters, MAX_PARAMETERS),
        ):
            if got > most:
                raise ValueError(
                    f"{what} would be {got}, at most {most} is allowed; make the network smaller"
                )
        return self

    @property
    def receptive_field(self) -> int:
        """How many input samples, the current one included, an output sample depends on."""
        return 1 + sum(array.reach for array in self.arrays)

    @property
    def n_parameters(self) -> int:
        """Number of values in the flat list, the output scale included."""
        return sum(weights.size for weights in self.weights()) + 1

    def _sizes(self) -> list[tuple[LayerArrayConfig, int, int]]:
        """Return each array with its input channels and the channels of its head output."""
        inputs = [1, *(array.channels for array in self.arrays)]
        heads = [*(array.channels for array in self.arrays[1:]), 1]
        return [(array, inputs[i], heads[i]) for i, array in enumerate(self.arrays)]

    def weights(self) -> list[Weights]:
        """List all tensors in the order of the flat list, without the output scale that ends it."""
        return [
            weights
            for index, (array, input_size, head_size) in enumerate(self._sizes())
            for weights in array.weights(f"arrays.{index}", input_size, head_size)
        ]

    def document(self, head_scale: float = 1.0) -> dict[str, Any]:
        """Return the ``config`` of a ``.nam`` file."""
        layers = [array.document(inputs, head) for array, inputs, head in self._sizes()]
        return {"layers": layers, "head": None, "head_scale": head_scale}

    @property
    def network(self) -> str:
        """The network in JSON, as the training operators take it."""
        return json.dumps(self.document())


class LstmConfig(Config):
    """Shape of an LSTM of the ``.nam`` format.

    Parameters
    ----------
    hidden_size
        Size of each layer's state.
    num_layers
        Number of stacked layers.
    burn_in
        Samples before each training crop that only warm up the state.

    Examples
    --------
    >>> LstmConfig(hidden_size=16).n_parameters
    1201
    """

    hidden_size: int = Field(default=24, ge=1, le=512)
    num_layers: int = Field(default=1, ge=1, le=8)
    burn_in: int = Field(default=2048, ge=1, le=1 << 17)

    @property
    def receptive_field(self) -> int:
        """How many input samples an output of a crop depends on; an LSTM's own memory is unbounded."""
        return 1 + self.burn_in

    @property
    def n_parameters(self) -> int:
        """Number of values in the flat list, the initial states included."""
        size = self.hidden_size
        layers = (
            4 * size * (inputs + size + 1) + 2 * size for inputs in [1, *[size] * (self.num_layers - 1)]
        )
        return sum(layers) + size + 1

    def document(self) -> dict[str, Any]:
        """Return the ``config`` of a ``.nam`` file."""
        return {"input_size": 1, "hidden_size": self.hidden_size, "num_layers": self.num_layers}

    @property
    def network(self) -> str:
        """The network in JSON."""
        return json.dumps(self.document())
