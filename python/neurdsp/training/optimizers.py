"""Which optimiser to train with, named in a configuration. Reading one needs no torch."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from neurdsp.config import Config

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["AdamConfig", "AdamWConfig", "OptimizerConfig", "SgdConfig"]

Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamConfig(Config):
    """Adam, with the defaults of torch.

    Parameters
    ----------
    type
        ``adam``.
    betas
        Decay rates of the averages of the gradient and of its square.
    eps
        Added to the root of the second average.

    References
    ----------
    .. [1] D. Kingma, J. Ba, "Adam: A method for stochastic optimization", ICLR 2015.
    """

    type: Literal["adam"] = "adam"
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)

    def build(self, parameters: "Iterable[nn.Parameter]", learning_rate: float) -> "Optimizer":
        """Return a new optimiser of these parameters."""
        import torch

        return torch.optim.Adam(parameters, lr=learning_rate, betas=self.betas, eps=self.eps)


class AdamWConfig(Config):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    type
        ``adamw``.
    betas, eps
        As for ``adam``.
    weight_decay
        Part of the weights, times the learning rate, that each step takes away.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    type: Literal["adamw"] = "adamw"
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)

    def build(self, parameters: "Iterable[nn.Parameter]", learning_rate: float) -> "Optimizer":
        """Return a new optimiser of these parameters."""
        import torch

        return torch.optim.AdamW(
            parameters, lr=learning_rate, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay
        )


class SgdConfig(Config):
    """Stochastic gradient descent.

    Parameters
    ----------
    type
        ``sgd``.
    momentum
        Part of the last update that is repeated.
    nesterov
        Whether the momentum is Nesterov's; it then must not be 0.
    weight_decay
        Factor of the weights that is added to their gradient.
    """

    type: Literal["sgd"] = "sgd"
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> "SgdConfig":
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum; set momentum above 0")
        return self

    def build(self, parameters: "Iterable[nn.Parameter]", learning_rate: float) -> "Optimizer":
        """Return a new optimiser of these parameters."""
        import torch

        return torch.optim.SGD(
            parameters,
            lr=learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
        )


OptimizerConfig = Annotated[AdamConfig | AdamWConfig | SgdConfig, Field(discriminator="type")]
"""Any of them; ``type`` says which."""
