"""The discriminators of HiFi-GAN: one looks at periods of the audio, one at its scales.

References
----------
.. [1] J. Kong, J. Kim, J. Bae, "HiFi-GAN: Generative adversarial networks for efficient and high fidelity
   speech synthesis", NeurIPS 2020.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from neurdsp.kick.mel.recipe import DiscriminatorConfig

__all__ = ["Discriminators", "Judgement", "MultiPeriod", "MultiScale"]

_SLOPE = 0.1

Judgement = tuple[Tensor, list[Tensor]]
"""What a discriminator says ``(batch, n)``, and the features of its layers."""


class _Period(nn.Module):
    """Convolutions over every ``period``-th sample."""

    def __init__(self, period: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.period = period
        pairs = [*zip((1, *channels[:-1]), channels, strict=True)]
        strides = [3] * (len(pairs) - 1) + [1]
        self.convs = nn.ModuleList(
            weight_norm(nn.Conv2d(c_in, c_out, (5, 1), (stride, 1), padding=(2, 0)))
            for (c_in, c_out), stride in zip(pairs, strides, strict=True)
        )
        self.conv_post = weight_norm(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Tensor) -> Judgement:
        missing = -audio.shape[-1] % self.period
        h = functional.pad(audio[:, None], (0, missing), mode="reflect")
        h = h.reshape(len(h), 1, -1, self.period)  # (batch, 1, n, period)
        return _judged(h, self.convs, self.conv_post)


class MultiPeriod(nn.Module):
    """Discriminators of several periods.

    Parameters
    ----------
    config
        Periods and channels.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            _Period(period, config.period_channels) for period in config.periods
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Return a judgement of each period on audio ``(batch, n_samples)``."""
        return [discriminator(audio) for discriminator in self.discriminators]


class _Scale(nn.Module):
    """Grouped, strided convolutions of audio."""

    def __init__(self, channels: Sequence[int], *, spectral: bool) -> None:
        super().__init__()
        norm = spectral_norm if spectral else weight_norm
        strides = (1, 2, 2, 4, 4, 1)
        groups = (1, 4, 16, 16, 16, 16)
        layers = []
        c_in = 1
        for index, c_out in enumerate(channels):
            last = index == len(channels) - 1
            first = index == 0
            kernel = 15 if first else 5 if last else 41
            stride = 1 if last else strides[min(index, 5)]
            group = 1 if last else groups[min(index, 5)]
            layers.append(norm(nn.Conv1d(c_in, c_out, kernel, stride, groups=group, padding=kernel // 2)))
            c_in = c_out
        self.convs = nn.ModuleList(layers)
        self.conv_post = norm(nn.Conv1d(c_in, 1, 3, padding=1))

    def forward(self, audio: Tensor) -> Judgement:
        return _judged(audio[:, None], self.convs, self.conv_post)


def _judged(h: Tensor, convs: nn.ModuleList, last: nn.Module) -> Judgement:
    features = []
    for conv in convs:
        h = functional.leaky_relu(conv(h), _SLOPE)
        features.append(h)
    h = last(h)
    features.append(h)
    return h.flatten(1), features


class MultiScale(nn.Module):
    """Discriminators of the audio, and of the audio at a half and at a quarter of its rate.

    Parameters
    ----------
    config
        Number of scales, and channels.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            _Scale(config.scale_channels, spectral=index == 0) for index in range(config.scales)
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Return a judgement of each scale on audio ``(batch, n_samples)``."""
        judgements, h = [], audio[:, None]
        for index, discriminator in enumerate(self.discriminators):
            if index:
                h = functional.avg_pool1d(h, 4, 2, padding=2)
            judgements.append(discriminator(h[:, 0]))
        return judgements


class Discriminators(nn.Module):
    """Both.

    Parameters
    ----------
    config
        Their shapes.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.periods = MultiPeriod(config)
        self.scales = MultiScale(config)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Return the judgements of all on audio ``(batch, n_samples)``."""
        return [*self.periods(audio), *self.scales(audio)]
