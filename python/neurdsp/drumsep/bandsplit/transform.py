"""The asymmetric STFT of band-split networks, in torch: long frames of analysis, short ones of synthesis.

Frame ``t`` ends with sample ``(t + 1) * hop_length - 1``. Only its last two hops are synthesised, so a sample
is complete two hops after it came in. Analysis and synthesis together give the signal back.

Source: D. Mauler, R. Martin, "A low delay, variable resolution, perfect reconstruction spectral
analysis-synthesis system for speech enhancement", EUSIPCO 2007.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.drumsep.bandsplit.config import BandSplitConfig

__all__ = ["AsymmetricStft"]


class AsymmetricStft(nn.Module):
    """Analysis and synthesis of signals ``(..., n_samples)``."""

    analysis: Tensor
    synthesis: Tensor

    def __init__(self, config: BandSplitConfig) -> None:
        super().__init__()
        n_fft, hop = config.n_fft, config.hop_length
        rise = n_fft - hop
        slow = torch.sqrt(
            0.5 - 0.5 * torch.cos(math.pi * (torch.arange(rise, dtype=torch.float64) + 0.5) / rise)
        )
        short = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(2 * hop, dtype=torch.float64) + 0.5) / hop)
        fall = torch.sqrt(short[hop:])
        analysis = torch.cat([slow, fall])
        synthesis = torch.cat([short[:hop] / slow[rise - hop :], fall])
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("analysis", analysis.float(), persistent=False)
        self.register_buffer("synthesis", synthesis.float(), persistent=False)

    def forward(self, signal: Tensor, *, every: int = 1) -> Tensor:
        """Return the spectrum ``(..., n_frames, n_bins)``; it has one frame more than the signal has hops.

        With ``every`` above 1 only each frame of so many is there, from the first one on.
        """
        n_samples = signal.shape[-1]
        n_hops = -(-n_samples // self.hop)
        # Zeros before the first sample, and a hop behind the last one, which completes it.
        padded = functional.pad(signal, (self.n_fft - self.hop, (n_hops + 1) * self.hop - n_samples))
        spectrum: Tensor = torch.fft.rfft(padded.unfold(-1, self.n_fft, every * self.hop) * self.analysis)
        return spectrum

    def inverse(self, spectrum: Tensor, n_samples: int) -> Tensor:
        """Return the signal ``(..., n_samples)`` of a spectrum."""
        frames = torch.fft.irfft(spectrum, self.n_fft)[..., self.n_fft - 2 * self.hop :] * self.synthesis
        hops = frames[..., :-1, self.hop :] + frames[..., 1:, : self.hop]
        signal: Tensor = hops.flatten(-2)[..., :n_samples]
        return signal
