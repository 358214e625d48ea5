"""The music networks as peers run them: a step in torch, and one in ONNX Runtime with bound buffers.

Both keep what a step leaves behind: the state of the LSTM, and keys and values of the melody in a ring, so
that a step costs them one step, as it does the engine.
"""

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.music.config import EmotionConfig, MelodyConfig
from neurdsp.music.model import RMS_NORM_EPS, EmotionRecognizer, MelodyTransformer, Network
from neurdsp.music.prune import read_network

__all__ = ["onnx_file", "onnx_step", "torch_step"]


class _EmotionStep(nn.Module):
    """``(frame, h, c)`` to the outputs and the next state."""

    def __init__(self, network: EmotionRecognizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, frame: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make a step."""
        outputs, (h, c) = self.network(frame.view(1, 1, -1), (h, c))
        return outputs, h, c


def _rms_norm(norm: nn.Module, x: Tensor) -> Tensor:
    """Return what the norm gives, in operations that every version of ONNX has."""
    weight = norm.weight
    assert isinstance(weight, Tensor)
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + RMS_NORM_EPS) * weight


class _MelodyStep(nn.Module):
    """``(inputs, keys, values)`` to the logits and the caches, whose newest row is the last.

    Positions do not count here: only the time that a step takes does. Every step sees a full window.
    """

    def __init__(self, network: MelodyTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make a step."""
        net = self.network
        token = inputs[:1].long()
        x = net.token(token) + net.position.weight[:1] + net.condition(inputs[None, 1:])
        new_keys, new_values = [], []
        for number, layer in enumerate(net.blocks):
            block: Any = layer
            normed = _rms_norm(block.attention_norm, x)
            heads = block.heads
            query = block.query(normed).view(heads, 1, -1)
            key = torch.cat([keys[number, :, 1:], block.key(normed).view(heads, 1, -1)], 1)
            value = torch.cat([values[number, :, 1:], block.value(normed).view(heads, 1, -1)], 1)
            weight = torch.softmax(query @ key.transpose(1, 2) * query.shape[-1] ** -0.5, -1)
            x = x + block.out((weight @ value).view(1, -1))
            up = functional.gelu(block.up(_rms_norm(block.feed_forward_norm, x)), approximate="tanh")
            x = x + block.down(up)
            new_keys.append(key)
            new_values.append(value)
        return net.head(_rms_norm(net.norm, x)), torch.stack(new_keys), torch.stack(new_values)


def _stepper(network: Network, inputs: NDArray[np.float32]) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return a module that makes a step, and what goes in: the inputs, then the first state."""
    given = torch.from_numpy(inputs)
    if isinstance(network, EmotionRecognizer):
        shape = network.config
        assert isinstance(shape, EmotionConfig)
        state = torch.zeros(1, 1, shape.hidden)
        return _EmotionStep(network).eval(), (given, state, state.clone())
    if isinstance(network, MelodyTransformer):
        config = network.config
        assert isinstance(config, MelodyConfig)
        cache = torch.zeros(config.blocks, config.heads, config.window, config.head_width)
        return _MelodyStep(network).eval(), (given, cache, cache.clone())
    return network.eval(), (given,)


def torch_step(path: str | os.PathLike[str], inputs: NDArray[np.float32]) -> Callable[[], object]:
    """Return a step of the network of a model file in torch, eagerly, on one thread.

    Parameters
    ----------
    path
        The model file.
    inputs
        ``(n_inputs,)``.
    """
    torch.set_num_threads(1)
    module, given = _stepper(read_network(path), inputs)
    state = list(given)

    def step() -> object:
        with torch.inference_mode():
            outputs = module(*state)
        if len(state) > 1:
            state[1:] = outputs[1:]
        return outputs

    return step


def onnx_file(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Write a step of the network of a model file as an ONNX graph.

    Parameters
    ----------
    path
        The model file.
    target
        The graph.
    """
    network = read_network(path)
    inputs = np.zeros(network.config.n_inputs, np.float32)
    module, given = _stepper(network, inputs)
    names = [f"input{number}" for number in range(len(given))]
    with warnings.catch_warnings():
        # The exporter by tracing says that it is the older one, and that an LSTM's batch is fixed: it is 1.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            given,
            os.fspath(target),
            input_names=names,
            output_names=[f"output{number}" for number in range(len(given))],
            opset_version=17,
            dynamo=False,
        )


def onnx_step(path: str | os.PathLike[str], inputs: NDArray[np.float32]) -> Callable[[], object]:
    """Return a step in ONNX Runtime on one thread, with inputs and outputs bound once.

    The state goes back and forth between two sets of buffers, so that nothing is copied.

    Parameters
    ----------
    path
        What `onnx_file` wrote.
    inputs
        ``(n_inputs,)``.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    wanted = [(entry.name, entry.shape) for entry in session.get_inputs()]
    told = [(entry.name, entry.shape) for entry in session.get_outputs()]

    def buffer(shape: Any) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))

    first = onnxruntime.OrtValue.ortvalue_from_numpy(inputs)
    states = [[buffer(shape) for _, shape in wanted[1:]] for _ in range(2)]
    outputs = buffer(told[0][1])
    bindings = []
    for turn in range(2):
        binding = session.io_binding()
        binding.bind_ortvalue_input(wanted[0][0], first)
        binding.bind_ortvalue_output(told[0][0], outputs)
        for number, (name, _) in enumerate(wanted[1:]):
            binding.bind_ortvalue_input(name, states[turn][number])
            binding.bind_ortvalue_output(told[1 + number][0], states[1 - turn][number])
        bindings.append(binding)
    turn = 0

    def step() -> object:
        nonlocal turn
        session.run_with_iobinding(bindings[turn])
        turn = 1 - turn
        return outputs

    return step
