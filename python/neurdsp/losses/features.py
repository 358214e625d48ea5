"""Losses on features: the log-mel loss, and the multi-resolution STFT loss of neural vocoders.

On a CPU both use the Rust core, forward and backward. For amp models see `neurdsp.losses.SpectralLoss`, whose
floor keeps silence from dominating the logarithm.
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
        Parameters of `neurdsp.nn.MelSpectrogram`; ``log`` is ``"ln"`` by default.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

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
        """Return the loss, a scalar, for signals of shape ``(..., time)``."""
        _check_shapes(prediction, target)
        loss: Tensor = (self.features(prediction) - self.features(target)).abs().mean()
        return loss


class MultiResolutionSTFTLoss(nn.Module):
    """Spectral convergence plus L1 distance of log magnitudes, averaged over resolutions.

    Parameters
    ----------
    n_fft, hop_length, win_length
        One for each resolution, in samples. The window is a Hann window, and the signal is padded by
        reflection.
    eps
        Power added to each bin, which keeps the logarithm and the gradient finite.

    Raises
    ------
    ParameterError
        If the three differ in length, or a parameter is out of range.

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
                f"{len(win_length)} entries; give one of each for every resolution"
            )
        if not eps > 0:
            raise ParameterError(f"eps is {eps}, but it must be positive to keep the logarithm finite")
        self.spectrograms = nn.ModuleList(
            Spectrogram(n_fft=size, hop_length=hop, win_length=width, pad_mode="reflect", power=1.0, eps=eps)
            for size, hop, width in zip(n_fft, hop_length, win_length, strict=True)
        )

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, for signals of shape ``(..., time)``."""
        _check_shapes(prediction, target)
        terms = []
        for spectrogram in self.spectrograms:
            found, wanted = spectrogram(prediction), spectrogram(target)  # (..., n_bins, frames)
            convergence = torch.linalg.vector_norm(wanted - found) / torch.linalg.vector_norm(wanted)
            terms.append(convergence + (wanted.log() - found.log()).abs().mean())
        return torch.stack(terms).mean()


def _check_shapes(prediction: Tensor, target: Tensor) -> None:
    """Reject shapes that would be broadcast silently."""
    if prediction.shape != target.shape:
        raise ParameterError(
            f"the prediction has shape {tuple(prediction.shape)} and the target {tuple(target.shape)}; "
            "give equal shapes"
        )
