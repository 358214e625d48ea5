"""Losses between the features of two signals: log-mel, and the multi-resolution STFT loss of the vocoders.

Both go through the Rust core on a CPU, forward and backward. For amp models see
:class:`~neurdsp.losses.SpectralLoss`, whose floor keeps silence from ruling the logarithm.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neurdsp.errors import ParameterError
from neurdsp.nn import MelSpectrogram, Spectrogram

__all__ = ["MelLoss", "MultiResolutionSTFTLoss"]


class MelLoss(nn.Module):
    """Mean absolute difference of log-mel spectrograms.

    Parameters
    ----------
    **parameters
        Those of `neurdsp.nn.MelSpectrogram`; the natural logarithm if ``log`` is not given.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import torch
    >>> from neurdsp.losses import MelLoss
    >>> loss = MelLoss(sr=16000, n_fft=1024, hop_length=256, n_mels=80)
    >>> audio = torch.randn(2, 8000, requires_grad=True)
    >>> loss(audio, torch.zeros(2, 8000)).backward()
    >>> bool(audio.grad.isfinite().all())
    True

    References
    ----------
    .. [1] J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020, equation 4.
    """

    def __init__(self, **parameters: Any) -> None:
        super().__init__()
        self.features = MelSpectrogram(**{"log": "ln", **parameters})

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, for ``(..., time)`` signals."""
        _check_shapes(prediction, target)
        loss: Tensor = (self.features(prediction) - self.features(target)).abs().mean()
        return loss


class MultiResolutionSTFTLoss(nn.Module):
    """Mean over resolutions of the spectral convergence plus the L1 distance of log magnitudes.

    Parameters
    ----------
    n_fft, hop_length, win_length
        One for each resolution, in samples; the window is a Hann, and the padding reflects.
    eps
        The least power of a bin that counts, which keeps the logarithm and the gradient finite.

    Raises
    ------
    ParameterError
        If the three are not equally many, or a parameter is outside its domain.

    Examples
    --------
    >>> import torch
    >>> from neurdsp.losses import MultiResolutionSTFTLoss
    >>> audio = torch.randn(2, 8000)
    >>> float(MultiResolutionSTFTLoss()(audio, audio))
    0.0

    References
    ----------
    .. [1] R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 7.
    """

    def __init__(
        self,
        *,
        n_fft: Sequence[int] = (1024, 2048, 512),
        hop_length: Sequence[int] = (120, 240, 50),
        win_length: Sequence[int] = (600, 1200, 240),
        eps: float = 1e-7,
    ) -> None:
        super().__init__()
        if not len(n_fft) == len(hop_length) == len(win_length) > 0:
            raise ParameterError(
                f"n_fft, hop_length and win_length have {len(n_fft)}, {len(hop_length)} and "
                f"{len(win_length)} entries; pass one of each for every resolution"
            )
        if not eps > 0:
            raise ParameterError(f"eps is {eps}, but it must be positive, to keep the logarithm finite")
        self.spectrograms = nn.ModuleList(
            Spectrogram(n_fft=size, hop_length=hop, win_length=width, pad_mode="reflect", power=1.0, eps=eps)
            for size, hop, width in zip(n_fft, hop_length, win_length, strict=True)
        )

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, for ``(..., time)`` signals."""
        _check_shapes(prediction, target)
        terms = []
        for spectrogram in self.spectrograms:
            found, wanted = spectrogram(prediction), spectrogram(target)  # (..., n_bins, frames)
            convergence = torch.linalg.vector_norm(wanted - found) / torch.linalg.vector_norm(wanted)
            terms.append(convergence + (wanted.log() - found.log()).abs().mean())
        return torch.stack(terms).mean()


def _check_shapes(prediction: Tensor, target: Tensor) -> None:
    """Refuse shapes that would be broadcast in silence."""
    if prediction.shape != target.shape:
        raise ParameterError(
            f"the prediction has shape {tuple(prediction.shape)} and the target {tuple(target.shape)}; "
            "pass equal ones"
        )
