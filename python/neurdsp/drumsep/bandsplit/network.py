"""A causal band-split network in torch: masks over the stems and a residual, which sum to the recording.

Each channel is a row of its own, with the same weights; it sees the other channel as the difference of their
magnitudes. So a mono recording is exactly what two equal channels are, and swapped channels give swapped
stems.

Sources: Y. Luo, J. Yu, "Music source separation with band-split RNN", arXiv 2209.15174; the gated recurrence
without a matrix product in its loop is that of J. Bradbury et al., "Quasi-recurrent neural networks",
arXiv 1611.01576.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.transform import AsymmetricStft
from neurdsp.nn.recurrence import gated_scan

__all__ = ["NORM_EPS", "BandSplitNet", "Block", "apply_masks"]

#: Factor on the logits of masks, so that an optimiser, which moves all weights alike, moves masks enough.
MASK_GAIN = 4.0
#: Factor on the complex part of masks.
PHASE_GAIN = 0.2
#: Exponent that compresses magnitudes, and what is added to them.
COMPRESSION, FLOOR = 0.3, 1e-5
NORM_EPS = 1e-5


class _RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, NORM_EPS)


class _BandLayer(nn.Module):
    """A linear map over the bands of each feature: ``(..., n_in, width)`` to ``(..., n_out, width)``."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool, scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) * scale / n_in**0.5)
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.transpose(-1, -2), self.weight, self.bias).transpose(-1, -2)


class Block(nn.Module):
    """A gated recurrence over time, shared by the bands, and a mixer of the bands, both with shortcuts."""

    def __init__(self, config: BandSplitConfig) -> None:
        super().__init__()
        width, hidden, n_bands = config.width, config.hidden, len(config.bands)
        self.time_norm, self.band_norm = _RmsNorm(width), _RmsNorm(width)
        self.time_in = nn.Linear(width, 3 * hidden)
        self.time_out = nn.Linear(hidden, width)
        self.band_in = _BandLayer(n_bands, config.mixer, bias=True)
        self.band_out = _BandLayer(config.mixer, n_bands, bias=False, scale=0.5)
        with torch.no_grad():
            # Memories of 1 to 256 frames.
            self.time_in.bias[:hidden] = torch.linspace(0, 8, hidden) * 0.6931
            self.time_in.bias[hidden:] = 0
            self.time_out.weight *= 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for ``(n_frames, rows, n_bands, width)``, of the same shape."""
        forget, candidate, gate = self.time_in(self.time_norm(x)).chunk(3, -1)
        state = gated_scan(torch.sigmoid(forget), torch.tanh(candidate))
        x = x + self.time_out(state * functional.silu(gate))
        mixed: Tensor = self.band_out(functional.silu(self.band_in(self.band_norm(x))))
        return x + mixed


class _Head(nn.Module):
    """A layer for each band: ``(n_bands, rows, width)`` to ``(n_bands, rows, head)``."""

    def __init__(self, config: BandSplitConfig) -> None:
        super().__init__()
        n_bands = len(config.bands)
        self.weight = nn.Parameter(torch.randn(n_bands, config.head, config.width) / config.width**0.5)
        self.bias = nn.Parameter(torch.zeros(n_bands, config.head))

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(torch.baddbmm(self.bias[:, None], x, self.weight.transpose(1, 2)))


class BandSplitNet(nn.Module):
    """Masks a recording into stems and a residual, causally."""

    def __init__(self, config: BandSplitConfig) -> None:
        super().__init__()
        self.config = config
        self.stft = AsymmetricStft(config)
        n_bands, outputs = len(config.bands), len(config.outputs)
        self.encoders = nn.ModuleList(
            [nn.Linear(config.n_inputs(band), config.width) for band in range(n_bands)]
        )
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_blocks)])
        self.head_norm = _RmsNorm(config.width)
        self.head = _Head(config)
        self.decoders = nn.ModuleList(
            [
                nn.Linear(config.head, outputs * config.n_masks(band) * (3 if config.has_phase(band) else 1))
                for band in range(n_bands)
            ]
        )
        #: How blocks and layers are computed; `neurdsp.drumsep.bandsplit.fast` has a faster way to train.
        self.run_block: Callable[[nn.Module, Tensor], Tensor] = nn.Module.__call__
        self.run_linear: Callable[[nn.Module, Tensor], Tensor] = nn.Module.__call__
        self.run_masks: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = apply_masks

    def forward(self, audio: Tensor) -> Tensor:
        """Separate recordings ``(batch, channels, n_samples)``, with one channel or two.

        Returns ``(batch, n_outputs, channels, n_samples)``, without latency; the outputs sum to the
        recordings.
        """
        parts, _ = self.separate(self.stft(audio))
        return self.stft.inverse(parts.permute(1, 3, 2, 0, 4), audio.shape[-1])

    def features(self, spectrum: Tensor) -> list[Tensor]:
        """Return what each band sees, ``(n_frames, rows, n_inputs)``: magnitudes, difference, phases."""
        magnitude = spectrum.abs() + FLOOR
        compressed = magnitude**COMPRESSION
        difference = compressed.flip(1) - compressed
        phase = torch.view_as_real(
            spectrum[..., : self.config.n_phase_bins]
            * (compressed / magnitude)[..., : self.config.n_phase_bins]
        )
        features = []
        for band, (begin, end) in enumerate(zip(self.config.edges, self.config.edges[1:], strict=False)):
            parts = [compressed[..., begin:end], difference[..., begin:end]]
            if self.config.has_phase(band):
                parts += [phase[..., begin:end, 0], phase[..., begin:end, 1]]
            features.append(torch.cat(parts, -1).flatten(0, 1).transpose(0, 1))
        return features

    def masks(self, spectrum: Tensor) -> tuple[Tensor, Tensor]:
        """Return the masks of spectra ``(batch, channels, n_frames, n_bins)``, and their logits.

        Both are ``(batch, n_outputs, channels, n_frames, n_bins)``; the logits are those of the real parts
        before the softmax over the outputs.
        """
        masks, logits = self._masked(spectrum, torch.ones_like(spectrum))
        return masks.permute(1, 3, 2, 0, 4), logits.permute(1, 3, 2, 0, 4)

    def separate(self, spectrum: Tensor) -> tuple[Tensor, Tensor]:
        """Return the parts of spectra ``(batch, channels, n_frames, n_bins)``, and the logits of their masks.

        Both are ``(n_frames, batch, channels, n_outputs, n_bins)``, as the network computes them.
        """
        return self._masked(spectrum, spectrum)

    def _masked(self, spectrum: Tensor, mixture: Tensor) -> tuple[Tensor, Tensor]:
        """Return a mixture times the masks of a spectrum, and their logits."""
        batch, channels, n_frames, n_bins = spectrum.shape
        logits, correction = self._logits(spectrum)
        # A channel is a row, so the first axis of the masks is frames x batch x channels.
        rows = torch.view_as_real(mixture.permute(2, 0, 1, 3).reshape(-1, 1, n_bins))
        parts, logits = self.run_masks(logits, correction, rows)
        shape = (n_frames, batch, channels, len(self.config.outputs), n_bins)
        return torch.view_as_complex(parts).view(shape), logits.view(shape)

    def _logits(self, spectrum: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `apply_masks` makes masks of, with a row for each frame and channel."""
        config, outputs = self.config, len(self.config.outputs)
        x = torch.stack(
            [
                self.run_linear(encoder, part)
                for encoder, part in zip(self.encoders, self.features(spectrum), strict=True)
            ],
            2,
        )
        for block in self.blocks:
            x = self.run_block(block, x)
        # (n_frames, rows, n_bands, width) -> (n_bands, n_frames * rows, head)
        x = self.head(self.head_norm(x).permute(2, 0, 1, 3).flatten(1, 2))
        logits, corrections = [], []
        for band, (decoder, part) in enumerate(zip(self.decoders, x.unbind(0), strict=True)):
            found = self.run_linear(decoder, part).view(len(part), -1, config.n_masks(band))
            if config.has_phase(band):
                real, correction = torch.split(found, [outputs, 2 * outputs], 1)
                logits.append(real)
                corrections.append(correction)
            else:
                logits.append(found.repeat_interleave(config.mask_group, -1)[..., : config.bands[band]])
        joined = torch.cat(logits, -1)
        if corrections:
            return joined, torch.cat(corrections, -1)
        return joined, joined.new_zeros(len(joined), 2 * outputs, 0)


