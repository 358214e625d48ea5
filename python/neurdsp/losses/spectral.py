"""Multi-resolution STFT loss, L1 of magnitudes plus L1 of log magnitudes, that silence does not dominate.

The usual log term compares ``log(magnitude + 1e-7)``. A bin 100 dB below the music then counts as much as the
music, so silence and hiss, which fill most bins of a guitar recording, dominate the gradient. This loss
compares ``log(magnitude + floor)``, with the floor 60 dB below the RMS magnitude of the reference. A bin in
which both signals are below the floor contributes at most ``log 2``, in practice almost nothing, and its
gradient is at most one over the floor. The linear term is one ratio over the whole batch (sum of differences
over sum of the target's magnitudes), so each crop counts by its energy, and a silent crop hardly counts.
"""

import math

import torch
from torch import Tensor, nn

from neurdsp.dsp.filters import get_window
from neurdsp.errors import ParameterError
from neurdsp.nn import Spectrogram
from neurdsp.nn.spectrogram import tensor

__all__ = ["FLOOR_DB", "SpectralLoss"]

FLOOR_DB = -60.0
"""Level below which the log magnitude flattens out, in dB relative to the RMS magnitude."""

_SILENT_RMS = 1e-4
"""Level (-80 dB relative to full scale) that is used for a silent target."""


class SpectralLoss(nn.Module):
    """Relative L1 distance of magnitudes plus L1 distance of log magnitudes, averaged over resolutions.

    Parameters
    ----------
    n_fft
        FFT sizes in samples. The hop is a quarter of the size, the window a Hann window of the full size.
    reference_power
        Mean power of all training data, which sets the floor and the scale of the linear term. By default the
        batch's own target sets them.

    Raises
    ------
    ParameterError
        If ``forward`` gets signals that are not longer than half the largest FFT.

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
        # |z| has no gradient at 0. 1e-12 is 100 dB below the floor of any audible signal.
        self.spectrograms = nn.ModuleList(
            Spectrogram(n_fft=size, hop_length=size // 4, pad_mode="reflect", power=1.0, eps=1e-12)
            for size in n_fft
        )
        # The RMS magnitude of each bin of white noise, relative to the RMS of the noise (Parseval).
        self._norms = [float((get_window("hann", size) ** 2).sum()) ** 0.5 for size in n_fft]

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, for signals of shape ``(batch, time)``."""
        prediction, target = tensor(prediction, "prediction"), tensor(target, "target")
        if target.shape[-1] <= max(self.n_fft) // 2:
            raise ParameterError(
                f"the spectral loss with n_fft {max(self.n_fft)} needs more than "
                f"{max(self.n_fft) // 2} samples, got {target.shape[-1]}; use longer crops or a smaller n_fft"
            )
        power = target.square().mean() if self.reference_power is None else self.reference_power
        rms = (torch.as_tensor(power, dtype=target.dtype).clamp_min(_SILENT_RMS**2)).sqrt()
        terms = [
            self._terms(spectrogram(prediction), spectrogram(target), rms * norm)
            for spectrogram, norm in zip(self.spectrograms, self._norms, strict=True)
        ]
        return torch.stack(terms).mean()

    def _terms(self, found: Tensor, wanted: Tensor, typical: Tensor) -> Tensor:
        """Return the sum of the two terms, for magnitudes of shape ``(batch, n_bins, frames)``.

        ``typical`` is the RMS magnitude of the reference.
        """
        linear = (found - wanted).abs().mean() / self._scale(wanted, typical)
        floor = typical * 10 ** (FLOOR_DB / 20)
        logarithmic = (torch.log(found + floor) - torch.log(wanted + floor)).abs().mean()
        return linear + logarithmic

    def _scale(self, wanted: Tensor, typical: Tensor) -> Tensor:
        """Return the mean magnitude that the linear term is relative to."""
        if self.reference_power is not None:
            # The mean magnitude of noise is sqrt(pi) / 2 of its RMS. A constant gives silent batches little
            # weight.
            return typical * (math.sqrt(math.pi) / 2)
        return wanted.mean().clamp_min(float(typical) * 1e-3)
