"""The gated recurrence ``h[t] = f[t] h[t - 1] + (1 - f[t]) c[t]``, whose loop has no matrix product.

On the CPU it and its gradient run in the Rust core, as the operators ``neurdsp::gated_scan`` and
``neurdsp::gated_scan_backward``, which torch.compile knows; elsewhere it is a loop in plain torch.

Source: J. Bradbury, S. Merity, C. Xiong, R. Socher, "Quasi-recurrent neural networks", ICLR 2017.
"""

from typing import Any

import torch
from torch import Tensor

from neurdsp import _core

__all__ = ["gated_scan", "gated_scan_reference"]


def gated_scan(forget: Tensor, candidate: Tensor) -> Tensor:
    """Return the states of the recurrence along the first axis, from zero on.

    Parameters
    ----------
    forget, candidate
        ``(n_steps, ...)``, of one shape, float32 or float64: how much of the last state stays, from 0 to 1,
        and what takes the place of the rest.

    Returns
    -------
    Tensor
        The states, of the same shape.

    Examples
    --------
    >>> gated_scan(torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 1.0, 7.0]))
    tensor([0.5000, 0.7500, 7.0000])
    """
    if forget.device.type != "cpu" or forget.dtype not in (torch.float32, torch.float64):
        return gated_scan_reference(forget, candidate)
    states: Tensor = _scan(forget, candidate)
    return states


def gated_scan_reference(forget: Tensor, candidate: Tensor) -> Tensor:
    """Return what `gated_scan` does, by a loop in plain torch, on any device and differentiable twice."""
    state = torch.zeros_like(candidate[0])
    states = []
    for gate, value in zip(forget, candidate, strict=True):
        state = value + gate * (state - value)
        states.append(state)
    return torch.stack(states)


@torch.library.custom_op("neurdsp::gated_scan", mutates_args=(), device_types="cpu")
def _scan(forget: Tensor, candidate: Tensor) -> Tensor:
    states = torch.empty(forget.shape, dtype=forget.dtype)
    _core.gated_scan(_flat(forget), _flat(candidate), _flat(states))
    return states


@_scan.register_fake
def _(forget: Tensor, candidate: Tensor) -> Tensor:  # noqa: ARG001
    return torch.empty(forget.shape, dtype=forget.dtype, device=forget.device)


@torch.library.custom_op("neurdsp::gated_scan_backward", mutates_args=(), device_types="cpu")
def _scan_backward(
    forget: Tensor, candidate: Tensor, states: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor]:
    to_forget = torch.empty(forget.shape, dtype=forget.dtype)
    to_candidate = torch.empty(forget.shape, dtype=forget.dtype)
    kept = _flat(forget), _flat(candidate), _flat(states), _flat(gradient)
    _core.gated_scan_backward(*kept, _flat(to_forget), _flat(to_candidate))
    return to_forget, to_candidate


@_scan_backward.register_fake
def _(
    forget: Tensor,
    candidate: Tensor,  # noqa: ARG001
    states: Tensor,  # noqa: ARG001
    gradient: Tensor,  # noqa: ARG001
) -> tuple[Tensor, Tensor]:
    def empty() -> Tensor:
        return torch.empty(forget.shape, dtype=forget.dtype, device=forget.device)

    return empty(), empty()


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs, output)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
    forget, candidate, states = ctx.saved_tensors
    both: tuple[Tensor, Tensor] = _scan_backward(forget, candidate, states, gradient)
    return both


torch.library.register_autograd("neurdsp::gated_scan", _backward, setup_context=_keep)


def _flat(tensor: Tensor) -> Any:
    """Return a contiguous array ``(n_steps, width)``; it shares the memory of a contiguous tensor."""
    return tensor.detach().contiguous().view(tensor.shape[0], -1).numpy()
