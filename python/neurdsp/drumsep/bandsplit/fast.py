"""The blocks of a band-split network for training on a CPU: compiled, with products in bfloat16 or float32.

Only matrix products are in bfloat16; norms, gates, the recurrence and the shortcuts stay in float32. The
weights are those of the network, in float32. Judge a network without it.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.drumsep.bandsplit.network import NORM_EPS, BandSplitNet, Block, apply_masks
from neurdsp.nn.recurrence import gated_scan

__all__ = ["accelerate", "restore"]


def _before(
    dtype: torch.dtype, x: Tensor, norm: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the recurrence forgets, its candidates, and the gates behind it."""
    y = functional.rms_norm(x, norm.shape, norm, NORM_EPS).to(dtype)
    forget, candidate, gate = functional.linear(y, weight.to(dtype), bias.to(dtype)).float().chunk(3, -1)
    return torch.sigmoid(forget), torch.tanh(candidate), functional.silu(gate)


def _after(
    dtype: torch.dtype,
    x: Tensor,
    state: Tensor,
    gate: Tensor,
    time_out: tuple[Tensor, Tensor],
    norm: Tensor,
    band_in: tuple[Tensor, Tensor],
    band_out: Tensor,
) -> Tensor:
    """Return the block's output from the states of its recurrence."""
    weight, bias = time_out
    x = x + functional.linear((state * gate).to(dtype), weight.to(dtype), bias.to(dtype)).float()
    y = functional.rms_norm(x, norm.shape, norm, NORM_EPS).to(dtype).transpose(-1, -2)
    y = functional.silu(functional.linear(y, band_in[0].to(dtype), band_in[1].to(dtype)))
    return x + functional.linear(y, band_out.to(dtype)).float().transpose(-1, -2)


def accelerate(network: BandSplitNet, *, compiled: bool = True, dtype: torch.dtype = torch.bfloat16) -> None:
    """Make a network compute in the faster way while it is in training mode.

    Parameters
    ----------
    network
        On the CPU.
    compiled
        Whether to run blocks through ``torch.compile``, which needs a C++ compiler and takes a minute at the
        first step.
    dtype
        Of the products: ``torch.bfloat16``, for a processor that has instructions for it, or
        ``torch.float32``.

    Examples
    --------
    >>> accelerate(network)  # doctest: +SKIP
    """
    before: Callable[..., tuple[Tensor, Tensor, Tensor]] = partial(_before, dtype)
    after: Callable[..., Tensor] = partial(_after, dtype)
    fused: Callable[..., tuple[Tensor, Tensor]] = apply_masks
    if compiled:
        before, after, fused = torch.compile(before), torch.compile(after), torch.compile(apply_masks)

    def run_block(block: nn.Module, x: Tensor) -> Tensor:
        assert isinstance(block, Block)
        assert block.band_in.bias is not None
        if not block.training:
            return _plain(block, x)
        forget, candidate, gate = before(x, block.time_norm.weight, block.time_in.weight, block.time_in.bias)
        result: Tensor = after(
            x,
            gated_scan(forget, candidate),
            gate,
            (block.time_out.weight, block.time_out.bias),
            block.band_norm.weight,
            (block.band_in.weight, block.band_in.bias),
            block.band_out.weight,
        )
        return result

    network.run_block = run_block
    if dtype != torch.float32:
        network.run_linear = partial(_narrow_linear, dtype)

    def run_masks(logits: Tensor, correction: Tensor, mixture: Tensor) -> tuple[Tensor, Tensor]:
        return (fused if network.training else apply_masks)(logits, correction, mixture)

    network.run_masks = run_masks


def restore(network: BandSplitNet) -> None:
    """Make a network compute in float32 again."""
    network.run_block = network.run_linear = nn.Module.__call__
    network.run_masks = apply_masks


def _plain(layer: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = layer(x)
    return result


def _narrow_linear(dtype: torch.dtype, layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.Linear)
    if not layer.training or layer.bias is None:
        return _plain(layer, x)
    return functional.linear(x.to(dtype), layer.weight.to(dtype), layer.bias.to(dtype)).float()
