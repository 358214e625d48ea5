"""The HiFi-GAN generator: from log-mel spectrograms to audio.

References
----------
.. [1] J. Kong, J. Kim, J. Bae, "HiFi-GAN: Generative adversarial networks for efficient and high fidelity
   speech synthesis", NeurIPS 2020.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from neurdsp.kick.mel.config import VocoderConfig

__all__ = ["HifiGan", "folded_state", "load_folded"]

_SLOPE = 0.1
_LAST_SLOPE = 0.01


def _normed(layer: nn.Module, std: float | None = None) -> nn.Module:
    """Return a layer with weight norm, its weights drawn with a standard deviation if one is given."""
    if std is not None:
        nn.init.normal_(layer.weight, 0.0, std)  # type: ignore[arg-type]
    normed: nn.Module = weight_norm(layer)
    return normed


class _Residual(nn.Module):
    """Pairs of a dilated and a plain convolution, each pair added to its input (ResBlock1 of the paper)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            padding = dilation * (kernel - 1) // 2
            return _normed(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding), 0.01)

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            h = first(functional.leaky_relu(x, _SLOPE))
            x = x + second(functional.leaky_relu(h, _SLOPE))
        return x


class HifiGan(nn.Module):
    """The generator, with weight norm.

    Parameters
    ----------
    config
        Channels and kernels.
    n_mels
        Mel bands.

    Examples
    --------
    >>> HifiGan(VocoderConfig(), 128)(torch.zeros(1, 128, 4)).shape
    torch.Size([1, 2048])
    """

    def __init__(self, config: VocoderConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.conv_pre = _normed(nn.Conv1d(n_mels, c, 7, padding=3))
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernels, strict=True):
            up = nn.ConvTranspose1d(c, c // 2, kernel, stride=rate, padding=(kernel - rate) // 2)
            self.ups.append(_normed(up, 0.01))
            c //= 2
            for size in config.resblock_kernels:
                self.resblocks.append(_Residual(c, size, config.resblock_dilations))
        self.conv_post = _normed(nn.Conv1d(c, 1, 7, padding=3), 0.01)

    def forward(self, mel: Tensor) -> Tensor:
        """Return audio ``(batch, n_samples)`` of log-mel spectrograms ``(batch, n_mels, n_frames)``.

        The samples of a frame are centred where the frame is: the first ``hop_length / 2`` lie before the
        audio that the spectrogram was made of.
        """
        h = self.conv_pre(mel)
        n_kernels = len(self.config.resblock_kernels)
        for index, up in enumerate(self.ups):
            h = up(functional.leaky_relu(h, _SLOPE))
            blocks = self.resblocks[index * n_kernels : (index + 1) * n_kernels]
            h = torch.stack([block(h) for block in blocks]).mean(0)
        h = self.conv_post(functional.leaky_relu(h, _LAST_SLOPE))
        return torch.tanh(h).squeeze(1)


def folded_state(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a network by name, with weight norms folded into them."""
    state = {}
    for name, module in network.named_modules():
        prefix = f"{name}." if name else ""
        for key, tensor in module._parameters.items():
            if tensor is not None and not name.endswith(("parametrizations", "parametrizations.weight")):
                state[f"{prefix}{key}"] = tensor.detach()
        if parametrize.is_parametrized(module):
            state[f"{prefix}weight"] = module.weight.detach()
    return state


def load_folded(network: HifiGan, state: Mapping[str, Tensor]) -> None:
    """Give a generator the folded weights of a file.

    Raises
    ------
    KeyError, RuntimeError
        If a weight is missing or of another shape.
    """
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module):
            module.weight = state[f"{name}.weight"]
            module.bias.data.copy_(state[f"{name}.bias"])
