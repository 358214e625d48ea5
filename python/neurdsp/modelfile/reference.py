"""The amp model in double precision, written plainly: the independent judge of the engine.

It shares no code with the Rust engine or with the torch model, and computes the parity vectors of a model
that comes without any.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["amp_reference", "parity_input", "receptive_field"]


def receptive_field(num_layers: int, kernel_size: int, dilation_base: int) -> int:
    """Return how many input samples, the current one included, an output sample depends on.

    Examples
    --------
    >>> receptive_field(num_layers=6, kernel_size=3, dilation_base=2)
    127
    """
    dilations: list[int] = [dilation_base**i for i in range(num_layers)]
    return 1 + (kernel_size - 1) * sum(dilations)


def parity_input(n_samples: int) -> NDArray[np.float32]:
    """Return noise that grows from -60 dB to nearly full scale, the same each time.

    Parameters
    ----------
    n_samples
        The length.

    Returns
    -------
    ndarray
        Shape (n_samples,), float32, within -1 and 1.
    """
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, n_samples)  # (n_samples,)
    return (noise * np.geomspace(1e-3, 0.99, n_samples)).astype(np.float32)


def amp_reference(
    tensors: Mapping[str, NDArray[np.float32]],
    signal: NDArray[np.float32],
    *,
    num_layers: int,
    kernel_size: int,
    dilation_base: int,
) -> NDArray[np.float64]:
    """Run the network ``amp.wavenet`` after silence for ever, in double precision.

    Parameters
    ----------
    tensors
        The weights under the names of a model file.
    signal
        Shape (samples,).
    num_layers, kernel_size, dilation_base
        The shape of the network; layer ``i`` has the dilation ``dilation_base**i``.

    Returns
    -------
    ndarray
        Shape (samples,), float64.

    Notes
    -----
    The zeros that stand for the silence are as long as the receptive field, so that the padding before
    them has no influence on the samples that are returned.
    """
    weights = {name: np.asarray(tensor, np.float64) for name, tensor in tensors.items()}
    lead = receptive_field(num_layers, kernel_size, dilation_base)
    x = np.concatenate([np.zeros(lead), np.asarray(signal, np.float64)])  # (lead + samples,)

    h = weights["input_conv.weight"][:, :, 0] @ x[None] + weights["input_conv.bias"][:, None]  # (C, time)
    for i in range(num_layers):
        weight = weights[f"layers.{i}.conv.weight"]  # (C, C, k)
        z = np.repeat(weights[f"layers.{i}.conv.bias"][:, None], x.size, axis=1)  # (C, time)
        for tap in range(kernel_size):
            lag = (kernel_size - 1 - tap) * dilation_base**i
            z[:, lag:] += weight[:, :, tap] @ h[:, : x.size - lag]
        h += np.tanh(z)
    y = weights["output_conv.weight"][0, :, 0] @ h + weights["output_conv.bias"][0]  # (time,)
    output: NDArray[np.float64] = y[lead:]
    return output
