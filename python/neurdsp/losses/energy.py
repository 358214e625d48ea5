"""Time-domain losses: energies of the error relative to the energy of the target.

Every module takes a prediction and a target of shape ``(batch, time)`` and gives a scalar. Its
denominator is a mean power over the whole batch, or ``reference_power`` where that is given. With a
reference (the mean power of all the training data) a batch that happens to be silent weighs as
little as it sounds; without one its tiny power would divide a tiny error and dominate the step.
"""

import torch
from torch import Tensor, nn

__all__ = ["SILENCE_POWER", "DCLoss", "ESRLoss", "PreEmphasisLoss", "pre_emphasise"]

SILENCE_POWER = 1e-8
"""Added to a denominator that a silent batch would make zero; -80 dB relative to full scale."""


class ESRLoss(nn.Module):
    """Error-to-signal ratio: mean squared error over the mean power of the target.

    Parameters
    ----------
    reference_power
        Denominator to use in place of the power of the batch's target.

    References
    ----------
    .. [1] A. Wright, E.-P. Damskägg, V. Välimäki, "Real-time black-box modelling with recurrent
    neural networks",
       DAFx 2019.
    """

    def __init__(self, *, reference_power: float | None = None) -> None:
        super().__init__()
        self.reference_power = reference_power

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for ``(batch, time)`` signals."""
        power = target.square().mean() if self.reference_power is None else self.reference_power
        return (prediction - target).square().mean() / (power + SILENCE_POWER)


class DCLoss(nn.Module):
    """Squared difference of the means of each signal, over the mean power of the target.

    Parameters
    ----------
    reference_power
        Denominator to use in place of the power of the batch's target.

    References
    ----------
    .. [1] Wright et al., DAFx 2019, equation 9, as in :class:`ESRLoss`.
    """

    def __init__(self, *, reference_power: float | None = None) -> None:
        super().__init__()
        self.reference_power = reference_power

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for ``(batch, time)`` signals."""
        power = target.square().mean() if self.reference_power is None else self.reference_power
        offset = (prediction - target).mean(dim=-1)  # (batch,)
        return offset.square().mean() / (power + SILENCE_POWER)


def pre_emphasise(signal: Tensor, coefficient: float) -> Tensor:
    """Apply ``y[n] = x[n] - coefficient * x[n-1]``, dropping the first sample, which has no predecessor.

    Parameters
    ----------
    signal
        ``(..., time)``.
    coefficient
        Between 0 (no change) and 1 (a difference).

    Returns
    -------
    Tensor
        ``(..., time - 1)``.
    """
    return signal[..., 1:] - coefficient * signal[..., :-1]


class PreEmphasisLoss(nn.Module):
    """The error-to-signal ratio of pre-emphasised signals, which keeps the treble from being ignored.

    Parameters
    ----------
    coefficient
        Of the filter ``y[n] = x[n] - coefficient * x[n-1]``.
    reference_power
        Mean power of the *pre-emphasised* training data, to use as the denominator.

    References
    ----------
    .. [1] A. Wright, V. Välimäki, "Perceptual loss function for neural modeling of audio systems",
    ICASSP 2020.
    """

    def __init__(self, *, coefficient: float = 0.97, reference_power: float | None = None) -> None:
        super().__init__()
        self.coefficient = coefficient
        self.ratio = ESRLoss(reference_power=reference_power)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for ``(batch, time)`` signals."""
        loss: Tensor = self.ratio(
            pre_emphasise(prediction, self.coefficient), pre_emphasise(target, self.coefficient)
        )
        return loss


def mean_power(signal: Tensor) -> float:
    """Mean square of a signal, in float64."""
    return float(signal.to(torch.float64).square().mean())
