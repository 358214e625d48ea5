"""TFC-TDF v3, the network of MDX23C, in torch.

Source: M. Kim, J. H. Lee, S. Jung, "Sound Demixing Challenge 2023 - Music Demixing Track Technical Report:
TFC-TDF-UNet v3", arXiv 2306.09382. The names of its tensors are those of the public checkpoints.
"""

import torch
from torch import Tensor, nn

from neurdsp.drumsep.config import TfcTdfConfig

__all__ = ["TfcTdfNet"]


class _Block(nn.Module):
    """A TFC-TDF block: convolutions around a bottleneck over frequency, and a shortcut."""

    def __init__(self, c_in: int, c: int, bins: int, config: TfcTdfConfig) -> None:
        super().__init__()
        inner = bins // config.bottleneck_factor
        self.tfc1 = nn.Sequential(*_norm(c_in, config), nn.Conv2d(c_in, c, 3, 1, 1, bias=False))
        self.tdf = nn.Sequential(
            *_norm(c, config),
            nn.Linear(bins, inner, bias=False),
            *_norm(c, config),
            nn.Linear(inner, bins, bias=False),
        )
        self.tfc2 = nn.Sequential(*_norm(c, config), nn.Conv2d(c, c, 3, 1, 1, bias=False))
        self.shortcut = nn.Conv2d(c_in, c, 1, 1, 0, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.shortcut(x)
        x = self.tfc1(x)
        x = x + self.tdf(x)
        result: Tensor = self.tfc2(x) + shortcut
        return result


class _TfcTdf(nn.Module):
    """Blocks of one scale: ``(batch, c_in, n_frames, bins)`` to ``(batch, c, n_frames, bins)``."""

    def __init__(self, c_in: int, c: int, bins: int, config: TfcTdfConfig) -> None:
        super().__init__()
        widths = [c_in] + [c] * (config.n_blocks - 1)
        self.blocks = nn.ModuleList([_Block(width, c, bins, config) for width in widths])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class _Resample(nn.Module):
    """The step from one scale to another."""

    def __init__(self, channels: int, conv: nn.Module, config: TfcTdfConfig) -> None:
        super().__init__()
        self.conv = nn.Sequential(*_norm(channels, config), conv)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


class _Encoder(nn.Module):
    """A scale on the way down: its output for the skip, and what goes on to the next scale."""

    def __init__(self, scale: int, config: TfcTdfConfig) -> None:
        super().__init__()
        c, wider = config.scale_channels[scale : scale + 2]
        self.tfc_tdf = _TfcTdf(c, c, config.band_bins[scale], config)
        down = nn.Conv2d(c, wider, config.scale, config.scale, bias=False)
        self.downscale = _Resample(c, down, config)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skip = self.tfc_tdf(x)
        return skip, self.downscale(skip)


class _Decoder(nn.Module):
    """A scale on the way up."""

    def __init__(self, scale: int, config: TfcTdfConfig) -> None:
        super().__init__()
        c, wider = config.scale_channels[scale : scale + 2]
        up = nn.ConvTranspose2d(wider, c, config.scale, config.scale, bias=False)
        self.upscale = _Resample(wider, up, config)
        self.tfc_tdf = _TfcTdf(2 * c, c, config.band_bins[scale], config)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        result: Tensor = self.tfc_tdf(torch.cat([self.upscale(x), skip], 1))
        return result


class TfcTdfNet(nn.Module):
    """The network of MDX23C: a U-Net over complex spectra, from a recording to its stems.

    Parameters
    ----------
    config
        Its shape.

    Examples
    --------
    >>> import torch
    >>> config = TfcTdfConfig(channels=4, growth=4, chunk_samples=31 * 512)
    >>> TfcTdfNet(config)(torch.zeros(1, 2, config.chunk_samples)).shape
    torch.Size([1, 5, 2, 15872])
    """

    window: Tensor

    def __init__(self, config: TfcTdfConfig) -> None:
        super().__init__()
        self.config = config
        self.first_conv = nn.Conv2d(config.complex_channels, config.channels, 1, bias=False)
        scales = range(config.n_scales)
        self.encoder_blocks = nn.ModuleList([_Encoder(scale, config) for scale in scales])
        widest = config.scale_channels[-1]
        self.bottleneck_block = _TfcTdf(widest, widest, config.band_bins[-1], config)
        self.decoder_blocks = nn.ModuleList([_Decoder(scale, config) for scale in reversed(scales)])
        self.final_conv = nn.Sequential(
            nn.Conv2d(config.channels + config.complex_channels, config.channels, 1, bias=False),
            _activation(config),
            nn.Conv2d(config.channels, len(config.stems) * config.complex_channels, 1, bias=False),
        )
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Separate recordings.

        Parameters
        ----------
        audio
            ``(batch, audio_channels, n_samples)``; ``n_samples // hop_length + 1`` must be a multiple of
            ``config.frame_multiple``.

        Returns
        -------
        Tensor
            ``(batch, n_stems, audio_channels, hop_length * (n_frames - 1))``: as many samples as went in, if
            they are a multiple of the hop.
        """
        return self.synthesise(self.body(self.analyse(audio)))

    def analyse(self, audio: Tensor) -> Tensor:
        """Return the spectrum ``(batch, 2 * audio_channels, n_bins, n_frames)``: its parts are channels."""
        config, (batch, channels, n_samples) = self.config, audio.shape
        spectrum = torch.stft(
            audio.reshape(batch * channels, n_samples),
            config.n_fft,
            config.hop_length,
            window=self.window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        parts = torch.view_as_real(spectrum[:, : config.n_bins])  # (batch * channels, bins, frames, 2)
        return parts.permute(0, 3, 1, 2).reshape(batch, 2 * channels, config.n_bins, -1)

    def body(self, spectrum: Tensor) -> Tensor:
        """Map the spectrum of a recording to those of the stems.

        Parameters
        ----------
        spectrum
            ``(batch, 2 * audio_channels, n_bins, n_frames)``.

        Returns
        -------
        Tensor
            ``(batch, n_stems, 2 * audio_channels, n_bins, n_frames)``.
        """
        config, (batch, parts, n_bins, n_frames) = self.config, spectrum.shape
        mix = spectrum.reshape(batch, parts * config.n_subbands, n_bins // config.n_subbands, n_frames)
        first = self.first_conv(mix)
        x, skips = first.transpose(-1, -2), []  # (batch, channels, frames, bins)
        for encoder in self.encoder_blocks:
            skip, x = encoder(x)
            skips.append(skip)
        x = self.bottleneck_block(x)
        for decoder in self.decoder_blocks:
            x = decoder(x, skips.pop())
        x = x.transpose(-1, -2) * first
        x = self.final_conv(torch.cat([mix, x], 1))
        spectra: Tensor = x.reshape(batch, len(config.stems), parts, n_bins, n_frames)
        return spectra

    def synthesise(self, spectra: Tensor, *, n_samples: int | None = None) -> Tensor:
        """Return the stems of spectra, ``(batch, n_stems, audio_channels, n_samples)``.

        Without ``n_samples`` they end at the centre of the last frame.
        """
        config, (batch, n_stems, parts, n_bins, n_frames) = self.config, spectra.shape
        flat = spectra.reshape(-1, 2, n_bins, n_frames)
        full = flat.new_zeros(flat.shape[0], 2, config.n_fft // 2 + 1, n_frames)
        full[:, :, :n_bins] = flat
        audio = torch.istft(
            torch.complex(full[:, 0], full[:, 1]),
            config.n_fft,
            config.hop_length,
            window=self.window,
            center=True,
            length=n_samples,
        )
        return audio.reshape(batch, n_stems, parts // 2, -1)


def _norm(channels: int, config: TfcTdfConfig) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels, affine=True), _activation(config)


def _activation(config: TfcTdfConfig) -> nn.Module:
    return nn.GELU() if config.activation == "gelu" else nn.ReLU()
