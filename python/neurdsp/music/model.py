"""The five music networks in torch: for training, and as what the engine is judged by.

Sources: S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); A. Vaswani et
al., "Attention is all you need", arXiv 1706.03762; B. Zhang, R. Sennrich, "Root mean square layer
normalization", arXiv 1910.07467; J. L. Ba et al., "Layer normalization", arXiv 1607.06450.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.errors import ParameterError
from neurdsp.music.config import (
    DynamicsConfig,
    EmotionConfig,
    GrooveConfig,
    HarmonyConfig,
    MelodyConfig,
    NetworkConfig,
)

__all__ = [
    "DynamicsEngine",
    "EmotionRecognizer",
    "GroovePredictor",
    "HarmonyPredictor",
    "MelodyTransformer",
    "Network",
    "fake_quantise",
    "network_of",
    "quantised",
]

LSTMState: TypeAlias = tuple[Tensor, Tensor]

RMS_NORM_EPS = 1e-6
LAYER_NORM_EPS = 1e-5


def fake_quantise(values: Tensor) -> Tensor:
    """Round each row to 8 bits as the engine does, and let gradients through as if it had not.

    Parameters
    ----------
    values
        ``(..., n)``; each row has a scale of its own, its largest magnitude over 127.

    Returns
    -------
    Tensor
        The rounded values, of that shape.

    Examples
    --------
    >>> fake_quantise(torch.tensor([127.0, 0.6, -3.2])).tolist()
    [127.0, 1.0, -3.0]
    """
    with torch.no_grad():
        largest = values.abs().amax(-1, keepdim=True).clamp_min(1e-30)
        rounded = torch.round(values * (127.0 / largest)) * (largest / 127.0)
    return values + (rounded - values).detach()


class Linear(nn.Linear):
    """A linear layer that can also compute as the engine does in int8."""

    quantised = False

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., n_in)`` to ``(..., n_out)``."""
        if not self.quantised:
            return functional.linear(x, self.weight, self.bias)
        return functional.linear(fake_quantise(x), fake_quantise(self.weight), self.bias)


class Embedding(nn.Embedding):
    """A table whose rows can be rounded as the engine rounds them in int8."""

    quantised = False

    def forward(self, index: Tensor) -> Tensor:
        """Look up rows: ``(...)`` to ``(..., width)``."""
        rows = super().forward(index)
        return fake_quantise(rows) if self.quantised else rows


class Lstm(nn.LSTM):
    """One layer, batch first, that can also compute as the engine does in int8."""

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor
    quantised = False

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:  # type: ignore[override]
        """Run ``(batch, steps, inputs)`` from a state: the hidden values of all steps, and the last state."""
        if not self.quantised:
            hidden, after = super().forward(x, state)
            return hidden, after
        # The rows of the engine are the inputs and the hidden values apart, each with a scale of its own.
        from_input = functional.linear(fake_quantise(x), fake_quantise(self.weight_ih_l0), self.bias_ih_l0)
        recurrent = fake_quantise(self.weight_hh_l0)
        if state is None:
            zero = x.new_zeros(x.shape[0], self.hidden_size)
            h, c = zero, zero
        else:
            h, c = state[0][0], state[1][0]
        steps = []
        for gates in from_input.unbind(1):
            gates = gates + functional.linear(fake_quantise(h), recurrent, self.bias_hh_l0)
            i, f, g, o = gates.chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps, 1), (h[None], c[None])


class Network(nn.Module):
    """What the five have in common: a shape, and steps as the engine makes them."""

    config: NetworkConfig

    def steps(self, inputs: Tensor) -> Tensor:
        """Run steps one after another from the first state, as the engine does.

        Parameters
        ----------
        inputs
            ``(steps, n_inputs)``.

        Returns
        -------
        Tensor
            ``(steps, n_outputs)``.
        """
        outputs: Tensor = self(inputs)
        return outputs


