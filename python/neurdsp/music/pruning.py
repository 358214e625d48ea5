"""Taking units out of a music network: which are least important, and what is left without them.

Importance is that of P. Molchanov et al., "Importance estimation for neural network pruning" (CVPR 2019): the
square of the sum of gradient times weight over all weights of a unit, summed over batches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from neurdsp.errors import ParameterError
from neurdsp.music.config import EmotionConfig, GrooveConfig, MelodyConfig, NetworkConfig
from neurdsp.music.model import Network, network_of
from neurdsp.music.task import MusicTask

__all__ = ["UnitGroup", "groups_of", "kept_units", "pruned"]

_ROW, _COLUMN = 0, 1


@dataclass(frozen=True)
class UnitGroup:
    """Units that can be taken out together.

    Parameters
    ----------
    field
        The width of the config that counts them; of attention, its heads.
    size
        How many there are.
    slices
        Tensor and dimension in which the units lie.
    repeats
        How often the units lie one behind the other in a dimension: 4 for the gates of an LSTM.
    block
        Neighbouring values that make a unit: the features of a head.
    """

    field: str
    size: int
    slices: tuple[tuple[str, int], ...]
    repeats: tuple[int, ...] = ()
    block: int = 1

    def indices(self, kept: Tensor, position: int) -> Tensor:
        """Return the places in a slice of the units that stay."""
        repeats = self.repeats[position] if self.repeats else 1
        unit = (kept[:, None] * self.block + torch.arange(self.block)).flatten()
        return (torch.arange(repeats)[:, None] * self.size * self.block + unit).flatten()


def groups_of(config: NetworkConfig) -> tuple[UnitGroup, ...]:
    """Return what can be pruned of a network: all of its inner units.

    The blocks of a melody network stay alike: each group holds the units of one block, and the same number
    stays in each.
    """
    if isinstance(config, EmotionConfig):
        gates = [("lstm.weight_hh_l0", _ROW), ("lstm.weight_ih_l0", _ROW)]
        gates += [("lstm.bias_ih_l0", _ROW), ("lstm.bias_hh_l0", _ROW)]
        after = [("lstm.weight_hh_l0", _COLUMN), ("output.weight", _COLUMN)]
        return (
            UnitGroup("first", config.first, (("input.weight", _ROW), ("hidden.weight", _COLUMN))),
            UnitGroup("second", config.second, (("hidden.weight", _ROW), ("lstm.weight_ih_l0", _COLUMN))),
            UnitGroup("hidden", config.hidden, (*gates, *after), repeats=(4, 4, 4, 4, 1, 1)),
        )
    if isinstance(config, MelodyConfig):
        groups = []
        for index in range(config.blocks):
            block = f"blocks.{index}"
            inner = [(f"{block}.{name}.{part}", _ROW) for name in _QKV for part in ("weight", "bias")]
            layer = [
                (f"{block}.up.weight", _ROW),
                (f"{block}.up.bias", _ROW),
                (f"{block}.down.weight", _COLUMN),
            ]
            heads = (*inner, (f"{block}.out.weight", _COLUMN))
            groups.append(UnitGroup("heads", config.heads, heads, block=config.head_width))
            groups.append(UnitGroup("hidden", config.hidden, tuple(layer)))
        return tuple(groups)
    first, second = config.parameter_shapes["input.weight"][0], config.parameter_shapes["hidden.weight"][0]
    own = [("input.weight", _ROW), ("input.bias", _ROW)]
    then = [("hidden.weight", _ROW)]
    if isinstance(config, GrooveConfig):
        own += [("input_norm.weight", _ROW), ("input_norm.bias", _ROW)]
        then += [("hidden.bias", _ROW), ("hidden_norm.weight", _ROW), ("hidden_norm.bias", _ROW)]
    return (
        UnitGroup("first", first, (*own, ("hidden.weight", _COLUMN))),
        UnitGroup("second", second, (*then, ("output.weight", _COLUMN))),
    )


_QKV = ("query", "key", "value")


def _kept_sizes(config: NetworkConfig, keep: float) -> dict[str, int]:
    """Return how many units of each field stay, so that about ``keep`` of the parameters do."""
    sizes = {group.field: group.size for group in groups_of(config)}
    low, high = 0.0, 1.0
    # Parameters grow with the widths: the part of the units is found by halving.
    for _ in range(40):
        part = (low + high) / 2
        found = {field: max(1, round(part * size)) for field, size in sizes.items()}
        if config.model_copy(update=found).n_parameters > keep * config.n_parameters:
            high = part
        else:
            low = part
    return {field: max(1, round(low * size)) for field, size in sizes.items()}


def kept_units(
    network: Network, task: MusicTask, *, keep: float, batches: range
) -> list[tuple[UnitGroup, Tensor]]:
    """Choose the units that stay: the most important of each group.

    Parameters
    ----------
    network
        The network; its gradients are cleared.
    task
        Batches and losses.
    keep
        Part of the parameters that stay, above 0 and at most 1.
    batches
        Numbers of the batches to measure importance on.

    Returns
    -------
    list of (UnitGroup, Tensor)
        Each group, and the numbers of its units that stay, in order.

    Raises
    ------
    ParameterError
        If ``keep`` is out of range.
    """
    if not 0 < keep <= 1:
        raise ParameterError(f"keep is {keep:g}, but must be above 0 and at most 1")
    groups = groups_of(network.config)
    sizes = {group.field: group.size for group in groups}
    if keep < 1:
        sizes = _kept_sizes(network.config, keep)
    importance = [torch.zeros(group.size) for group in groups]
    for number in batches:
        network.zero_grad()
        batch = task.batch(number)
        task.loss(task.predict(network, batch), batch).backward()  # type: ignore[no-untyped-call]
        for group, total in zip(groups, importance, strict=True):
            total += _saliency(network, group) ** 2
    network.zero_grad()
    chosen = []
    for group, total in zip(groups, importance, strict=True):
        best = torch.topk(total, sizes[group.field]).indices
        chosen.append((group, torch.sort(best).values))
    return chosen


def _saliency(network: Network, group: UnitGroup) -> Tensor:
    """Return gradient times weight of each unit, summed over what goes in: rows of the first tensors."""
    total = torch.zeros(group.size)
    parameters = dict(network.named_parameters())
    for position, (name, dimension) in enumerate(group.slices):
        parameter = parameters[name]
        if dimension != _ROW or parameter.grad is None:
            continue
        product = (parameter.detach() * parameter.grad).reshape(parameter.shape[0], -1).sum(1)
        repeats = group.repeats[position] if group.repeats else 1
        total += product.view(repeats, group.size, group.block).sum((0, 2))
    return total


def pruned(network: Network, chosen: list[tuple[UnitGroup, Tensor]]) -> Network:
    """Return a network with the chosen units only.

    Parameters
    ----------
    network
        The network; it stays as it is.
    chosen
        Of `kept_units`.
    """
    weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    widths = {}
    for group, kept in chosen:
        widths[group.field] = len(kept)
        for position, (name, dimension) in enumerate(group.slices):
            weights[name] = weights[name].index_select(dimension, group.indices(kept, position))
    smaller = network_of(network.config.model_copy(update=widths))
    smaller.load_state_dict(weights)
    return smaller.eval()
