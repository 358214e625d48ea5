"""The LSTM of the ``.nam`` format as a torch module: cheap to play, slow to train.

After A. Wright, E.-P. Damskägg, V. Välimäki, "Real-time black-box modelling with recurrent neural networks",
DAFx 2019. Torch computes both passes. An LSTM steps through time sample by sample, so a CPU is used best with
many short crops in a batch.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.amp.nam_config import LstmConfig, nam_document
from neurdsp.amp.network import AmpNetwork, double
from neurdsp.audio import FloatArray

__all__ = ["LstmNetwork"]

SETTLE_SAMPLES = 24_000
"""Silence before a render: half a second at 48 kHz, for which players let an LSTM settle."""


class LstmNetwork(AmpNetwork):
    """A stack of LSTM layers and a linear head, starting from states of zero.

    Parameters
    ----------
    config, input_scale, output_scale
        As in `AmpNetwork`.

    Examples
    --------
    >>> network = LstmNetwork(LstmConfig(hidden_size=4, burn_in=100))
    >>> network(torch.zeros(2, 300)).shape
    torch.Size([2, 200])
    """

    architecture = "nam.lstm"
    blocks_at_once = 32
    config: LstmConfig

    def __init__(self, config: LstmConfig, *, input_scale: float = 1.0, output_scale: float = 1.0) -> None:
        super().__init__(config, input_scale=input_scale, output_scale=output_scale)
        self.lstm = nn.LSTM(1, config.hidden_size, config.num_layers, batch_first=True)
        self.head = nn.Linear(config.hidden_size, 1)

    def forward(self, audio: Tensor) -> Tensor:
        """Compute the outputs after the burn-in, ``(batch, time - burn_in)``.

        Gradients do not reach into the burn-in.
        """
        signal = (audio * self.input_scale)[..., None]  # (batch, time, 1)
        burn_in = self.config.burn_in
        with torch.no_grad():
            _, state = self.lstm(signal[:, :burn_in])
        hidden, _ = self.lstm(signal[:, burn_in:], state)  # (batch, time - burn_in, hidden_size)
        output: Tensor = self.head(hidden)[..., 0] * self.output_scale
        return output

    def render(self, audio: Tensor) -> Tensor:
        """Compute an output for every input sample, after half a second of silence."""
        output: Tensor = self(functional.pad(audio, (SETTLE_SAMPLES, 0)))
        return output[:, output.shape[1] - audio.shape[1] :]

    def flat_weights(self) -> Tensor:
        """Return the list of the format, scales folded in: layers with states, then the head."""
        parts: list[Tensor] = []
        zeros = self.head.weight.new_zeros(2 * self.config.hidden_size)
        for layer in range(self.config.num_layers):
            names = (f"{name}_l{layer}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            inputs, states, *biases = (getattr(self.lstm, name) for name in names)
            inputs = inputs * self.input_scale if layer == 0 else inputs
            parts += [torch.cat([inputs, states], dim=1), biases[0] + biases[1], zeros]
        parts += [self.head.weight * self.output_scale, self.head.bias * self.output_scale]
        return torch.cat([part.reshape(-1) for part in parts])

    def folded(self) -> dict[str, FloatArray]:
        """Return ``weights (n_parameters,)``: the list of the format, in float32."""
        flat = self.flat_weights().detach().cpu().double().numpy()
        return {"weights": np.ascontiguousarray(flat, dtype=np.float32)}

    def twin(self, folded: Mapping[str, FloatArray]) -> Self:
        """Return a double precision network with the folded weights."""
        twin = type(self)(self.config).double()
        twin.load_flat(double(folded["weights"]))
        return twin

    def header(self, sample_rate: float) -> dict[str, Any]:
        """Return a ``.nam`` document without its weights."""
        return nam_document("LSTM", self.config.document(), sample_rate)

    def load_flat(self, weights: Tensor) -> None:
        """Load the list of the format into this network, whose scales must be one."""
        hidden, at = self.config.hidden_size, 0

        def take(*shape: int) -> Tensor:
            nonlocal at
            count = torch.Size(shape).numel()
            at += count
            return weights[at - count : at].reshape(shape)

        with torch.no_grad():
            for layer in range(self.config.num_layers):
                inputs = 1 if layer == 0 else hidden
                matrix = take(4 * hidden, inputs + hidden)
                getattr(self.lstm, f"weight_ih_l{layer}").copy_(matrix[:, :inputs])
                getattr(self.lstm, f"weight_hh_l{layer}").copy_(matrix[:, inputs:])
                getattr(self.lstm, f"bias_ih_l{layer}").copy_(take(4 * hidden))
                getattr(self.lstm, f"bias_hh_l{layer}").zero_()
                take(2 * hidden)  # the states, which are zero
            self.head.weight.copy_(take(1, hidden))
            self.head.bias.copy_(take(1))
