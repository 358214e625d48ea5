"""Error-to-signal ratio with A-weighting, which follows the sensitivity of the ear to frequency.

The loss takes the spectrum of the error, so it depends on phase as the plain error-to-signal ratio does. Only
the weights of frequencies differ: bass below 200 Hz counts at least 10 dB less, 1 to 6 kHz a little more.
"""

import torch
from torch import Tensor, nn

from neurdsp.errors import ParameterError
from neurdsp.losses.energy import SILENCE_POWER
from neurdsp.nn import Spectrogram
from neurdsp.nn.spectrogram import tensor

__all__ = ["AWeightedLoss", "a_weighting"]

_N_FFT = 2048
_BLOCK = 1 << 18


def a_weighting(frequencies_hz: Tensor) -> Tensor:
    """Return the power gain of A-weighting at given frequencies; it is 1 at 1 kHz.

    Parameters
    ----------
    frequencies_hz
        Frequencies of any shape, not negative.

    Returns
    -------
    Tensor
        Gains of the same shape.

    References
    ----------
    .. [1] IEC 61672-1:2013, annex E.
    """

    def amplitude(f2: Tensor) -> Tensor:
        poles = (f2 + 20.6**2) * ((f2 + 107.7**2) * (f2 + 737.9**2)).sqrt() * (f2 + 12194.0**2)
        return 12194.0**2 * f2.square() / poles

    squares = frequencies_hz.to(torch.float64).square()
    one = amplitude(torch.tensor(1000.0**2, dtype=torch.float64))
    return (amplitude(squares) / one).square().to(frequencies_hz.dtype)


class AWeightedLoss(nn.Module):
    """Energy of the A-weighted error over that of the A-weighted target.

    Both are taken from power spectra of 2048 samples with a hop of 512, by the Rust core on a CPU.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    reference
        The whole training target, shape ``(time,)``. Its A-weighted power is then the denominator, instead of
        that of the batch's target.

    Raises
    ------
    ParameterError
        If the rate is not positive, or ``forward`` gets signals of 1024 samples or fewer.

    Examples
    --------
    >>> signal = torch.randn(2, 4096)
    >>> round(float(AWeightedLoss(sample_rate=48_000)(0.9 * signal, signal)), 6)
    0.01

    References
    ----------
    .. [1] A. Wright, V. Välimäki, "Perceptual loss function for neural modeling of audio systems",
       ICASSP 2020.
    """

    weights: Tensor

    def __init__(self, *, sample_rate: float, reference: Tensor | None = None) -> None:
        super().__init__()
        if not sample_rate > 0:
            raise ParameterError(f"sample_rate is {sample_rate}, but it must be positive, in Hz")
        self.spectrogram = Spectrogram(n_fft=_N_FFT, hop_length=_N_FFT // 4, pad_mode="reflect", power=2.0)
        frequencies = torch.linspace(0.0, sample_rate / 2, _N_FFT // 2 + 1)
        self.register_buffer("weights", a_weighting(frequencies)[:, None], persistent=False)
        self.reference_power: float | None = None
        if reference is not None:
            blocks = [block for block in torch.split(reference, _BLOCK) if block.numel() > _N_FFT // 2]
            if not blocks:
                self._refuse(reference.numel())
            powers = torch.stack([self._power(block) * block.numel() for block in blocks])
            self.reference_power = float(powers.sum() / sum(block.numel() for block in blocks))

    def _refuse(self, n_samples: int) -> None:
        raise ParameterError(
            f"the A-weighted loss needs more than {_N_FFT // 2} samples, got {n_samples}; use longer crops"
        )

    def _power(self, signal: Tensor) -> Tensor:
        """Return the mean weighted power of signals of shape ``(..., time)``."""
        power: Tensor = (self.spectrogram(signal) * self.weights.to(signal.dtype)).mean()
        return power

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the ratio, a scalar, for signals of shape ``(batch, time)``."""
        prediction, target = tensor(prediction, "prediction"), tensor(target, "target")
        if target.shape[-1] <= _N_FFT // 2:
            self._refuse(target.shape[-1])
        power = self._power(target) if self.reference_power is None else self.reference_power
        # In white noise the power of a bin is the power of the noise times the energy of the window.
        return self._power(prediction - target) / (power + SILENCE_POWER * _N_FFT)
