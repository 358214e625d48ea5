"""Spectrogram modules: the features of `neurdsp.dsp`, differentiable with respect to the audio."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.dsp import MelSpectrogram as MelPlan
from neurdsp.dsp.checks import padded_lengths
from neurdsp.dsp.engine import SpectrogramEngine, spectrogram_key
from neurdsp.dsp.frames import frame_key
from neurdsp.dsp.options import MelParameters, WindowSpec
from neurdsp.errors import ParameterError
from neurdsp.nn import mirror, ops
from neurdsp.nn.plan import decode, encode

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
        self._preparation = features.preparation
        self.normalize = features.normalize
        self.plan = encode(features.engine.key, exact=features.exact)

    @classmethod
    def preset(cls, name: str, **changes: Unpack[MelParameters]) -> "MelSpectrogram":
        """Return the features of another program, by its name; see `neurdsp.MelSpectrogram.preset`."""
        from neurdsp.dsp.presets import preset_parameters

        return cls(**preset_parameters(name, changes))

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of a signal of ``n_samples``."""
        return decode(self.plan).n_frames(self._preparation.n_samples(n_samples))

    def forward(self, samples: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Return the mel spectrogram ``(..., n_mels, n_frames)`` of samples ``(..., n_samples)``.

        Parameters
        ----------
        samples
            float32 or float64; half precision becomes float32.
        lengths
            Lengths of the signals in samples, ``(batch,)``, of a batch ``(batch, n_samples)`` that is padded
            at its end. Each is transformed alone, and frames that its length does not fill
            (`n_frames`) are zero.

        Raises
        ------
        ParameterError
            If the samples are no floating-point tensor or too few for a frame, or ``lengths`` do not fit.
        """
        samples = floating(samples)
        if lengths is None:
            return self._features(samples)
        sizes = padded_lengths(lengths, tuple(samples.shape), "samples")
        rows = [self._features(row[:size]) for row, size in zip(samples, sizes, strict=True)]
        n_frames = max(row.shape[-1] for row in rows)
        return torch.stack([functional.pad(row, (0, n_frames - row.shape[-1])) for row in rows])

    def _features(self, samples: Tensor) -> Tensor:
        preparation = self._preparation
        if preparation.length is not None:
            samples = samples[..., : preparation.length]
            samples = functional.pad(samples, (0, preparation.length - samples.shape[-1]))
        if preparation.preemphasis:
            rest = samples[..., 1:] - preparation.preemphasis * samples[..., :-1]
            samples = torch.cat([samples[..., :1], rest], dim=-1)
        if preparation.edges is not None and samples.shape[-1] > 0:
            index = torch.from_numpy(preparation.mirrored(samples.shape[-1]))
            samples = samples[..., index.to(samples.device)]
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
        If they are no tensor, or not floating point.
    """
    samples = tensor(samples, "samples")
    if not samples.is_floating_point():
        raise ParameterError(
            f"samples are {samples.dtype}, but a gradient needs floating point; pass samples.float()"
        )
    return samples if samples.dtype in (torch.float32, torch.float64) else samples.float()


def tensor(value: Any, name: str) -> Tensor:
    """Return ``value`` if it is a tensor; raise a `ParameterError` that says how to make one."""
    if isinstance(value, Tensor):
        return value
    step = f"torch.from_numpy({name})" if isinstance(value, np.ndarray) else f"torch.as_tensor({name})"
    raise ParameterError(
        f"{name} is a {type(value).__module__}.{type(value).__name__}, but a module takes a torch tensor; "
        f"pass {step}"
    )


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
