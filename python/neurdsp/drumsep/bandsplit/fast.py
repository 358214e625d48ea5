"""The blocks of a band-split network for training on a CPU: compiled, with bfloat16 products.

Only matrix products are in bfloat16; norms, gates, the recurrence and the shortcuts stay in float32. The
weights are those of the network, in float32. Judge a network without it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.drumsep.bandsplit.network import NORM_EPS, BandSplitNet, Block, apply_masks
from neurdsp.nn.recurrence import gated_scan

__all__ = ["accelerate", "restore"]


def _before(x: Tensor, norm: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the recurrence forgets, its candidates, and the gates behind it."""
    half = torch.bfloat16
    y = functional.rms_norm(x, norm.shape, norm, NORM_EPS).to(half)
    forget, candidate, gate = functional.linear(y, weight.to(half), bias.to(half)).float().chunk(3, -1)
    return torch.sigmoid(forget), torch.tanh(candidate), functional.silu(gate)


def _after(
    x: Tensor,
    state: Tensor,
    gate: Tensor,
    time_out: tuple[Tensor, Tensor],
    norm: Tensor,
    band_in: tuple[Tensor, Tensor],
    band_out: Tensor,
) -> Tensor:
    """Return the block's output from the states of its recurrence."""
    half = torch.bfloat16
    x = x + functional.linear((state * gate).to(half), time_out[0].to(half), time_out[1].to(half)).float()
    y = functional.rms_norm(x, norm.shape, norm, NORM_EPS).to(half).transpose(-1, -2)
    y = functional.silu(functional.linear(y, band_in[0].to(half), band_in[1].to(half)))
    return x + functional.linear(y, band_out.to(half)).float().transpose(-1, -2)


def accelerate(network: BandSplitNet, *, compiled: bool = True) -> None:
    """Make a network compute in the faster way while it is in training mode.

    Parameters
    ----------
    network
        On the CPU.
    compiled
        Whether to run blocks through ``torch.compile``, which needs a C++ compiler and takes a minute at the
        first step.

    Examples
    --------
    >>> accelerate(network)  # doctest: +SKIP
    """
    before = torch.compile(_before) if compiled else _before
    after = torch.compile(_after) if compiled else _after

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

    network.run_block, network.run_linear = run_block, _half_linear
    fused = torch.compile(apply_masks) if compiled else apply_masks

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


def _half_linear(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.Linear)
    if not layer.training or layer.bias is None:
        return _plain(layer, x)
    half = torch.bfloat16
    return functional.linear(x.to(half), layer.weight.to(half), layer.bias.to(half)).float()
