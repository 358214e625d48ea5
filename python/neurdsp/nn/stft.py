"""The complex STFT and its inverse as a differentiable torch module."""

import torch
from torch import Tensor, nn

from neurdsp.dsp.checks import integer
from neurdsp.dsp.frames import frame_key
from neurdsp.dsp.options import WindowSpec
from neurdsp.dsp.plans import planned_stft
from neurdsp.errors import ParameterError
from neurdsp.nn import mirror, stft_ops
from neurdsp.nn.plan import encode_frames
from neurdsp.nn.spectrogram import floating, tensor

__all__ = ["STFT"]


class STFT(nn.Module):
    """The short-time Fourier transform and its inverse, differentiable to any order.

    On a CPU both directions and all their derivatives run in the Rust core, elsewhere in plain torch. The
    module compiles with torch.compile and has no state.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `neurdsp.stft`.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import torch
    >>> from neurdsp.nn import STFT
    >>> transform = STFT(n_fft=512, hop_length=128)
    >>> audio = torch.randn(2, 4096, requires_grad=True)
    >>> spectrum = transform(audio)
    >>> transform.inverse(0.5 * spectrum, length=4096).sum().backward()
    >>> spectrum.shape, spectrum.dtype, audio.grad.shape
    (torch.Size([2, 257, 33]), torch.complex64, torch.Size([2, 4096]))
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
        planned_stft(frames, False)  # raises for what the core does not take
        self.n_fft, self.hop_length, self.n_bins = frames.n_fft, frames.hop_length, frames.n_bins
        self._pad = frames.pad
        self.plan = encode_frames(frames)

    def forward(self, samples: Tensor) -> Tensor:
        """Return the complex spectrum ``(..., 1 + n_fft // 2, n_frames)`` of samples ``(..., n_samples)``."""
        samples = floating(samples)
        run = stft_ops.stft if samples.device.type == "cpu" else mirror.stft
        result: Tensor = run(samples, self.plan)
        return result

    def inverse(self, spectrum: Tensor, *, length: int | None = None) -> Tensor:
        """Return the signal ``(..., n_samples)`` of a spectrum.

        Parameters
        ----------
        spectrum
            Complex, ``(..., 1 + n_fft // 2, n_frames)``.
        length
            Length of the result in samples: it is cut, or padded with zeros where no frame reaches. Where
            only the end of a window reaches, the signal fades out; see `neurdsp.istft`.

        Raises
        ------
        ParameterError
            If the spectrum is not complex or has other dimensions, or no sample is left of it.
        """
        spectrum = tensor(spectrum, "spectrum")
        if not spectrum.is_complex() or spectrum.ndim < 2 or spectrum.shape[-2] != self.n_bins:
            raise ParameterError(
                f"spectrum is {spectrum.dtype} of shape {tuple(spectrum.shape)}, but it must be complex "
                f"(..., {self.n_bins}, n_frames) for n_fft = {self.n_fft}"
            )
        if spectrum.dtype not in (torch.complex64, torch.complex128):
            spectrum = spectrum.to(torch.complex64)
        n_frames = spectrum.shape[-1]
        natural = self.n_fft + self.hop_length * (n_frames - 1) - 2 * self._pad
        if n_frames == 0 or (length is None and natural < 1):
            raise ParameterError(
                f"{n_frames} frames hold no sample beside their padding; pass more frames, or length"
            )
        most = self.n_fft + self.hop_length * n_frames
        length = natural if length is None else integer("length", length, 1, most)
        run = stft_ops.istft if spectrum.device.type == "cpu" else mirror.istft
        result: Tensor = run(spectrum, length, self.plan)
        return result
