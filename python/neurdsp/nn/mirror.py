"""The spectrogram in plain torch, with the core's window and filters: for other devices and derivatives."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurdsp.nn.plan import decode

__all__ = ["spectrogram"]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _constants(plan: str, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Return the window ``(n_fft,)`` and the filterbank ``(n_rows, n_bins)``, made once for each device."""
    known = _made.get((plan, dtype, device))
    if known is None:
        parts = decode(plan)
        window, filters = parts.window(), parts.filters()
        if len(_made) > 64:
            _made.clear()
        known = _made[plan, dtype, device] = (
            torch.tensor(window, dtype=dtype, device=device),
            None if filters is None else torch.tensor(filters, dtype=dtype, device=device),
        )
    return known


_made: dict[Any, tuple[Tensor, Tensor | None]] = {}


def spectrogram(samples: Tensor, plan: str) -> Tensor:
    """Return what the operator of the same name does, differentiable as often as wanted.

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
    parts.check_length(tuple(samples.shape))
    window, filters = _constants(plan, samples.dtype, samples.device)
    rows = samples.reshape(-1, samples.shape[-1])
    spectrum = torch.stft(
        _padded(rows, parts.pad, parts.pad_mode),
        parts.n_fft,
        hop_length=parts.hop_length,
        window=window,
        center=False,
        return_complex=True,
    )  # (rows, n_bins, n_frames)
    if parts.drop_last:
        spectrum = spectrum[..., :-1]
    power = spectrum.real.square() + spectrum.imag.square()
    if parts.power == 2:
        values = power
    else:
        # A root has no gradient at zero: none passes there, as in the core.
        shifted = power + parts.eps if parts.power == 1 else power
        positive = shifted > 0
        safe = torch.where(positive, shifted, torch.ones_like(shifted))
        values = torch.where(positive, safe ** (parts.power / 2), torch.zeros_like(shifted))
    values = values[:, : parts.n_rows] if filters is None else filters @ values
    if parts.log is not None:
        floor, offset, scale = parts.log
        least = torch.finfo(values.dtype).tiny
        values = (values.clamp_min(floor) + offset).clamp_min(least).log() * scale
    return values.reshape(*samples.shape[:-1], *values.shape[1:])


def _padded(rows: Tensor, pad: int, mode: str) -> Tensor:
    """Return ``(rows, n + 2 * pad)``, by torch's own padding where it has the mode and the room."""
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
