"""Mixed precision: the network in half precision, weights, losses and optimisers in float32."""

import torch

from neurdsp.training.config import Precision

__all__ = ["autocast", "gradient_scaler"]

_DTYPES: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context for the forward pass of a network; compute the loss outside it, in float32.

    Parameters
    ----------
    precision
        ``training.precision``; with ``float32`` the context does nothing.
    device
        Where the network is.

    Examples
    --------
    >>> with autocast("bfloat16", torch.device("cpu")):
    ...     print(torch.nn.Linear(2, 2)(torch.ones(2)).dtype)
    torch.bfloat16
    """
    dtype = _DTYPES.get(precision)
    return torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None)


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Return what keeps float16 gradients from vanishing; it does nothing in other precisions.

    References
    ----------
    .. [1] P. Micikevicius et al., "Mixed precision training", ICLR 2018.
    """
    return torch.amp.GradScaler(device.type, enabled=precision == "float16")
