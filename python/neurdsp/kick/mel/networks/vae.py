"""A convolutional VAE of log-mel spectrograms.

References
----------
.. [1] D. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
"""

import torch
from torch import Tensor, nn

from neurdsp.kick.mel.config import MelConfig, VaeConfig
from neurdsp.kick.mel.networks.blocks import ResBlock, cropped

__all__ = ["MelVae"]


class _DownStage(nn.Module):
    def __init__(self, c_in: int, c_out: int, groups: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1)
        self.res = ResBlock(c_out, groups)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.res(self.down(x))
        return found


class _UpStage(nn.Module):
    def __init__(self, c_in: int, c_out: int, groups: int) -> None:
        super().__init__()
        self.res = ResBlock(c_in, groups)
        self.up = nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.up(self.res(x))
        return found


class _Encoder(nn.Module):
    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        pairs = zip((1, *config.channels[:-1]), config.channels, strict=True)
        self.stages = nn.ModuleList(_DownStage(c_in, c_out, config.groups) for c_in, c_out in pairs)
        self.mu = nn.Conv2d(config.channels[-1], config.latent_channels, 1)
        self.logvar = nn.Conv2d(config.channels[-1], config.latent_channels, 1)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        h = mel
        for stage in self.stages:
            h = stage(h)
        return self.mu(h), self.logvar(h)


class _Decoder(nn.Module):
    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        channels = config.channels[::-1]
        pairs = zip(channels, (*channels[1:], 1), strict=True)
        self.input = nn.Conv2d(config.latent_channels, channels[0], 1)
        self.stages = nn.ModuleList(_UpStage(c_in, c_out, config.groups) for c_in, c_out in pairs)

    def forward(self, latent: Tensor) -> Tensor:
        h: Tensor = self.input(latent)
        for stage in self.stages:
            h = stage(h)
        return h


class MelVae(nn.Module):
    """The VAE.

    Parameters
    ----------
    config
        Channels.
    mel
        The spectrogram, which says what the output is cropped to.

    Examples
    --------
    >>> vae = MelVae(VaeConfig(), MelConfig())
    >>> vae.encode(torch.zeros(1, 1, 128, 173))[0].shape
    torch.Size([1, 4, 8, 11])
    """

    def __init__(self, config: VaeConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config, self.mel = config, mel
        self.encoder = _Encoder(config)
        self.decoder = _Decoder(config)

    def encode(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the latents ``(batch, channels, bands, frames)``.

        Parameters
        ----------
        mel
            Log-mel spectrograms ``(batch, 1, n_mels, n_frames)``.
        """
        mu, logvar = self.encoder(mel)
        return mu, logvar

    def decode(self, latent: Tensor) -> Tensor:
        """Return log-mel spectrograms ``(batch, 1, n_mels, n_frames)`` of latents."""
        return cropped(self.decoder(latent), self.mel.n_mels, self.mel.n_frames)

    def forward(self, mel: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the reconstruction from a drawn latent, and mean and log variance.

        Parameters
        ----------
        mel
            As for `encode`.
        noise
            Standard normal, of the shape of the latents.
        """
        mu, logvar = self.encode(mel)
        latent = mu + torch.exp(0.5 * logvar.clamp(-30.0, 20.0)) * noise
        return self.decode(latent), mu, logvar
