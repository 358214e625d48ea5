"""The networks of amp models as torch modules: training's twins of the Rust engine.

Both are stacks of dilated causal convolutions; after A. van den Oord et al., "WaveNet: a generative model for
raw audio", 2016, and, for amps, E.-P. Damskägg, L. Juvela, E. Thuillier, V. Välimäki, "Deep learning for tube
amplifier emulation", ICASSP 2019. On a CPU both passes run in the Rust core, elsewhere in plain torch.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.amp.config import WaveNetConfig
from neurdsp.amp.nam_config import LstmConfig, NamWaveNetConfig
from neurdsp.nn.wavenet import wavenet

__all__ = ["AmpNetwork", "NamWaveNet", "WaveNet", "build_network"]


class AmpNetwork(nn.Module):
    """What the networks share.

    The two scales are constants of a run, set from the levels of the recordings before training and folded
    into the weights at export.

    Parameters
    ----------
    config
        The shape.
    input_scale
        Factor on the input; about one over its level.
    output_scale
        Factor on the output; about a tenth of the level of the target, from which training starts best.
    """

    blocks_at_once = 1
    """How many stretches of a long signal to compute in one batch."""

    def __init__(
        self,
        config: WaveNetConfig | NamWaveNetConfig | LstmConfig,
        *,
        input_scale: float = 1.0,
        output_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.config = config
        self.input_scale = input_scale
        self.output_scale = output_scale
        self._network = config.network

    @property
    def receptive_field(self) -> int:
        """How many input samples an output sample depends on."""
        return self.config.receptive_field

    def flat_weights(self) -> Tensor:
        """Return the weights as the training operator reads them, ``(n_parameters,)``."""
        raise NotImplementedError

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
            ``receptive_field - 1``. What an engine would compute earlier depends on what it heard before,
            so it is no part of any loss.
        """
        return wavenet(self.flat_weights(), audio * self.input_scale, self._network)

    def render(self, audio: Tensor) -> Tensor:
        """Compute an output for every input sample, as if the input had been zeros for ever before.

        That is the state of a prewarmed engine.

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


class _Layer(nn.Module):
    """The parameters of ``h + tanh(conv(h))``."""

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)


class WaveNet(AmpNetwork):
    """The residual WaveNet: each layer adds tanh of its convolution to the signal; no gates and no skips.

    The names of its parameters are those of the tensors in the model file: ``input_conv``,
    ``layers.{i}.conv``, ``output_conv``, each with ``weight`` and ``bias``.

    Parameters
    ----------
    config, input_scale, output_scale
        As in :class:`AmpNetwork`.

    Examples
    --------
    >>> model = WaveNet(WaveNetConfig(channels=4, num_layers=2))
    >>> model(torch.zeros(1, 100)).shape  # the receptive field is 7
    torch.Size([1, 94])
    """

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
        """Glorot weights for tanh, small biases that differ, and an output that starts near silence."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.xavier_normal_(module.weight)
                nn.init.uniform_(module.bias, -0.1, 0.1) if module.bias is not None else None
        nn.init.zeros_(self.output_conv.bias)  # type: ignore[arg-type]

    def flat_weights(self) -> Tensor:
        """Return the tensors one after the other; those of the output are scaled."""
        *others, weight, bias = self.parameters()
        scaled = [weight * self.output_scale, bias * self.output_scale]
        return torch.cat([tensor.reshape(-1) for tensor in (*others, *scaled)])


class NamWaveNet(AmpNetwork):
    """A WaveNet of the ``.nam`` format, conditioned by its input.

    Its one parameter is the flat list of weights of the format, without the scale that ends it: that is
    ``output_scale``.

    Parameters
    ----------
    config, input_scale, output_scale
        As in :class:`AmpNetwork`.

    Examples
    --------
    >>> config = NamWaveNetConfig(arrays=[{"channels": 2, "dilations": [1, 2]}])
    >>> NamWaveNet(config)(torch.zeros(1, 100)).shape  # the receptive field is 7
    torch.Size([1, 94])
    """

    config: NamWaveNetConfig

    def __init__(
        self, config: NamWaveNetConfig, *, input_scale: float = 1.0, output_scale: float = 1.0
    ) -> None:
        super().__init__(config, input_scale=input_scale, output_scale=output_scale)
        # As PyTorch initialises convolutions, which is what NAM's trainer begins with too.
        parts = []
        for weights in config.weights():
            bound = 1 / math.sqrt(weights.fan_in)
            parts.append(torch.empty(weights.size).uniform_(-bound, bound))
        self.weights = nn.Parameter(torch.cat(parts))

    def flat_weights(self) -> Tensor:
        """Return the list of the format."""
        return torch.cat([self.weights, self.weights.new_tensor([self.output_scale])])

    def folded_weights(self) -> Tensor:
        """Return the list with the input scale folded into every weight that multiplies the input."""
        factors = [
            self.weights.new_full((weights.size,), self.input_scale if weights.on_input else 1.0)
            for weights in self.config.weights()
        ]
        return self.flat_weights() * torch.cat([*factors, self.weights.new_ones(1)])


def build_network(
    config: WaveNetConfig | NamWaveNetConfig | LstmConfig,
    *,
    input_scale: float = 1.0,
    output_scale: float = 1.0,
) -> AmpNetwork:
    """Return the module of a shape, freshly initialised."""
    if isinstance(config, LstmConfig):
        from neurdsp.amp.lstm import LstmNetwork  # which builds on this module

        return LstmNetwork(config, input_scale=input_scale, output_scale=output_scale)
    if isinstance(config, NamWaveNetConfig):
        return NamWaveNet(config, input_scale=input_scale, output_scale=output_scale)
    return WaveNet(config, input_scale=input_scale, output_scale=output_scale)