class EmotionRecognizer(Network):
    """Valence and arousal from mel frames."""

    def __init__(self, config: EmotionConfig | None = None) -> None:
        super().__init__()
        config = config or EmotionConfig()
        self.config = config
        self.input = Linear(config.mels, config.first, bias=False)
        self.hidden = Linear(config.first, config.second, bias=False)
        self.lstm = Lstm(config.second, config.hidden)
        self.output = Linear(config.hidden, config.outputs, bias=False)
        with torch.no_grad():  # remember for seconds from the start: a mood is heard over many frames
            self.lstm.bias_hh_l0[config.hidden : 2 * config.hidden] = torch.linspace(1, 4, config.hidden)

    def forward(self, mel: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Run ``(batch, frames, mels)``: ``(batch, frames, outputs)``, and the state after the frames."""
        x = torch.tanh(self.hidden(torch.tanh(self.input(mel))))
        hidden, state = self.lstm(x, state)
        return torch.tanh(self.output(hidden)), state

    def steps(self, inputs: Tensor) -> Tensor:
        """See `Network.steps`."""
        outputs: Tensor = self(inputs[None])[0][0]
        return outputs


class _RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, RMS_NORM_EPS)


class _Block(nn.Module):
    """Attention over a sliding window, then two layers, both with shortcuts."""

    def __init__(self, config: MelodyConfig) -> None:
        super().__init__()
        self.heads = config.heads
        width, inner = config.width, config.heads * config.head_width
        self.attention_norm = _RmsNorm(width)
        self.query, self.key, self.value = (Linear(width, inner) for _ in range(3))
        self.out = Linear(inner, width)
        self.feed_forward_norm = _RmsNorm(width)
        self.up, self.down = Linear(width, config.hidden), Linear(config.hidden, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map ``(batch, steps, width)``; the mask ``(steps, steps)`` is true where a step sees another."""
        normed = self.attention_norm(x)
        # (batch, heads, steps, head_width)
        query, key, value = (
            layer(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.out(seen.transpose(1, 2).flatten(-2))
        up = functional.gelu(self.up(self.feed_forward_norm(x)), approximate="tanh")
        after: Tensor = x + self.down(up)
        return after


class MelodyTransformer(Network):
    """Logits of the next sixteenth of a melody."""

    def __init__(self, config: MelodyConfig | None = None) -> None:
        super().__init__()
        config = config or MelodyConfig()
        self.config = config
        self.window = config.window
        self.token = Embedding(config.tokens, config.width)
        self.position = Embedding(config.window, config.width)
        self.condition = Linear(config.condition, config.width)
        self.blocks = nn.ModuleList([_Block(config) for _ in range(config.blocks)])
        self.norm = _RmsNorm(config.width)
        self.head = Linear(config.width, config.tokens)
        for table in (self.token, self.position):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, tokens: Tensor, condition: Tensor, first: int = 0) -> Tensor:
        """Run the steps of melodies.

        Parameters
        ----------
        tokens
            Whole numbers, ``(batch, steps)``.
        condition
            ``(batch, steps, condition)``, or ``(batch, 1, condition)`` for one that stays.
        first
            Number of the first step: positions count from it, modulo the window. No step sees one before it.

        Returns
        -------
        Tensor
            Logits of the token after each step, ``(batch, steps, tokens)``.
        """
        step = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.token(tokens) + self.position((step + first) % self.window) + self.condition(condition)
        age = step[:, None] - step
        mask = (age >= 0) & (age < self.window)
        for block in self.blocks:
            x = block(x, mask)
        logits: Tensor = self.head(self.norm(x))
        return logits

    def steps(self, inputs: Tensor) -> Tensor:
        """See `Network.steps`; the first value of a step is the token, the others are the condition."""
        outputs: Tensor = self(inputs[None, :, 0].long(), inputs[None, :, 1:])[0]
        return outputs


class HarmonyPredictor(Network):
    """Probabilities of the chords under a melody."""

    def __init__(self, config: HarmonyConfig | None = None) -> None:
        super().__init__()
        config = config or HarmonyConfig()
        self.config = config
        self.input = Linear(config.inputs, config.first)
        self.hidden = Linear(config.first, config.second, bias=False)
        self.output = Linear(config.second, config.outputs)

    def logits(self, features: Tensor) -> Tensor:
        """Return ``(..., outputs)`` before the softmax, for a loss."""
        x = torch.tanh(self.hidden(torch.tanh(self.input(features))))
        logits: Tensor = self.output(x)
        return logits

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(..., inputs)`` to probabilities ``(..., outputs)``."""
        return torch.softmax(self.logits(features), -1)


class DynamicsEngine(Network):
    """Velocities from 0 to 1 from a condition."""

    def __init__(self, config: DynamicsConfig | None = None) -> None:
        super().__init__()
        config = config or DynamicsConfig()
        self.config = config
        self.input = Linear(config.inputs, config.first)
        self.hidden = Linear(config.first, config.second, bias=False)
        self.output = Linear(config.second, config.outputs)

    def forward(self, condition: Tensor) -> Tensor:
        """Map a condition ``(..., inputs)`` to velocities ``(..., outputs)``."""
        x = torch.relu(self.hidden(torch.relu(self.input(condition))))
        return torch.sigmoid(self.output(x))


class GroovePredictor(Network):
    """Offsets and velocities of one voice, from -1 to 1."""

    def __init__(self, config: GrooveConfig | None = None) -> None:
        super().__init__()
        config = config or GrooveConfig()
        self.config = config
        self.input = Linear(config.inputs, config.first)
        self.input_norm = nn.LayerNorm(config.first, eps=LAYER_NORM_EPS)
        self.hidden = Linear(config.first, config.second)
        self.hidden_norm = nn.LayerNorm(config.second, eps=LAYER_NORM_EPS)
        self.output = Linear(config.second, config.outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(..., inputs)`` to offsets, then velocities, ``(..., outputs)``."""
        x = torch.tanh(self.input_norm(self.input(features)))
        x = torch.tanh(self.hidden_norm(self.hidden(x)))
        return torch.tanh(self.output(x))


def network_of(config: NetworkConfig) -> Network:
    """Build the network of a shape, with random weights.

    Parameters
    ----------
    config
        A shape of `neurdsp.music.config`.

    Returns
    -------
    Network
        The network.

    Raises
    ------
    ParameterError
        If the shape is that of no network.

    Examples
    --------
    >>> from neurdsp.music.config import GrooveConfig
    >>> sum(value.numel() for value in network_of(GrooveConfig()).parameters())
    19040
    """
    match config:
        case EmotionConfig():
            return EmotionRecognizer(config)
        case MelodyConfig():
            return MelodyTransformer(config)
        case HarmonyConfig():
            return HarmonyPredictor(config)
        case DynamicsConfig():
            return DynamicsEngine(config)
        case GrooveConfig():
            return GroovePredictor(config)
    raise ParameterError(f"{type(config).__name__} is the shape of no music network")


@contextmanager
def quantised(network: nn.Module) -> Iterator[None]:
    """Let a network compute in int8 for a scope, as the engine does: to train for it, and to judge it.

    Weights stay as they are; gradients pass the rounding unchanged.

    Parameters
    ----------
    network
        The network.

    Examples
    --------
    >>> network = GroovePredictor()
    >>> with quantised(network):
    ...     rounded = network(torch.ones(64))
    >>> bool((rounded != network(torch.ones(64))).any())
    True
    """
    layers = [module for module in network.modules() if isinstance(module, Linear | Embedding | Lstm)]
    for layer in layers:
        layer.quantised = True
    try:
        yield
    finally:
        for layer in layers:
            layer.quantised = False
