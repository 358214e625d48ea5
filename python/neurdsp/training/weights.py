"""Copies of a model's weights, and their moving average."""

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage", "copy_weights"]


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """Copy all parameters and buffers to the CPU, by name."""
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


class WeightAverage:
    """An exponential moving average of the weights, on the device of the model.

    Parameters
    ----------
    model
        The average starts at its weights.
    decay
        Factor on the average in each step, once it has warmed up; from 0 to 1.

    Attributes
    ----------
    state
        Averages by name, as in the state of the model. Tensors of integers are copied.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> average = WeightAverage(model, 0.999)
    >>> average.update(model, step=1)
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state: dict[str, Tensor] = {}
        self.restart(model)

    def restart(self, model: nn.Module) -> None:
        """Set the average to the present weights."""
        self.state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Include the weights after a step, counted from 1."""
        # The decay warms up as usual, so that the average forgets the initial weights.
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                self.state[name].lerp_(tensor, 1 - decay)
            else:
                self.state[name].copy_(tensor)

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a saved average.

        Raises
        ------
        KeyError, RuntimeError
            If the state belongs to another model.
        """
        for name, tensor in self.state.items():
            tensor.copy_(state[name])
