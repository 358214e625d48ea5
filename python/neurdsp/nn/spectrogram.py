"""Spectrogram modules: the features of `neurdsp.dsp`, differentiable with respect to the audio."""

from typing import Any

import torch
from torch import Tensor, nn

from neurdsp.dsp import MelSpectrogram as MelPlan
from neurdsp.dsp.features import SpectrogramEngine
from neurdsp.dsp.plans import Frames, WindowSpec
from neurdsp.errors import ParameterError
from neurdsp.nn import mirror, ops
from neurdsp.nn.plan import encode

__all__ = ["MelSpectrogram", "Spectrogram"]


class Spectrogram(nn.Module):
    """Magnitudes of the STFT to the power ``power``, with a gradient.

    On a CPU, forward and backward run in the Rust core, on as many threads as torch may use. On any other
    device plain torch does the same with the core's window. It goes through torch.compile and has no state.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `neurdsp.stft`.
    power
        2 for power, 1 for magnitude, or any positive exponent.
    eps
        Added under the root of a magnitude (``power`` 1), which has no gradient at zero: none passes there.

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
        frames = Frames(
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=win_length,
            window=window,
            center=center,
            pad_mode=pad_mode,
        )
        self.plan = encode(SpectrogramEngine(frames, power=power, eps=eps))

    def forward(self, samples: Tensor) -> Tensor:
        """Return the spectrogram ``(..., 1 + n_fft // 2, n_frames)`` of samples ``(..., n_samples)``."""
        return transform(samples, self.plan)


class MelSpectrogram(nn.Module):
    """A mel spectrogram, or its logarithm, with a gradient: `neurdsp.MelSpectrogram` as a torch module.

    Runs as `Spectrogram` does.

    Parameters
    ----------
    **parameters
        Those of `neurdsp.MelSpectrogram`, but for ``normalize``, ``preemphasis`` and ``frame_filter``, which
        carry no gradient.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, or carries no gradient.

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

    def __init__(self, **parameters: Any) -> None:
        super().__init__()
        features = MelPlan(**parameters)
        for name in ("normalize", "preemphasis"):
            if getattr(features, name):
                raise ParameterError(
                    f"{name} is {getattr(features, name)!r}, but no gradient is carried through it; "
                    "leave it out and apply it in torch"
                )
        self.plan = encode(features.engine, exact=features.exact)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "MelSpectrogram":
        """Return the features of another program, by its name; see `neurdsp.MelSpectrogram.preset`."""
        from neurdsp.dsp.presets import preset_parameters

        return cls(**{**preset_parameters(name), **changes})

    def forward(self, samples: Tensor) -> Tensor:
        """Return the mel spectrogram ``(..., n_mels, n_frames)`` of samples ``(..., n_samples)``."""
        return transform(samples, self.plan)


def transform(samples: Tensor, plan: str) -> Tensor:
    """Return the spectrogram of ``samples`` by the core on a CPU, by plain torch elsewhere.

    Parameters
    ----------
    samples
        ``(..., n_samples)``, float32 or float64; half precision is computed, and given back, in float32.
    plan
        From `neurdsp.nn.plan.encode`.

    Raises
    ------
    ParameterError
        For anything but floating point, and for too few samples.
    """
    if not samples.is_floating_point():
        raise ParameterError(
            f"samples are {samples.dtype}, but a gradient needs floating point; pass samples.float()"
        )
    if samples.dtype not in (torch.float32, torch.float64):
        samples = samples.float()
    if samples.device.type == "cpu":
        result: Tensor = ops.spectrogram(samples, plan)
        return result
    return mirror.spectrogram(samples, plan)
