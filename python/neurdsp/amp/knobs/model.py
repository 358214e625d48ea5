"""A WaveNet with knobs in torch: its weights depend on the knobs, and are folded before it plays.

A small network maps knob positions to a scale and a shift of each row of the WaveNet's convolutions. This is
the modulation of E. Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", 2018, of the
output of a convolution, expressed as a change of its weights and bias. At fixed positions the model is an
ordinary WaveNet.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.amp.model import NamWaveNet
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.audio import FloatArray
from neurdsp.nn.wavenet import wavenet

__all__ = ["ParametricWaveNet"]

HIDDEN = 16
RANK = 8


class ParametricWaveNet(nn.Module):
    """A WaveNet whose weights are a function of knob positions.

    Parameters
    ----------
    config
        Shape of the WaveNet.
    n_knobs
        Number of knobs.
    input_scale, output_scale
        As in `neurdsp.amp.network.AmpNetwork`.

    Examples
    --------
    >>> config = NamWaveNetConfig(arrays=[{"channels": 2, "dilations": [1, 2]}])
    >>> ParametricWaveNet(config, n_knobs=2)(torch.zeros(1, 100), [0.5, 1.0]).shape
    torch.Size([1, 94])
    """

    rows: Tensor
    is_bias: Tensor

    def __init__(
        self, config: NamWaveNetConfig, n_knobs: int, *, input_scale: float = 1.0, output_scale: float = 1.0
    ) -> None:
        super().__init__()
        self.config, self.n_knobs = config, n_knobs
        self.input_scale, self.output_scale = input_scale, output_scale
        self._network = config.network
        self.weights = NamWaveNet(config).weights  # (n,)
        self.hidden = nn.Linear(n_knobs, HIDDEN)
        self.output = nn.Linear(HIDDEN, RANK)
        # Begin almost linear over the range of a knob: initial curvature would remain where nothing was
        # captured. With three captures of a waveshaper, the error between them was a sixth of that with
        # slopes four times as steep.
        nn.init.normal_(self.hidden.weight, 0, 0.35 / math.sqrt(n_knobs))
        nn.init.uniform_(self.hidden.bias, -0.3, 0.3)
        nn.init.normal_(self.output.weight, 0, 0.7 / math.sqrt(HIDDEN))
        nn.init.uniform_(self.output.bias, -0.15, 0.15)
        rows, is_bias, n_rows = _rows(config)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("is_bias", is_bias, persistent=False)
        # With zeros, training begins with the same network at all positions.
        self.scale = nn.Parameter(torch.zeros(RANK, n_rows))
        self.shift = nn.Parameter(torch.zeros(RANK, n_rows))
        self.level = nn.Parameter(torch.zeros(RANK))

    @property
    def receptive_field(self) -> int:
        """How many input samples an output sample depends on."""
        return self.config.receptive_field

    def shares(self, positions: Sequence[float]) -> Tensor:
        """Return the weight of each row of the basis at these positions, ``(RANK,)``."""
        centred = 2 * torch.as_tensor(positions, dtype=self.weights.dtype, device=self.weights.device) - 1
        shares: Tensor = torch.tanh(self.output(torch.tanh(self.hidden(centred))))
        return shares

    def flat_weights(self, positions: Sequence[float]) -> Tensor:
        """Return the flat list of the ``.nam`` format at these positions, ``(n + 1,)``."""
        shares = self.shares(positions)
        scale, shift = (shares @ self.scale)[self.rows], (shares @ self.shift)[self.rows]
        weights = self.weights * (1 + scale) + shift * self.is_bias
        return torch.cat([weights, self.output_scale * (1 + shares @ self.level)[None]])

    def forward(self, audio: Tensor, positions: Sequence[float]) -> Tensor:
        """Compute the outputs whose whole receptive field lies in the input.

        Parameters
        ----------
        audio
            ``(batch, time)``, at least a receptive field long.
        positions
            Positions of all knobs, 0 to 1.

        Returns
        -------
        Tensor
            ``(batch, time - receptive_field + 1)``.
        """
        return wavenet(self.flat_weights(positions), audio * self.input_scale, self._network)

    def folded(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights ``(n + 1,)`` and the basis ``(RANK, n + 1)`` of a model file, in float64.

        The weights at given positions are these weights plus the rows of the basis, each times its share. The
        input scale is folded into every weight that multiplies the input.
        """
        with torch.no_grad():
            weights, scale, shift, level = (
                tensor.detach().cpu().double()
                for tensor in (self.weights, self.scale, self.shift, self.level)
            )
            rows, is_bias = self.rows.cpu(), self.is_bias.cpu().double()
            basis = scale[:, rows] * weights + shift[:, rows] * is_bias  # (RANK, n)
            factors = torch.cat(
                [
                    weights.new_full((part.size,), self.input_scale if part.on_input else 1.0)
                    for part in self.config.weights()
                ]
            )
            last = self.output_scale
            whole = torch.cat([weights * factors, weights.new_tensor([last])])
            moved = torch.cat([basis * factors, (level * last)[:, None]], dim=1)
        return whole.numpy(), moved.numpy()


def _rows(config: NamWaveNetConfig) -> tuple[Tensor, Tensor, int]:
    """Assign each value of the flat list to a row; a bias shares the rows of the weight before it.

    Returns
    -------
    tuple
        Row of each value ``(n,)``, 1 for biases and 0 for other values ``(n,)``, and the number of rows.
    """
    rows, is_bias, n_rows = [], [], 0
    for part in config.weights():
        outputs = part.shape[0]
        if len(part.shape) == 1:
            rows.append(np.arange(n_rows - outputs, n_rows))
        else:
            rows.append(np.repeat(np.arange(n_rows, n_rows + outputs), part.size // outputs))
            n_rows += outputs
        is_bias.append(np.full(part.size, float(len(part.shape) == 1), np.float32))
    return torch.from_numpy(np.concatenate(rows)), torch.from_numpy(np.concatenate(is_bias)), n_rows
