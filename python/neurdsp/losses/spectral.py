"""Multi-resolution STFT loss: L1 of magnitudes plus L1 of log magnitudes, not ruled by silence.

The textbook log term compares ``log(magnitude + 1e-7)``: a bin 100 dB below the music counts as
much as the music, so that silence and hiss, most of the bins of a guitar recording, rule the
gradient. Here the log is taken of ``magnitude + floor``, with the floor 60 dB below the
root-mean-square magnitude of the reference: a bin where both signals lie under the floor
contributes at most ``log 2`` and in practice about nothing, and its gradient is bounded by one over
the floor. The linear term is one ratio over the whole batch (the sum of the differences over the
sum of the target's magnitudes), so that a silent crop counts in it with its energy, not as one of
equals.
"""

import math

import torch
from torch import Tensor, nn

from neurdsp.dsp.filters import get_window
from neurdsp.errors import ParameterError
from neurdsp.nn import Spectrogram

__all__ = ["FLOOR_DB", "SpectralLoss"]

FLOOR_DB = -60.0
"""Where the log magnitude flattens out, in dB relative to the RMS magnitude."""

_SILENT_RMS = 1e-4
"""The level (-80 dB of full scale) that stands in for that of a target that is wholly silent."""


class SpectralLoss(nn.Module):
    """Mean over resolutions of L1 magnitude (relative) plus L1 log magnitude (natural logarithm).

    Parameters
    ----------
    n_fft
        The FFT sizes in samples; the hop is a quarter, the window a Hann of the full size.
    reference_power
        Mean power of all the training data. It sets the level of the floor and the scale of the
        linear term; the batch's own target does where it is absent.

    Raises
    ------
    ParameterError
        From ``forward``, for signals not longer than half the largest size.

    References
    ----------
    .. [1] R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020.
    .. [2] C. Steinmetz, J. Reiss, "auraloss: Audio-focused loss functions in PyTorch", DMRN+15, 2020.
    """

    def __init__(
        self, *, n_fft: tuple[int, ...] = (512, 1024, 2048), reference_power: float | None = None
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.reference_power = reference_power
        # |z| has no gradient at 0. 1e-12 lies 100 dB below the floor of any audible signal.
        self.spectrograms = nn.ModuleList(
            Spectrogram(n_fft=size, hop_length=size // 4, pad_mode="reflect", power=1.0, eps=1e-12)
            for size in n_fft
        )
        # White noise has this times its RMS as the RMS magnitude of every bin (Parseval).
        self._norms = [float((get_window("hann", size) ** 2).sum()) ** 0.5 for size in n_fft]

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, for ``(batch, time)`` signals."""
        if target.shape[-1] <= max(self.n_fft) // 2:
            raise ParameterError(
                f"a spectral loss at n_fft {max(self.n_fft)} needs more than {max(self.n_fft) // 2} samples, "
                f"got {target.shape[-1]}; use longer crops or smaller n_fft"
            )
        power = target.square().mean() if self.reference_power is None else self.reference_power
        rms = (torch.as_tensor(power, dtype=target.dtype).clamp_min(_SILENT_RMS**2)).sqrt()
        terms = [
            self._terms(spectrogram(prediction), spectrogram(target), rms * norm)
            for spectrogram, norm in zip(self.spectrograms, self._norms, strict=True)
        ]
        return torch.stack(terms).mean()

    def _terms(self, found: Tensor, wanted: Tensor, typical: Tensor) -> Tensor:
        """Return the two terms for magnitudes ``(batch, n_bins, frames)``, typically of this size."""
        linear = (found - wanted).abs().mean() / self._scale(wanted, typical)
        floor = typical * 10 ** (FLOOR_DB / 20)
        logarithmic = (torch.log(found + floor) - torch.log(wanted + floor)).abs().mean()
        return linear + logarithmic

    def _scale(self, wanted: Tensor, typical: Tensor) -> Tensor:
        """Return the mean magnitude that the linear term is relative to."""
        if self.reference_power is not None:
            # The mean magnitude of noise is sqrt(pi) / 2 of its RMS; a constant, so silent batches
            # weigh little.
            return typical * (math.sqrt(math.pi) / 2)
        return wanted.mean().clamp_min(float(typical) * 1e-3)
