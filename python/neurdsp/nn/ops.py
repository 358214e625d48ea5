"""The operators ``neurdsp::spectrogram`` and ``neurdsp::spectrogram_backward``, which run in the Rust core.

They are registered with a fake implementation and with derivatives, so autograd and torch.compile treat them
as torch's own operators. The derivative of the backward operator, which few need, is that of the mirror in
plain torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from neurdsp.dsp.frames import default_threads
from neurdsp.errors import ParameterError
from neurdsp.nn import mirror
from neurdsp.nn.plan import FramePlan, decode

__all__ = ["nan_for_non_finite", "rows_of", "spectrogram", "spectrogram_backward", "threads_for"]


@torch.library.custom_op("neurdsp::spectrogram", mutates_args=(), device_types="cpu")
def spectrogram(samples: Tensor, plan: str) -> Tensor:
    """Return the spectrogram of float32 or float64 samples on the CPU.

    Parameters
    ----------
    samples
        ``(..., n_samples)``. A batch with NaN or infinity in it gives NaN, for the training loop to find.
    plan
        From `neurdsp.nn.plan.encode`.

    Returns
    -------
    Tensor
        ``(..., n_rows, n_frames)``.
    """
    parts = decode(plan)
    parts.check_length(tuple(samples.shape))
    rows = rows_of(samples, 1)
    core = parts.core(rows.dtype == torch.float64)
    result = rows.new_empty((rows.shape[0], parts.key.n_rows, core.n_frames(rows.shape[-1])))
    with nan_for_non_finite(rows, result):
        core.process([rows.numpy()], [result.numpy()], threads_for(rows.shape, parts))
    return result.reshape(*samples.shape[:-1], *result.shape[1:])


@spectrogram.register_fake
def _(samples: Tensor, plan: str) -> Tensor:
    parts = decode(plan)
    return samples.new_empty((*samples.shape[:-1], parts.key.n_rows, parts.n_frames(samples.shape[-1])))


@torch.library.custom_op("neurdsp::spectrogram_backward", mutates_args=(), device_types="cpu")
def spectrogram_backward(samples: Tensor, gradient: Tensor, plan: str) -> Tensor:
    """Return the gradient over samples from that over their spectrogram.

    Parameters
    ----------
    samples
        As in `spectrogram`.
    gradient
        ``(..., n_rows, n_frames)``.
    plan
        As in `spectrogram`.

    Returns
    -------
    Tensor
        ``(..., n_samples)``.
    """
    parts = decode(plan)
    rows, planes = rows_of(samples, 1), rows_of(gradient, 2)
    result = torch.empty_like(rows)
    core = parts.core(rows.dtype == torch.float64)
    with nan_for_non_finite(rows, result):
        core.backward(rows.numpy(), planes.numpy(), result.numpy(), threads_for(rows.shape, parts))
    return result.reshape(samples.shape)


@spectrogram_backward.register_fake
def _(samples: Tensor, gradient: Tensor, plan: str) -> Tensor:  # noqa: ARG001
    return samples.new_empty(samples.shape)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    *tensors, ctx.plan = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    (samples,) = ctx.saved_tensors
    return spectrogram_backward(samples, gradient, ctx.plan), None


def _double_backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
    with torch.enable_grad():
        samples, cotangent = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        values = mirror.spectrogram(samples, ctx.plan)
        (first,) = torch.autograd.grad(values, samples, cotangent, create_graph=True)
        # Where the first derivative does not depend on an input, there is no second one.
        seconds = torch.autograd.grad(first, (samples, cotangent), gradient, allow_unused=True)
    return seconds[0], seconds[1], None


torch.library.register_autograd("neurdsp::spectrogram", _backward, setup_context=_keep)
torch.library.register_autograd("neurdsp::spectrogram_backward", _double_backward, setup_context=_keep)


def rows_of(tensor: Tensor, n_core: int) -> Tensor:
    """Return ``(rows, ...)``, contiguous and without the graph."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    return plain.reshape(-1, *plain.shape[plain.ndim - n_core :]).contiguous()


def threads_for(shape: tuple[int, ...], parts: FramePlan) -> int:
    """Return the threads for samples of this shape: torch's at most, one in a worker of a data loader."""
    wanted = default_threads(None, shape[0], shape[-1], parts.frames.n_fft, parts.frames.hop_length)
    return min(wanted, torch.get_num_threads())


@contextmanager
def nan_for_non_finite(rows: Tensor, result: Tensor) -> Iterator[None]:
    """Give NaN where the core refuses NaN or infinity in ``rows``, as torch's own operators do."""
    try:
        yield
    except ParameterError:
        if bool(torch.isfinite(rows).all()):
            raise
        result.fill_(torch.nan)
