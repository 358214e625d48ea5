"""The operators of the complex STFT and its inverse, which run in the Rust core.

Both are linear. The derivative of each is its adjoint, which is an operator too, and whose derivative is the
first operator again: derivatives of every order stay in the core.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurdsp.nn import mirror
from neurdsp.nn.ops import nan_for_non_finite, rows_of, threads_for
from neurdsp.nn.plan import decode_frames

__all__ = ["istft", "istft_backward", "stft", "stft_backward"]


@torch.library.custom_op("neurdsp::stft", mutates_args=(), device_types="cpu")
def stft(samples: Tensor, plan: str) -> Tensor:
    """Return the complex STFT of float32 or float64 samples on the CPU.

    Parameters
    ----------
    samples
        ``(..., n_samples)``. A batch with NaN or infinity in it gives NaN, for the training loop to find.
    plan
        From `neurdsp.nn.plan.encode_frames`.

    Returns
    -------
    Tensor
        Complex, ``(..., n_bins, n_frames)``.
    """
    parts = decode_frames(plan)
    parts.check_length(tuple(samples.shape))
    rows = rows_of(samples, 1)
    shape = (rows.shape[0], parts.frames.n_bins, parts.n_frames(rows.shape[-1]))
    result = torch.empty(shape, dtype=rows.dtype.to_complex())
    with nan_for_non_finite(rows, result):
        core = parts.stft(rows.dtype == torch.float64)
        core.process([rows.numpy()], [result.numpy()], threads_for(rows.shape, parts))
    return result.reshape(*samples.shape[:-1], *shape[1:])


@stft.register_fake
def _(samples: Tensor, plan: str) -> Tensor:
    parts = decode_frames(plan)
    shape = (*samples.shape[:-1], parts.frames.n_bins, parts.n_frames(samples.shape[-1]))
    return samples.new_empty(shape, dtype=samples.dtype.to_complex())


@torch.library.custom_op("neurdsp::stft_backward", mutates_args=(), device_types="cpu")
def stft_backward(gradient: Tensor, n_samples: int, plan: str) -> Tensor:
    """Return the gradient over ``n_samples`` samples ``(..., n_samples)`` from that over their STFT.

    Parameters
    ----------
    gradient
        Complex, ``(..., n_bins, n_frames)``.
    n_samples
        Length of the signal.
    plan
        As in `stft`.
    """
    parts = decode_frames(plan)
    planes = rows_of(gradient, 2)
    result = torch.empty((planes.shape[0], n_samples), dtype=planes.dtype.to_real())
    core = parts.stft(result.dtype == torch.float64)
    core.backward(planes.numpy(), result.numpy(), threads_for(result.shape, parts))
    return result.reshape(*gradient.shape[:-2], n_samples)


@stft_backward.register_fake
def _(gradient: Tensor, n_samples: int, plan: str) -> Tensor:  # noqa: ARG001
    return gradient.new_empty((*gradient.shape[:-2], n_samples), dtype=gradient.dtype.to_real())


@torch.library.custom_op("neurdsp::istft", mutates_args=(), device_types="cpu")
def istft(spectrum: Tensor, length: int, plan: str) -> Tensor:
    """Return the signal ``(..., length)`` of a complex STFT on the CPU.

    Parameters
    ----------
    spectrum
        Complex, ``(..., n_bins, n_frames)``. NaN or infinity in it gives NaN.
    length
        Samples of the result: it is cut, or filled with zeros.
    plan
        From `neurdsp.nn.plan.encode_frames`.
    """
    parts = decode_frames(plan)
    planes = rows_of(spectrum, 2)
    result = torch.empty((planes.shape[0], length), dtype=planes.dtype.to_real())
    with nan_for_non_finite(planes, result):
        core = parts.istft(result.dtype == torch.float64)
        core.process([planes.numpy()], [result.numpy()], threads_for(result.shape, parts))
    return result.reshape(*spectrum.shape[:-2], length)


@istft.register_fake
def _(spectrum: Tensor, length: int, plan: str) -> Tensor:  # noqa: ARG001
    return spectrum.new_empty((*spectrum.shape[:-2], length), dtype=spectrum.dtype.to_real())


@torch.library.custom_op("neurdsp::istft_backward", mutates_args=(), device_types="cpu")
def istft_backward(gradient: Tensor, n_frames: int, plan: str) -> Tensor:
    """Return the gradient over an STFT of ``n_frames`` frames from that over its signal.

    The frames of the gradient, over the squares that the inverse divides by, through the forward transform.

    Parameters
    ----------
    gradient
        ``(..., length)``.
    n_frames
        Frames of the STFT.
    plan
        As in `istft`.

    Returns
    -------
    Tensor
        Complex, ``(..., n_bins, n_frames)``.
    """
    parts = decode_frames(plan)
    rows = rows_of(gradient, 1)
    pad, n_fft, n_bins = parts.frames.pad, parts.frames.n_fft, parts.frames.n_bins
    divisor = mirror.squares(plan, n_frames)
    used = max(min(rows.shape[1], divisor.size - pad), 0)
    padded = np.zeros((rows.shape[0], divisor.size), rows.numpy().dtype)
    inside = slice(pad, pad + used)
    np.divide(rows.numpy()[:, :used], divisor[inside], out=padded[:, inside], casting="same_kind")
    result = torch.empty((rows.shape[0], n_bins, n_frames), dtype=rows.dtype.to_complex())
    with nan_for_non_finite(rows, result):
        core = parts.unpadded_stft(rows.dtype == torch.float64)
        core.process([padded], [result.numpy()], threads_for(padded.shape, parts))
    # The inverse transform counts every bin twice, for its mirror image, except the two that have none.
    factors = np.full(n_bins, 2.0 / n_fft)
    factors[0] = 1.0 / n_fft
    if n_fft % 2 == 0:
        factors[-1] = 1.0 / n_fft
    result *= torch.as_tensor(factors, dtype=rows.dtype)[:, None]
    return result.reshape(*gradient.shape[:-1], n_bins, n_frames)


@istft_backward.register_fake
def _(gradient: Tensor, n_frames: int, plan: str) -> Tensor:
    shape = (*gradient.shape[:-1], decode_frames(plan).frames.n_bins, n_frames)
    return gradient.new_empty(shape, dtype=gradient.dtype.to_complex())


def _keep_signal(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    ctx.size, ctx.plan = inputs[0].shape[-1], inputs[-1]


def _stft_derivative(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    return stft_backward(gradient, ctx.size, ctx.plan), None


def _stft_backward_derivative(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
    return stft(gradient, ctx.plan), None, None


def _istft_derivative(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
    return istft_backward(gradient, ctx.size, ctx.plan), None, None


def _istft_backward_derivative(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
    return istft(gradient, ctx.size, ctx.plan), None, None


for _name, _derivative in (
    ("stft", _stft_derivative),
    ("stft_backward", _stft_backward_derivative),
    ("istft", _istft_derivative),
    ("istft_backward", _istft_backward_derivative),
):
    torch.library.register_autograd(f"neurdsp::{_name}", _derivative, setup_context=_keep_signal)
