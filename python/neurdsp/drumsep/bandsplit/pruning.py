"""Taking units out of a band-split network: how much each matters, and the smaller network without the rest.

Pruned are the units of the recurrences and of the mixers, in each block, and the units of the head, in each
band. Width, bands and blocks stay, so the engine runs the result as it is.

Source: P. Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019: the importance
of a unit is the square of the loss's change without it, to first order.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.network import BandSplitNet, Block
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.errors import ParameterError

__all__ = ["Importance", "measure_importance", "pruned", "pruned_config"]

_LANES = 8


@dataclass(frozen=True)
class Importance:
    """How much units matter, and what they give on average.

    Parameters
    ----------
    hidden, mixer
        ``(n_blocks, n_units)``: mean square of the loss's change without a unit.
    head
        ``(n_bands, head)``, the same.
    hidden_mean, head_mean
        Mean outputs; what follows a unit that is taken out gets them in its bias. The layer behind a mixer
        has no bias.
    """

    hidden: Tensor
    mixer: Tensor
    head: Tensor
    hidden_mean: Tensor
    head_mean: Tensor


def measure_importance(network: BandSplitNet, task: SeparationTask, batches: Iterable[int]) -> Importance:
    """Measure the importance of units on rendered batches.

    Parameters
    ----------
    network
        In float32; its weights and gradients are left as they were.
    task
        Renders the batches and computes their loss.
    batches
        Numbers of the batches.

    Returns
    -------
    Importance
    """
    blocks = [block for block in network.blocks if isinstance(block, Block)]
    behind = [block.time_out for block in blocks]
    mixers = [block.band_out for block in blocks]
    decoders = list(network.decoders)
    groups: list[list[Tensor]] = [
        [_weight(layer) for layer in layers] for layers in (behind, mixers, decoders)
    ]
    sums = [torch.zeros(0)] * 3
    inputs: dict[torch.nn.Module, Tensor] = {}
    count = 0

    def keep(module: torch.nn.Module, args: tuple[Tensor]) -> None:
        mean = args[0].detach().flatten(0, -2).mean(0)
        inputs[module] = inputs[module] + mean if module in inputs else mean

    hooks = [module.register_forward_pre_hook(keep) for module in (*behind, *decoders)]
    try:
        for number in batches:
            loss = task.loss(network, number)
            gradients = iter(torch.autograd.grad(loss, [weight for group in groups for weight in group]))
            for index, group in enumerate(groups):
                # A column behind a unit, times its gradient: the loss's change without the unit.
                changes = torch.stack([(weight.detach() * next(gradients)).sum(0) for weight in group])
                sums[index] = changes.square() + (sums[index] if count else 0)
            count += 1
    finally:
        for hook in hooks:
            hook.remove()
    if not count:
        raise ParameterError("importance needs at least one batch")
    hidden, mixer, head = (total / count for total in sums)
    return Importance(
        hidden,
        mixer,
        head,
        torch.stack([inputs[module] / count for module in behind]),
        torch.stack([inputs[module] / count for module in decoders]),
    )


def pruned_config(config: BandSplitConfig, keep: float) -> BandSplitConfig:
    """Return the shape with a part of the units, in multiples of eight where there are so many.

    Raises
    ------
    ParameterError
        If ``keep`` is not above 0 and at most 1.
    """
    if not 0 < keep <= 1:
        raise ParameterError(f"keep is {keep:g}, but must be above 0 and at most 1")

    def of(units: int) -> int:
        count = keep * units
        return min(units, max(round(count / _LANES) * _LANES, 1) if count >= _LANES else max(round(count), 1))

    if keep == 1:
        return config
    sizes = {name: of(getattr(config, name)) for name in ("hidden", "mixer", "head")}
    return BandSplitConfig(**{**config.model_dump(), **sizes})


def pruned(network: BandSplitNet, importance: Importance, keep: float) -> BandSplitNet:
    """Return the network with its most important units, in the order in which they were.

    With ``keep`` 1 the weights are the same bit for bit.
    """
    config = pruned_config(network.config, keep)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    for index in range(config.n_blocks):
        at = f"blocks.{index}."
        kept, gone = _split(importance.hidden[index], config.hidden)
        if len(gone):
            lost = state[at + "time_out.weight"][:, gone] @ importance.hidden_mean[index][gone]
            state[at + "time_out.bias"] += lost
        # Three gates, one behind the other.
        rows = torch.cat([kept + part * network.config.hidden for part in range(3)])
        for name in ("time_in.weight", "time_in.bias"):
            state[at + name] = state[at + name][rows]
        state[at + "time_out.weight"] = state[at + "time_out.weight"][:, kept]
        kept, _ = _split(importance.mixer[index], config.mixer)
        for name in ("band_in.weight", "band_in.bias"):
            state[at + name] = state[at + name][kept]
        state[at + "band_out.weight"] = state[at + "band_out.weight"][:, kept]
    weights, biases = [], []
    for band in range(len(config.bands)):
        kept, gone = _split(importance.head[band], config.head)
        at = f"decoders.{band}."
        if len(gone):
            state[at + "bias"] += state[at + "weight"][:, gone] @ importance.head_mean[band][gone]
        state[at + "weight"] = state[at + "weight"][:, kept]
        weights.append(state["head.weight"][band, kept])
        biases.append(state["head.bias"][band, kept])
    state["head.weight"], state["head.bias"] = torch.stack(weights), torch.stack(biases)
    smaller = BandSplitNet(config)
    smaller.load_state_dict(state)
    return smaller.eval()


def _weight(layer: torch.nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def _split(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the units that stay and those that go, each in ascending order."""
    order = torch.argsort(scores, descending=True, stable=True)
    return order[:count].sort().values, order[count:].sort().values
