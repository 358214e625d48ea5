"""The WaveNets of the core in plain torch: for other devices and second derivatives, and to test against."""

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from neurdsp.errors import ParameterError

__all__ = ["wavenet"]


class _Weights:
    """Hands out the flat list from its beginning."""

    def __init__(self, values: Tensor) -> None:
        self._values = values
        self._at = 0

    def take(self, *shape: int) -> Tensor:
        count = torch.Size(shape).numel()
        part = self._values[self._at : self._at + count]
        self._at += count
        return part.reshape(shape)


def wavenet(weights: Tensor, audio: Tensor, network: str) -> Tensor:
    """Return what `neurdsp.nn.wavenet.wavenet` does, differentiable as often as wanted, on any device.

    Parameters
    ----------
    weights
        ``(n_parameters,)``.
    audio
        ``(batch, n_samples)``.
    network
        As in `neurdsp.nn.wavenet.network_core`, which checks it.

    Returns
    -------
    Tensor
        ``(batch, n_samples - receptive_field + 1)``.
    """
    tree = json.loads(network)
    source = _Weights(weights)
    signal = audio[:, None, :]  # (batch, 1, n_samples)
    if "layers" not in tree:
        return _residual(source, signal, **tree)
    hidden, heads = signal, None
    for array in tree["layers"]:
        hidden, heads = _array(source, array, signal, hidden, heads)
    assert heads is not None  # a network has an array
    # The heads of earlier arrays look back beside the layers of later ones, yet the receptive field of the
    # format counts both: what is computed may begin earlier than what is asked for.
    n_outputs = audio.shape[1] - sum(_reach(array) for array in tree["layers"])
    return heads[:, 0, heads.shape[-1] - n_outputs :] * source.take(1)


def _tail(rows: Tensor, like: Tensor) -> Tensor:
    """Return the last samples of rows, as many as another signal has."""
    return rows[..., rows.shape[-1] - like.shape[-1] :]


def _taps(array: dict[str, Any]) -> list[int]:
    """Return the taps of each layer."""
    return (
        array["kernel_sizes"] if "kernel_sizes" in array else [array["kernel_size"]] * len(array["dilations"])
    )


def _head(array: dict[str, Any]) -> tuple[int, int, int, bool]:
    """Return channels, taps, dilation and whether there is a bias of the convolution to the head output."""
    known = array.get("head")
    if known is None:
        return array["head_size"], 1, 1, array["head_bias"]
    return known["out_channels"], known["kernel_size"], known.get("head_dilation") or 1, known["bias"]


def _reach(array: dict[str, Any]) -> int:
    """Return how many samples before the present an array reads."""
    _, taps, dilation, _ = _head(array)
    layers = zip(_taps(array), array["dilations"], strict=True)
    reach: int = sum(((n - 1) * step for n, step in layers), start=(taps - 1) * dilation)
    return reach


def _residual(
    source: _Weights, signal: Tensor, *, channels: int, num_layers: int, kernel_size: int, dilation_base: int
) -> Tensor:
    hidden = functional.conv1d(signal, source.take(channels, 1, 1), source.take(channels))
    for layer in range(num_layers):
        weight, bias = source.take(channels, channels, kernel_size), source.take(channels)
        convolved = functional.conv1d(hidden, weight, bias, dilation=dilation_base**layer)
        hidden = _tail(hidden, convolved) + torch.tanh(convolved)
    output: Tensor = functional.conv1d(hidden, source.take(1, channels, 1), source.take(1))
    return output[:, 0, :]


def _array(
    source: _Weights, array: dict[str, Any], signal: Tensor, hidden: Tensor, head: Tensor | None
) -> tuple[Tensor, Tensor]:
    """One layer array: the residual signal ``(batch, channels, time)`` and the head output."""
    channels, dilations = array["channels"], array["dilations"]
    bottleneck = array.get("bottleneck") or channels
    layer1x1 = (array.get("layer1x1") or {"active": True}).get("active", True)
    head1x1 = array.get("head1x1") or {}
    head1x1 = head1x1.get("out_channels", channels) if head1x1.get("active", False) else None
    hidden = functional.conv1d(hidden, source.take(channels, array["input_size"], 1))
    parts = [] if head is None else [head]
    for layer, (taps, dilation) in enumerate(zip(_taps(array), dilations, strict=True)):
        gated = array.get("gated", False) or _of_layer(array.get("gating_mode", "none"), layer) == "gated"
        rows = 2 * bottleneck if gated else bottleneck
        weight, bias = source.take(rows, channels, taps), source.take(rows)
        z = functional.conv1d(hidden, weight, bias, dilation=dilation)
        z = z + functional.conv1d(_tail(signal, z), source.take(rows, 1, 1))
        values = _activation(_of_layer(array["activation"], layer))(z[:, :bottleneck])
        if gated:
            gate = _of_layer(array.get("secondary_activation") or "Sigmoid", layer)
            values = values * _activation(gate)(z[:, bottleneck:])
        hidden = _tail(hidden, z)
        if layer1x1:
            weight, bias = source.take(channels, bottleneck, 1), source.take(channels)
            hidden = hidden + functional.conv1d(values, weight, bias)
        if head1x1 is None:
            parts.append(values)
        else:
            weight, bias = source.take(head1x1, bottleneck, 1), source.take(head1x1)
            parts.append(functional.conv1d(values, weight, bias))
    shortest = min(parts, key=lambda part: part.shape[-1])
    total = torch.stack([_tail(part, shortest) for part in parts]).sum(dim=0)
    outputs, taps, dilation, biased = _head(array)
    weight = source.take(outputs, total.shape[1], taps)
    head = functional.conv1d(total, weight, source.take(outputs) if biased else None, dilation=dilation)
    return hidden, head


def _of_layer(value: Any, layer: int) -> Any:
    return value[layer] if isinstance(value, list) else value


def _single(value: float) -> float:
    """Return a number as the engine has it, which keeps those of activations in single precision."""
    return torch.tensor(value, dtype=torch.float32).item()


def _activation(known: str | dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """Return the function for a name, or for an object with a ``type`` and parameters."""
    options: dict[str, Any] = {"type": known} if isinstance(known, str) else known
    name = options["type"]
    simple: dict[str, Callable[[Tensor], Tensor]] = {
        "Tanh": torch.tanh,
        "Hardtanh": functional.hardtanh,
        "ReLU": functional.relu,
        "Sigmoid": torch.sigmoid,
        "SiLU": functional.silu,
        "Hardswish": functional.hardswish,
        "Softsign": functional.softsign,
    }
    if name in simple:
        return simple[name]
    slope = _single(options.get("negative_slope", 0.01))
    if name == "LeakyReLU":
        return lambda x: functional.leaky_relu(x, slope)
    if name == "PReLU":
        slopes = [_single(value) for value in options.get("negative_slopes", [slope])]
        return lambda x: functional.prelu(x, x.new_tensor((slopes * x.shape[1])[: x.shape[1]]))
    if name in ("LeakyHardtanh", "LeakyHardTanh"):
        low, high = (_single(options.get(name, value)) for name, value in (("min_val", -1), ("max_val", 1)))
        below, above = (_single(options.get(name, 0.01)) for name in ("min_slope", "max_slope"))

        def leaky_hardtanh(x: Tensor) -> Tensor:
            inside = torch.where(x > high, high + (x - high) * above, x)
            return torch.where(x < low, low + (x - low) * below, inside)

        return leaky_hardtanh
    raise ParameterError(
        f"the activation {name} cannot be trained; choose Tanh, LeakyReLU or another known one"
    )
