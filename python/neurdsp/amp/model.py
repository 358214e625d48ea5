"""The WaveNets of amp models as torch modules, and `build_network`, which makes the network of any config.

Both are stacks of dilated causal convolutions, after A. van den Oord et al., "WaveNet: a generative model for
raw audio", 2016, and, for amps, E.-P. Damskägg, L. Juvela, E. Thuillier, V. Välimäki, "Deep learning for tube
amplifier emulation", ICASSP 2019. On a CPU the Rust core computes forward and backward pass; on other devices
plain torch does.
"""

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.amp.config import NetworkConfig, WaveNetConfig
from neurdsp.amp.lstm import LstmNetwork
from neurdsp.amp.nam_config import LstmConfig, NamWaveNetConfig, nam_document
from neurdsp.amp.network import AmpNetwork, double
from neurdsp.audio import FloatArray

__all__ = ["NamWaveNet", "WaveNet", "build_network"]


class _Layer(nn.Module):
    """The parameters of ``h + tanh(conv(h))``."""

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)


class WaveNet(AmpNetwork):
    """The residual WaveNet: each layer adds the tanh of its convolution to the signal; no gates, no skips.

    Its parameters are named like the tensors of the model file: ``input_conv``, ``layers.{i}.conv`` and
    ``output_conv``, each with ``weight`` and ``bias``.

    Parameters
    ----------
    config, input_scale, output_scale
        As in `AmpNetwork`.

    Examples
    --------
    >>> model = WaveNet(WaveNetConfig(channels=4, num_layers=2))
    >>> model(torch.zeros(1, 100)).shape  # the receptive field is 7
    torch.Size([1, 94])
    """

    architecture = "amp.wavenet"
    config: WaveNetConfig

    def __init__(self, config: WaveNetConfig, *, input_scale: float = 1.0, output_scale: float = 1.0) -> None:
        super().__init__(config, input_scale=input_scale, output_scale=output_scale)
        self.input_conv = nn.Conv1d(1, config.channels, 1)
        self.layers = nn.ModuleList(
            _Layer(config.channels, config.kernel_size, dilation) for dilation in config.dilations
        )
        self.output_conv = nn.Conv1d(config.channels, 1, 1)
        self._initialise()

    def _initialise(self) -> None:
        """Use Glorot weights for tanh, small random biases, and an output that starts near silence."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.xavier_normal_(module.weight)
                nn.init.uniform_(module.bias, -0.1, 0.1) if module.bias is not None else None
        nn.init.zeros_(self.output_conv.bias)  # type: ignore[arg-type]

    def flat_weights(self) -> Tensor:
        """Return the tensors one after the other, with the output layer scaled."""
        *others, weight, bias = self.parameters()
        scaled = [weight * self.output_scale, bias * self.output_scale]
        return torch.cat([tensor.reshape(-1) for tensor in (*others, *scaled)])

    def folded(self) -> dict[str, FloatArray]:
        """Return the tensors by name.

        Returns
        -------
        dict
            ``input_conv.weight (C, 1, 1)``, ``layers.{i}.conv.weight (C, C, k)``, ``output_conv.weight
            (1, C, 1)`` and the biases ``(C,)``, ``(C,)``, ``(1,)``, in float32.
        """
        factors = {
            "input_conv.weight": self.input_scale,
            "output_conv.weight": self.output_scale,
            "output_conv.bias": self.output_scale,
        }
        return {
            name: _float32(tensor.detach().cpu().double() * factors.get(name, 1.0))
            for name, tensor in self.state_dict().items()
        }

    def twin(self, folded: Mapping[str, FloatArray]) -> Self:
        """Return a double precision network with the folded weights."""
        twin = type(self)(self.config).double()
        twin.load_state_dict({name: double(values) for name, values in folded.items()})
        return twin

    def header(self, sample_rate: float) -> dict[str, Any]:  # noqa: ARG002
        """Return the shape."""
        return self.config.model_dump()


class NamWaveNet(AmpNetwork):
    """A WaveNet of the ``.nam`` format, conditioned by its input.

    Its one parameter is the flat list of weights of the format, without the scale that ends the list: that is
    ``output_scale``.

    Parameters
    ----------
    config, input_scale, output_scale
        As in `AmpNetwork`.

    Examples
    --------
    >>> config = NamWaveNetConfig(arrays=[{"channels": 2, "dilations": [1, 2]}])
    >>> NamWaveNet(config)(torch.zeros(1, 100)).shape  # the receptive field is 7
    torch.Size([1, 94])
    """

    architecture = "nam.wavenet"
    config: NamWaveNetConfig

    def __init__(
        self, config: NamWaveNetConfig, *, input_scale: float = 1.0, output_scale: float = 1.0
    ) -> None:
        super().__init__(config, input_scale=input_scale, output_scale=output_scale)
        # PyTorch's initialisation of convolutions, which NAM's trainer uses too.
        parts = []
        for weights in config.weights():
            bound = 1 / math.sqrt(weights.fan_in)
            parts.append(torch.empty(weights.size).uniform_(-bound, bound))
        self.weights = nn.Parameter(torch.cat(parts))

    def flat_weights(self) -> Tensor:
        """Return the list of the format."""
        return torch.cat([self.weights, self.weights.new_tensor([self.output_scale])])

    def folded(self) -> dict[str, FloatArray]:
        """Return ``weights (n_parameters,)``: the list of the format, in float32."""
        weights = self.weights.detach().cpu().double()
        factors = [
            weights.new_full((part.size,), self.input_scale if part.on_input else 1.0)
            for part in self.config.weights()
        ]
        scaled = torch.cat([weights, weights.new_tensor([self.output_scale])])
        return {"weights": _float32(scaled * torch.cat([*factors, weights.new_ones(1)]))}

    def twin(self, folded: Mapping[str, FloatArray]) -> Self:
        """Return a double precision network with the folded weights."""
        values = double(folded["weights"])
        twin = type(self)(self.config, output_scale=float(values[-1])).double()
        twin.load_state_dict({"weights": values[:-1]})
        return twin

    def header(self, sample_rate: float) -> dict[str, Any]:
        """Return a ``.nam`` document without its weights."""
        head_scale = float(np.float32(self.output_scale))
        return nam_document("WaveNet", self.config.document(head_scale), sample_rate)


def _float32(values: Tensor) -> FloatArray:
    return np.ascontiguousarray(values.numpy(), dtype=np.float32)


def build_network(
    config: NetworkConfig, *, input_scale: float = 1.0, output_scale: float = 1.0
) -> AmpNetwork:
    """Return the network of a config, freshly initialised.

    Parameters
    ----------
    config
        Shape of the network; its class decides the architecture.
    input_scale, output_scale
        As in `AmpNetwork`.

    Examples
    --------
    >>> build_network(LstmConfig(hidden_size=4)).architecture
    'nam.lstm'
    """
    match config:
        case WaveNetConfig():
            return WaveNet(config, input_scale=input_scale, output_scale=output_scale)
        case NamWaveNetConfig():
            return NamWaveNet(config, input_scale=input_scale, output_scale=output_scale)
        case LstmConfig():
            return LstmNetwork(config, input_scale=input_scale, output_scale=output_scale)
