"""The operators ``neurdsp::wavenet`` and ``neurdsp::wavenet_backward``: WaveNets that train in the Rust core.

A network is a string, its config as JSON, and its weights are one flat tensor: the list of the ``.nam``
format, or the tensors of a residual network one after the other. What the forward pass keeps for the backward
pass is an output of the operator, bytes of a layout that is the core's own. The derivative of the backward
operator, which few need, is that of the mirror in plain torch, which also serves other devices.
"""

import json
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.nn import wavenet_mirror

__all__ = ["network_core", "wavenet"]

# Below this many multiplications starting threads costs more than it saves.
_WORTH_THREADS = 1 << 22


@lru_cache(maxsize=64)
def network_core(network: str) -> _core.WavenetTrainer:
    """Return the core's plan of a network, from the cache.

    Parameters
    ----------
    network
        As JSON: the config of a WaveNet of the ``.nam`` format, which has ``layers``, or ``channels``,
        ``num_layers``, ``kernel_size`` and ``dilation_base`` of a residual one.

    Raises
    ------
    ParameterError
        For a network that is out of bounds or cannot be trained, naming what is wrong.
    """
    tree = json.loads(network)
    if "layers" in tree:
        return _core.WavenetTrainer.nam(network)
    return _core.WavenetTrainer.residual(**tree)


def wavenet(weights: Tensor, audio: Tensor, network: str) -> Tensor:
    """Compute the outputs of a WaveNet whose whole receptive field lies in the input.

    On a CPU, forward and backward run in the Rust core, a crop of the batch on each of as many threads as
    torch may use; the result does not depend on their number. On other devices it is plain torch.

    Parameters
    ----------
    weights
        ``(n_parameters,)``, float32 or float64.
    audio
        ``(batch, n_samples)``, of the same type; at least a receptive field long.
    network
        As in `network_core`.

    Returns
    -------
    Tensor
        ``(batch, n_samples - receptive_field + 1)``.

    Raises
    ------
    ParameterError
        If a shape or a type does not fit, or the crops are shorter than a receptive field.

    Examples
    --------
    >>> network = '{"channels": 1, "num_layers": 1, "kernel_size": 2, "dilation_base": 1}'
    >>> weights = torch.tensor([1.0, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0], requires_grad=True)
    >>> wavenet(weights, torch.tensor([[0.0, 0.5]]), network).sum().backward()
    >>> weights.grad[-1]  # over the bias of the output
    tensor(1.)
    """
    core = network_core(network)
    if weights.shape != (core.n_parameters,):
        raise ParameterError(
            f"weights have shape {tuple(weights.shape)}, but this network has {core.n_parameters}; pass one "
            "flat tensor of them"
        )
    if audio.ndim != 2 or audio.dtype != weights.dtype or audio.dtype not in (torch.float32, torch.float64):
        raise ParameterError(
            f"audio is {audio.dtype} of shape {tuple(audio.shape)} and weights are {weights.dtype}; pass "
            "(batch, n_samples), both float32 or both float64"
        )
    if audio.shape[1] < core.receptive_field:
        raise ParameterError(
            f"audio has {audio.shape[1]} samples, fewer than the receptive field of {core.receptive_field}; "
            "pass longer crops"
        )
    if audio.device.type != "cpu":
        return wavenet_mirror.wavenet(weights, audio, network)
    output: Tensor = _forward(weights, audio, network)[0]
    return output


@torch.library.custom_op("neurdsp::wavenet", mutates_args=(), device_types="cpu")
def _forward(weights: Tensor, audio: Tensor, network: str) -> tuple[Tensor, Tensor]:
    core = network_core(network)
    values, rows = _plain(weights), _plain(audio)
    n_outputs = rows.shape[1] - core.receptive_field + 1
    output = rows.new_empty((rows.shape[0], n_outputs))
    threads = _threads(rows, core)
    tape = core.forward(values.numpy(), rows.numpy(), output.numpy(), threads)
    return output, torch.from_numpy(tape.view("uint8"))


