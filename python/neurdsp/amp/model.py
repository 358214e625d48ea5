"""The residual WaveNet in torch: training's twin of the Rust engine.

A stack of dilated causal convolutions, each with tanh and a residual path, between a 1-to-C and a C-to-1
convolution; after A. van den Oord et al., "WaveNet: a generative model for raw audio", 2016, and, for
amps, E.-P. Damskägg, L. Juvela, E. Thuillier, V. Välimäki, "Deep learning for tube amplifier emulation",
ICASSP 2019, without gates and skips.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.amp.config import WaveNetConfig

__all__ = ["WaveNet"]


class _Layer(nn.Module):
    """``h + tanh(conv(h))`` without padding: the output is ``(kernel_size - 1) * dilation`` shorter."""

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        self.reach = (kernel_size - 1) * dilation

    def forward(self, hidden: Tensor) -> Tensor:
        """``(batch, channels, 1, time)`` to ``(batch, channels, 1, time - reach)``."""
        # As a 2-D convolution over channels-last memory the same arithmetic takes half the time on a CPU.
        weight = self.conv.weight.unsqueeze(2)  # (out, in, kernel) to (out, in, 1, kernel)
        dilation = (1, self.conv.dilation[0])
        convolved = functional.conv2d(hidden, weight, self.conv.bias, dilation=dilation)
        return hidden[..., self.reach :] + torch.tanh(convolved)


class WaveNet(nn.Module):
    """The network of an amp model.

    The names of its parameters are those of the tensors in the model file: ``input_conv``,
    ``layers.{i}.conv``, ``output_conv``, each with ``weight`` and ``bias``. The two scales are constants
    of a run, set from the levels of the recordings before training and folded into the first and the last
    convolution at export.

    Parameters
    ----------
    config
        The shape.
    input_scale
        Factor on the input; about one over its level.
    output_scale
        Factor on the output; about a tenth of the level of the target, from which training starts best.

    Examples
    --------
    >>> model = WaveNet(WaveNetConfig(channels=4, num_layers=2))
    >>> model(torch.zeros(1, 100)).shape  # the receptive field is 7
    torch.Size([1, 94])
    """

    def __init__(self, config: WaveNetConfig, *, input_scale: float = 1.0, output_scale: float = 1.0) -> None:
        super().__init__()
        self.config = config
        self.input_scale = input_scale
        self.output_scale = output_scale
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

    @property
    def receptive_field(self) -> int:
        """How many input samples an output sample depends on."""
        return self.config.receptive_field

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
        weight, bias = self.input_conv.weight, self.input_conv.bias
        scaled = (audio * self.input_scale)[:, None, None, :]  # (batch, 1, 1, time)
        hidden = functional.conv2d(scaled, weight.unsqueeze(2), bias)  # (batch, channels, 1, time)
        hidden = hidden.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            hidden = layer(hidden)
        weight, bias = self.output_conv.weight, self.output_conv.bias
        output = functional.conv2d(hidden, weight.unsqueeze(2), bias)  # (batch, 1, 1, time')
        return output[:, 0, 0, :] * self.output_scale

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
