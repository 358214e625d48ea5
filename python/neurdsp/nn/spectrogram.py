"""Spectrogram modules: the features of `neurdsp.dsp`, differentiable with respect to the audio."""

from typing import Unpack

import torch
from torch import Tensor, nn

from neurdsp.dsp import MelSpectrogram as MelPlan
from neurdsp.dsp.engine import SpectrogramEngine, spectrogram_key
from neurdsp.dsp.frames import frame_key
from neurdsp.dsp.options import MelParameters, WindowSpec
from neurdsp.errors import ParameterError
from neurdsp.nn import mirror, ops
from neurdsp.nn.plan import encode

__all__ = ["MelSpectrogram", "Spectrogram"]


class Spectrogram(nn.Module):
    """Differentiable magnitudes of the STFT, raised to the power ``power``.

    On a CPU, forward and backward passes run in the Rust core, on at most as many threads as torch uses. On
    any other device they are plain torch, with the core's window. The module compiles with torch.compile and
    has no state.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `neurdsp.stft`.
    power
        2 for power, 1 for magnitude, or any positive exponent.
    eps
        Term under the root of a magnitude (``power`` 1). The root has no gradient at zero; there it is taken
        as zero.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import torch
    >>> from neurdsp.nn import Spectrogram
    >>> audio = torch.randn(2, 4096, requires_grad=True)
    >>> Spectrogram(n_fft=512, power=1.0)(audio).sum().backward()
    >>> audio.grad.shape
    torch.Size([2, 4096])
    """

    def __init__(
        self,
        *,
        n_fft: int = 2048,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: WindowSpec = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        power: float = 2.0,
        eps: float = 0.0,
    ) -> None:
        super().__init__()
        frames = frame_key(
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=win_length,
            window=window,
            center=center,
            pad_mode=pad_mode,
        )
        key = spectrogram_key(frames, power=power, eps=eps)
        SpectrogramEngine(key)  # raises for what the core does not take
        self.plan = encode(key)

    def forward(self, samples: Tensor) -> Tensor:
        """Return the spectrogram ``(..., 1 + n_fft // 2, n_frames)`` of samples ``(..., n_samples)``."""
        return transform(samples, self.plan)


class MelSpectrogram(nn.Module):
    """A differentiable mel spectrogram or its logarithm: `neurdsp.MelSpectrogram` as a torch module.

    It runs as `Spectrogram` does.

    Parameters
    ----------
    **parameters
        Parameters of `neurdsp.MelSpectrogram`. Pre-emphasis and normalisation are plain torch.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import torch
    >>> from neurdsp.nn import MelSpectrogram
    >>> audio = torch.randn(2, 16000, requires_grad=True)
    >>> mel = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, log="ln")(audio)
    >>> mel.mean().backward()
    >>> mel.shape, audio.grad.shape
    (torch.Size([2, 80, 101]), torch.Size([2, 16000]))
    """

    def __init__(self, **parameters: Unpack[MelParameters]) -> None:
        super().__init__()
        features = MelPlan(**parameters)
        self.preemphasis = float(features.preemphasis)
        self.normalize = features.normalize
        self.plan = encode(features.engine.key, exact=features.exact)

    @classmethod
    def preset(cls, name: str, **changes: Unpack[MelParameters]) -> "MelSpectrogram":
        """Return the features of another program, by its name; see `neurdsp.MelSpectrogram.preset`."""
        from neurdsp.dsp.presets import preset_parameters

        return cls(**{**preset_parameters(name), **changes})

    def forward(self, samples: Tensor) -> Tensor:
        """Return the mel spectrogram ``(..., n_mels, n_frames)`` of samples ``(..., n_samples)``."""
        samples = floating(samples)
        if self.preemphasis:
            rest = samples[..., 1:] - self.preemphasis * samples[..., :-1]
            samples = torch.cat([samples[..., :1], rest], dim=-1)
        return normalised(transform(samples, self.plan), self.normalize)


def normalised(values: Tensor, how: str | None) -> Tensor:
    """Return features ``(..., n_rows, n_frames)`` normalised as by `neurdsp.MelSpectrogram`."""
    if how == "whisper":
        return (torch.maximum(values, values.amax((-2, -1), keepdim=True) - 8.0) + 4.0) / 4.0
    if how == "per_feature":
        wide = values.double()
        centred = wide - wide.mean(-1, keepdim=True)
        variance = centred.square().sum(-1, keepdim=True) / max(values.shape[-1] - 1, 1)
        # The root has no gradient for a constant row: it is taken as zero.
        changes = variance > 0
        deviation = torch.where(changes, torch.where(changes, variance, 1.0).sqrt(), 0.0)
        return (centred / (deviation + 1e-5)).to(values.dtype)
    return values


def floating(samples: Tensor) -> Tensor:
    """Return samples as float32 or float64; half precision becomes float32.

    Raises
    ------
    ParameterError
        If they are not floating point.
    """
    if not samples.is_floating_point():
        raise ParameterError(
            f"samples are {samples.dtype}, but a gradient needs floating point; pass samples.float()"
        )
    return samples if samples.dtype in (torch.float32, torch.float64) else samples.float()


def transform(samples: Tensor, plan: str) -> Tensor:
    """Return the spectrogram of ``samples`` by the core on a CPU, by plain torch elsewhere.

    Parameters
    ----------
    samples
        ``(..., n_samples)``, float32 or float64; half precision becomes float32.
    plan
        From `neurdsp.nn.plan.encode`.

    Raises
    ------
    ParameterError
        If the samples are not floating point, or too few for a frame.
    """
    samples = floating(samples)
    if samples.device.type == "cpu":
        result: Tensor = ops.spectrogram(samples, plan)
        return result
    return mirror.spectrogram(samples, plan)