def apply_masks(logits: Tensor, correction: Tensor, mixture: Tensor) -> tuple[Tensor, Tensor]:
    """Return the parts of a spectrum by its masks, in real arithmetic.

    Parameters
    ----------
    logits
        ``(rows, n_outputs, n_bins)``, before their gain.
    correction
        ``(rows, 2 * n_outputs, n_phase_bins)``: real parts, then imaginary parts, of what is added to masks.
    mixture
        ``(rows, 1, n_bins, 2)``.

    Returns
    -------
    tuple of Tensor
        The parts ``(rows, n_outputs, n_bins, 2)``, which sum to the mixture, and the logits with their gain.
    """
    logits = MASK_GAIN * logits
    masks = torch.softmax(logits, 1)
    n_phase_bins = correction.shape[-1]
    high = masks[..., n_phase_bins:, None] * mixture[..., n_phase_bins:, :]
    if n_phase_bins == 0:
        return high, logits
    # Corrections sum to nothing, so the outputs still sum to the recording.
    real, imaginary = (PHASE_GAIN * (part - part.mean(1, keepdim=True)) for part in correction.chunk(2, 1))
    real = real + masks[..., :n_phase_bins]
    low_real, low_imaginary = mixture[..., :n_phase_bins, 0], mixture[..., :n_phase_bins, 1]
    low = torch.stack(
        [real * low_real - imaginary * low_imaginary, real * low_imaginary + imaginary * low_real], -1
    )
    return torch.cat([low, high], 2), logits
