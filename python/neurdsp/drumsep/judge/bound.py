"""The best that real masks can do: stems from their ideal masks, at the transform of the live network."""

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.bandsplit.config import BandSplitConfig

__all__ = ["ideal_mask_stems"]

_ROWS_AT_ONCE = 512


def ideal_mask_stems(
    stems: NDArray[np.float32], config: BandSplitConfig | None = None
) -> NDArray[np.float32]:
    """Return what ideal amplitude-ratio masks make of the sum of stems.

    The network's own masks are complex at low frequencies, so it can be better than this there.

    Parameters
    ----------
    stems
        ``(n_stems, channels, n_samples)``.
    config
        Whose transform is used; the default network's.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    shape = config or BandSplitConfig()
    n_fft, hop = shape.n_fft, shape.hop_length
    analysis, synthesis = _windows(n_fft, hop)
    n_samples = stems.shape[-1]
    n_hops = -(-n_samples // hop)
    padded = np.pad(stems, ((0, 0), (0, 0), (n_fft - hop, (n_hops + 1) * hop - n_samples)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::hop, :]
    found = np.zeros((*stems.shape[:2], n_hops + 2, hop), np.float32)
    for first in range(0, n_hops + 1, _ROWS_AT_ONCE):
        spectra = np.fft.rfft(frames[:, :, first : first + _ROWS_AT_ONCE] * analysis)
        magnitudes = np.abs(spectra)
        masks = magnitudes / (magnitudes.sum(axis=0) + 1e-9)
        short = np.fft.irfft(masks * spectra.sum(axis=0), n_fft)[..., n_fft - 2 * hop :] * synthesis
        count = short.shape[2]
        found[:, :, first : first + count] += short[..., :hop]
        found[:, :, first + 1 : first + 1 + count] += short[..., hop:]
    # The block of hop k is complete with frame k + 1.
    return found[:, :, 1 : n_hops + 1].reshape(*stems.shape[:2], -1)[..., :n_samples]


def _windows(n_fft: int, hop: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the windows of analysis and synthesis, as `neurdsp.drumsep.bandsplit.transform` has them."""
    rise = n_fft - hop
    slow = np.sqrt(0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 0.5) / rise))
    short = 0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * hop) + 0.5) / hop)
    fall = np.sqrt(short[hop:])
    analysis = np.concatenate([slow, fall])
    synthesis = np.concatenate([short[:hop] / slow[rise - hop :], fall])
    return analysis.astype(np.float32), synthesis.astype(np.float32)