@_forward.register_fake
def _(weights: Tensor, audio: Tensor, network: str) -> tuple[Tensor, Tensor]:  # noqa: ARG001
    core = network_core(network)
    batch, n_samples = audio.shape
    output = audio.new_empty((batch, n_samples - core.receptive_field + 1))
    if isinstance(n_samples, torch.SymInt) or isinstance(batch, torch.SymInt):
        n_bytes: Any = torch.library.get_ctx().new_dynamic_size()
    else:
        n_bytes = batch * core.tape_len(n_samples) * audio.element_size()
    return output, audio.new_empty((n_bytes,), dtype=torch.uint8)


@torch.library.custom_op("neurdsp::wavenet_backward", mutates_args=(), device_types="cpu")
def _backward(
    weights: Tensor, audio: Tensor, tape: Tensor, gradient: Tensor, network: str, wants_audio: bool
) -> tuple[Tensor, Tensor]:
    core = network_core(network)
    values, rows, over_output = _plain(weights), _plain(audio), _plain(gradient)
    over_weights = torch.empty_like(values)
    over_audio = torch.empty_like(rows) if wants_audio else rows.new_empty(0)
    core.backward(
        values.numpy(),
        tape.numpy().view(values.numpy().dtype),
        rows.shape[1],
        over_output.numpy(),
        over_weights.numpy(),
        over_audio.numpy() if wants_audio else None,
        _threads(rows, core),
    )
    return over_weights, over_audio


@_backward.register_fake
def _(
    weights: Tensor,
    audio: Tensor,
    tape: Tensor,  # noqa: ARG001
    gradient: Tensor,  # noqa: ARG001
    network: str,  # noqa: ARG001
    wants_audio: bool,
) -> tuple[Tensor, Tensor]:
    over_audio = audio.new_empty(audio.shape if wants_audio else (0,))
    return weights.new_empty(weights.shape), over_audio


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    weights, audio, ctx.network = inputs
    # The tape has no gradient; zeros in its place would cost as much as the backward pass itself.
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(weights, audio, output[1])


def _derive(ctx: Any, gradient: Tensor | None, _tape: Any) -> tuple[Tensor | None, Tensor | None, None]:
    if gradient is None:
        return None, None, None
    weights, audio, tape = ctx.saved_tensors
    wants_audio = ctx.needs_input_grad[1]
    over_weights, over_audio = _backward(weights, audio, tape, gradient, ctx.network, wants_audio)
    return over_weights, over_audio if wants_audio else None, None


def _keep_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:  # noqa: ARG001
    weights, audio, _, gradient, ctx.network, ctx.wants_audio = inputs
    ctx.save_for_backward(weights, audio, gradient)


def _derive_backward(ctx: Any, over_weights: Tensor, over_audio: Tensor) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        weights, audio, gradient = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        output = wavenet_mirror.wavenet(weights, audio, ctx.network)
        firsts = torch.autograd.grad(output, (weights, audio), gradient, create_graph=True)
        wanted = (over_weights, over_audio) if ctx.wants_audio else (over_weights,)
        # Where a first derivative does not depend on an input, there is no second one.
        over = torch.autograd.grad(
            firsts[: len(wanted)], (weights, audio, gradient), wanted, allow_unused=True
        )
    return over[0], over[1], None, over[2], None, None


torch.library.register_autograd("neurdsp::wavenet", _derive, setup_context=_keep)
torch.library.register_autograd("neurdsp::wavenet_backward", _derive_backward, setup_context=_keep_backward)


def _plain(tensor: Tensor) -> Tensor:
    """Neighbouring values, without the graph."""
    return tensor.detach().resolve_neg().contiguous()


def _threads(rows: Tensor, core: _core.WavenetTrainer) -> int:
    """As many threads as torch may use, where there is enough to do."""
    if rows.shape[0] * rows.shape[1] * core.n_parameters < _WORTH_THREADS:
        return 1
    return torch.get_num_threads()
