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

__all__ = ["BandSplitNet", "gated_scan"]

#: Factor on the logits of masks, so that an optimiser, which moves all weights alike, moves masks enough.
MASK_GAIN = 4.0
#: Factor on the complex part of masks.
PHASE_GAIN = 0.2
#: Exponent that compresses magnitudes, and what is added to them.
COMPRESSION, FLOOR = 0.3, 1e-5
NORM_EPS = 1e-5


def gated_scan(forget: Tensor, candidate: Tensor) -> Tensor:
    """Return ``h[t] = f[t] h[t - 1] + (1 - f[t]) c[t]`` along the first axis, from zero on."""
    state = torch.zeros_like(candidate[0])
    states = []
    for gate, value in zip(forget, candidate, strict=True):
        state = value + gate * (state - value)
        states.append(state)
    return torch.stack(states)


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


class _Block(nn.Module):
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

    def forward(self, x: Tensor, scan: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        forget, candidate, gate = self.time_in(self.time_norm(x)).chunk(3, -1)
        state = scan(torch.sigmoid(forget), torch.tanh(candidate))
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
        self.blocks = nn.ModuleList([_Block(config) for _ in range(config.n_blocks)])
        self.head_norm = _RmsNorm(config.width)
        self.head = _Head(config)
        self.decoders = nn.ModuleList(
            [
                nn.Linear(config.head, outputs * config.n_masks(band) * (3 if config.has_phase(band) else 1))
                for band in range(n_bands)
            ]
        )
        self.scan: Callable[[Tensor, Tensor], Tensor] = gated_scan

    def forward(self, audio: Tensor) -> Tensor:
        """Separate recordings ``(batch, channels, n_samples)``, with one channel or two.

        Returns ``(batch, n_outputs, channels, n_samples)``, without latency; the outputs sum to the
        recordings.
        """
        spectrum = self.stft(audio)
        masks, _ = self.masks(spectrum)
        return self.stft.inverse(masks * spectrum[:, None], audio.shape[-1])

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
        batch, channels, n_frames, _ = spectrum.shape
        config, outputs = self.config, len(self.config.outputs)
        x = torch.stack(
            [encoder(part) for encoder, part in zip(self.encoders, self.features(spectrum), strict=True)],
            2,
        )
        for block in self.blocks:
            x = block(x, self.scan)
        # (n_frames, rows, n_bands, width) -> (n_bands, n_frames * rows, head)
        x = self.head(self.head_norm(x).permute(2, 0, 1, 3).flatten(1, 2))
        logits, real, imaginary = [], [], []
        for band, decoder in enumerate(self.decoders):
            found = decoder(x[band]).unflatten(-1, (-1, config.n_masks(band)))
            if config.has_phase(band):
                logits.append(found[:, :outputs])
                real.append(found[:, outputs : 2 * outputs])
                imaginary.append(found[:, 2 * outputs :])
            else:
                logits.append(found.repeat_interleave(config.mask_group, -1)[..., : config.bands[band]])
        joined = MASK_GAIN * torch.cat(logits, -1)
        masks = torch.complex(torch.softmax(joined, 1), torch.zeros_like(joined))
        if real:
            correction = torch.complex(torch.cat(real, -1), torch.cat(imaginary, -1))
            # Corrections sum to nothing, so the outputs still sum to the recording.
            correction = PHASE_GAIN * (correction - correction.mean(1, keepdim=True))
            masks = torch.cat(
                [masks[..., : config.n_phase_bins] + correction, masks[..., config.n_phase_bins :]], -1
            )
        shape = (n_frames, batch, channels, outputs, config.n_bins)
        # A channel is a row, so the first axis of `masks` is frames x batch x channels.
        return masks.view(shape).permute(1, 3, 2, 0, 4), joined.view(shape).permute(1, 3, 2, 0, 4)
