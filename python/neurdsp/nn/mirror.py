"""The transforms in plain torch with the core's window and filters: for other devices and derivatives."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from neurdsp.nn.plan import FramePlan, Plan, decode, decode_frames

__all__ = ["istft", "spectrogram", "squares", "stft"]

# The least divisor of an inverse transform, relative to the largest sum of squared windows; that of the core.
_LEAST_SUM = 1e-3

_made: dict[Any, tuple[Tensor, Tensor | None]] = {}


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _constants(
    parts: FramePlan, plan: str, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """Return the window ``(n_fft,)`` and the filterbank ``(n_rows, n_bins)``, made once for each device."""
    known = _made.get((plan, dtype, device))
    if known is None:
        filters = parts.filters() if isinstance(parts, Plan) else None
        if len(_made) > 64:
            _made.clear()
        known = _made[plan, dtype, device] = (
            torch.tensor(parts.window(), dtype=dtype, device=device),
            None if filters is None else torch.tensor(filters, dtype=dtype, device=device),
        )
    return known


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _divisor(plan: str, n_frames: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(squares(plan, n_frames), dtype=dtype, device=device)


@lru_cache(maxsize=16)
def squares(plan: str, n_frames: int) -> npt.NDArray[np.float64]:
    """Return the sum of the squared windows of ``n_frames`` frames, with a floor where windows fade out.

    Returns
    -------
    numpy.ndarray
        ``(n_fft + hop_length * (n_frames - 1),)``: what the core divides an overlap-add by, before it cuts
        the padding off.
    """
    parts = decode_frames(plan)
    hop, n_fft = parts.frames.hop_length, parts.frames.n_fft
    n_hops = -(-n_fft // hop)
    pieces = np.pad(parts.window() ** 2, (0, n_hops * hop - n_fft)).reshape(n_hops, hop)
    total = np.zeros((n_frames + n_hops - 1, hop))
    for i, piece in enumerate(pieces):
        total[i : i + n_frames] += piece
    sums = total.reshape(-1)[: n_fft + hop * (n_frames - 1)]
    # Relative to the sum where no frame is missing, however few there are.
    divisors = np.maximum(sums, _LEAST_SUM * pieces.sum(axis=0).max())
    return np.where(divisors > np.finfo(np.float32).tiny, divisors, 1.0)


def stft(samples: Tensor, plan: str) -> Tensor:
    """Return what the operator of the same name does, differentiable to any order.

    Parameters
    ----------
    samples
        float32 or float64, ``(..., n_samples)``, on any device.
    plan
        From `neurdsp.nn.plan.encode_frames`.

    Returns
    -------
    Tensor
        Complex, ``(..., n_bins, n_frames)``.
    """
    parts = decode_frames(plan)
    parts.check_length(tuple(samples.shape))
    window, _ = _constants(parts, plan, samples.dtype, samples.device)
    spectrum = _spectrum(samples.reshape(-1, samples.shape[-1]), parts, window)
    return spectrum.reshape(*samples.shape[:-1], *spectrum.shape[1:])


def istft(spectrum: Tensor, length: int, plan: str) -> Tensor:
    """Return what the operator of the same name does, differentiable to any order.

    Parameters
    ----------
    spectrum
        Complex, ``(..., n_bins, n_frames)``, on any device.
    length
        Samples of the result.
    plan
        From `neurdsp.nn.plan.encode_frames`.

    Returns
    -------
    Tensor
        ``(..., length)``.
    """
    parts = decode_frames(plan)
    n_bins, n_frames = spectrum.shape[-2:]
    rows = spectrum.reshape(-1, n_bins, n_frames)
    real = rows.real.dtype
    window, _ = _constants(parts, plan, real, rows.device)
    n_fft, hop_length, pad = parts.frames.n_fft, parts.frames.hop_length, parts.frames.pad
    frames = torch.fft.irfft(rows, n_fft, dim=1) * window[:, None]
    covered = n_fft + hop_length * (n_frames - 1)
    added = functional.fold(frames, output_size=(1, covered), kernel_size=(1, n_fft), stride=(1, hop_length))[
        :, 0, 0
    ]  # (rows, covered)
    added = (added / _divisor(plan, n_frames, real, rows.device))[:, pad : pad + length]
    added = functional.pad(added, (0, length - added.shape[1]))
    return added.reshape(*spectrum.shape[:-2], length)


def spectrogram(samples: Tensor, plan: str) -> Tensor:
    """Return what the operator of the same name does, differentiable to any order.

    Parameters
    ----------
    samples
        float32 or float64, ``(..., n_samples)``, on any device.
    plan
        From `neurdsp.nn.plan.encode`.

    Returns
    -------
    Tensor
        ``(..., n_rows, n_frames)``.
    """
    parts = decode(plan)
    key = parts.key
    parts.check_length(tuple(samples.shape))
    window, filters = _constants(parts, plan, samples.dtype, samples.device)
    spectrum = _spectrum(samples.reshape(-1, samples.shape[-1]), parts, window)
    power = spectrum.real.square() + spectrum.imag.square()
    if key.power == 2:
        values = power
    else:
        # A root has no gradient at zero: it is taken as zero there, as in the core.
        shifted = power + key.eps if key.power == 1 else power
        positive = shifted > 0
        safe = torch.where(positive, shifted, torch.ones_like(shifted))
        values = torch.where(positive, safe ** (key.power / 2), torch.zeros_like(shifted))
    values = values[:, : key.n_rows] if filters is None else filters @ values
    if key.log is not None:
        floor, offset, scale = key.log
        least = torch.finfo(values.dtype).tiny
        values = (values.clamp_min(floor) + offset).clamp_min(least).log() * scale
    return values.reshape(*samples.shape[:-1], *values.shape[1:])


def _spectrum(rows: Tensor, parts: FramePlan, window: Tensor) -> Tensor:
    """Return the complex spectrum ``(rows, n_bins, n_frames)`` of ``(rows, n_samples)``."""
    key = parts.frames
    padded = _padded(rows, key.pad, key.pad_mode)
    if key.frame_filter is None:
        spectrum = torch.stft(
            padded, key.n_fft, hop_length=key.hop_length, window=window, center=False, return_complex=True
        )
    else:
        remove_mean, preemphasis = key.frame_filter
        frames = padded.unfold(-1, parts.frame_length, key.hop_length)  # (rows, n_frames, frame_length)
        if remove_mean:
            frames = frames - frames.mean(-1, keepdim=True)
        # The first sample is its own predecessor.
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
        frames = (frames - preemphasis * before) * window[: parts.frame_length]
        spectrum = torch.fft.rfft(frames, key.n_fft).transpose(-1, -2)
    return spectrum[..., :-1] if key.drop_last else spectrum


def _padded(rows: Tensor, pad: int, mode: str) -> Tensor:
    """Return ``(rows, n + 2 * pad)``, by torch's own padding where it has the mode and allows the length."""
    n_samples = rows.shape[-1]
    if pad == 0:
        return rows
    if mode in ("constant", "zeros"):
        return functional.pad(rows, (pad, pad))
    if mode in ("edge", "replicate"):
        return functional.pad(rows, (pad, pad), mode="replicate")
    if mode == "reflect" and pad < n_samples:
        return functional.pad(rows, (pad, pad), mode="reflect")
    known: Any = {"circular": "wrap"}.get(mode, mode)
    index = np.pad(np.arange(n_samples), pad, mode=known)
    return rows[:, torch.from_numpy(index).to(rows.device)]
