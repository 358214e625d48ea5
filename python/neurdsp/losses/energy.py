"""Time-domain losses: the energy of the error relative to the energy of the target.

Each module takes a prediction and a target of shape ``(batch, time)`` and returns a scalar. The denominator
is the mean power of the batch, or ``reference_power`` if given. With the mean power of all training data as
the reference, a silent batch has little weight. Without it, a tiny error is divided by a tiny power, and a
silent batch dominates the step.
"""

import torch
from torch import Tensor, nn

from neurdsp.nn.spectrogram import tensor

__all__ = ["SILENCE_POWER", "DCLoss", "ESRLoss", "PreEmphasisLoss", "pre_emphasise"]

SILENCE_POWER = 1e-8
"""Added to denominators, which a silent batch would make zero; -80 dB relative to full scale."""


class ESRLoss(nn.Module):
    """Error-to-signal ratio: mean squared error over the mean power of the target.

    Parameters
    ----------
    reference_power
        Denominator to use instead of the mean power of the batch's target.

    References
    ----------
    .. [1] A. Wright, E.-P. Damskägg, V. Välimäki, "Real-time black-box modelling with recurrent neural
       networks", DAFx 2019.
    """

    def __init__(self, *, reference_power: float | None = None) -> None:
        super().__init__()
        self.reference_power = reference_power

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for signals of shape ``(batch, time)``."""
        prediction, target = tensor(prediction, "prediction"), tensor(target, "target")
        power = target.square().mean() if self.reference_power is None else self.reference_power
        return (prediction - target).square().mean() / (power + SILENCE_POWER)


class DCLoss(nn.Module):
    """Squared difference between the means of the two signals, over the mean power of the target.

    Parameters
    ----------
    reference_power
        Denominator to use instead of the mean power of the batch's target.

    References
    ----------
    .. [1] A. Wright, E.-P. Damskägg, V. Välimäki, "Real-time black-box modelling with recurrent neural
       networks", DAFx 2019, equation 9.
    """

    def __init__(self, *, reference_power: float | None = None) -> None:
        super().__init__()
        self.reference_power = reference_power

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for signals of shape ``(batch, time)``."""
        prediction, target = tensor(prediction, "prediction"), tensor(target, "target")
        power = target.square().mean() if self.reference_power is None else self.reference_power
        offset = (prediction - target).mean(dim=-1)  # (batch,)
        return offset.square().mean() / (power + SILENCE_POWER)


def pre_emphasise(signal: Tensor, coefficient: float) -> Tensor:
    """Apply ``y[n] = x[n] - coefficient * x[n-1]``; the first sample, which has no predecessor, is dropped.

    Parameters
    ----------
    signal
        Shape ``(..., time)``.
    coefficient
        From 0 (no change) to 1 (differences).

    Returns
    -------
    Tensor
        Shape ``(..., time - 1)``.
    """
    return signal[..., 1:] - coefficient * signal[..., :-1]


class PreEmphasisLoss(nn.Module):
    """Error-to-signal ratio of pre-emphasised signals, which gives the treble more weight.

    Parameters
    ----------
    coefficient
        Coefficient of the filter ``y[n] = x[n] - coefficient * x[n-1]``.
    reference_power
        Mean power of the pre-emphasised training data, to use as the denominator.

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
        """Return the ratio, a scalar, for signals of shape ``(batch, time)``."""
        loss: Tensor = self.ratio(
            pre_emphasise(prediction, self.coefficient), pre_emphasise(target, self.coefficient)
        )
        return loss


def mean_power(signal: Tensor) -> float:
    """Return the mean square of a signal, computed in float64."""
    return float(signal.to(torch.float64).square().mean())
