"""How far two sets of kicks are apart, as the network aisfx hears them. Needs torch, and the package aisfx.

``pip install --no-deps aisfx`` installs it with its weights (CC BY 4.0); its own pins are of old versions of
what is not needed here.
Source: A. Cramer et al. and K. Kim et al.: aisfx 0.1.2, a classifier of sound effects and one-shots.
"""

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurdsp.errors import MissingDependencyError

__all__ = ["copies", "density_and_coverage", "embed", "energy_distance", "nearest_is_own", "with_noise"]

_FRAME, _BANDS, _FRAMES = 2048, 96, 100
_LARGEST = 9.457798957824707


@functools.cache
def _network() -> tuple[Any, Tensor]:
    spec = importlib.util.find_spec("aisfx")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("the distance between sets needs aisfx: pip install --no-deps aisfx")
    folder = Path(spec.origin).parent / "models"
    own = importlib.util.spec_from_file_location("_aisfx_network", folder / "cnn2d.py")
    assert own is not None
    assert own.loader is not None
    module = importlib.util.module_from_spec(own)
    own.loader.exec_module(module)
    # The checkpoint pickles more than tensors; it comes from the installed package, as its code does.
    weights, sizes = torch.load(folder / "checkpoint.pth", map_location="cpu", weights_only=False)
    whole = module.CrossNet(module.EmbeddingNet("max", 3, 1, 64), sizes, "cpu")
    whole.load_state_dict(weights)
    hertz = np.linspace(0, 22_050, _FRAME // 2 + 1)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 22_050 / 700), _BANDS + 2) / 2595) - 1)
    rising = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    filters /= np.maximum(filters.sum(axis=0, keepdims=True), 1e-9)
    return whole.eval().embedding_net, torch.from_numpy(filters.astype(np.float32))


@torch.no_grad()
def embed(audio: NDArray[np.float32]) -> Tensor:
    """Return embeddings, ``(n, 512)``, of kicks ``(n, samples)`` at 44,100 Hz, each brought to a peak of 1.

    Raises
    ------
    MissingDependencyError
        If aisfx is not installed.
    """
    network, filters = _network()
    found = []
    for start in range(0, len(audio), 8):
        x = torch.from_numpy(np.ascontiguousarray(audio[start : start + 8], np.float32))
        x = x / (x.abs().amax(1, keepdim=True) + 1e-9)
        spectrum = torch.stft(
            x, _FRAME, 1024, window=torch.hann_window(_FRAME), return_complex=True, pad_mode="constant"
        )
        mel = torch.log10((spectrum.abs() ** 2).transpose(1, 2) @ filters * 10_000 + 1) / _LARGEST
        mel = torch.nn.functional.pad(mel, (0, 0, 0, max(0, _FRAMES - mel.shape[1])))[:, :_FRAMES]
        found.append(network(mel))
    return torch.cat(found)


def with_noise(audio: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Return kicks with white noise 60 dB below their peak, which hides what nobody hears and aisfx does."""
    draw = np.random.default_rng(seed)
    peak = np.abs(audio).max(axis=1, keepdims=True)
    return np.asarray(audio + 1e-3 * peak * draw.standard_normal(audio.shape), np.float32)


def energy_distance(a: Tensor, b: Tensor) -> float:
    """Return the unbiased energy distance of two sets of embeddings: near 0, or below, for like sets."""
    n, m = len(a), len(b)
    within = torch.cdist(a, a).sum() / (n * (n - 1)) + torch.cdist(b, b).sum() / (m * (m - 1))
    return float(2 * torch.cdist(a, b).mean() - within)


def nearest_is_own(a: Tensor, b: Tensor, seed: int = 0) -> float:
    """Return how often the nearest neighbour is of the own set: 0.5 if the sets cannot be told apart."""
    draw = torch.Generator().manual_seed(seed)
    n = min(len(a), len(b))
    rates = []
    for _ in range(10):
        chosen = [x[torch.randperm(len(x), generator=draw)[:n]] for x in (a, b)]
        distances = torch.cdist(torch.cat(chosen), torch.cat(chosen))
        distances.fill_diagonal_(float("inf"))
        first = torch.arange(2 * n) < n
        rates.append(float((first[distances.argmin(1)] == first).float().mean()))
    return float(np.mean(rates))


def density_and_coverage(made: Tensor, real: Tensor, neighbours: int = 5) -> tuple[float, float]:
    """Return how densely a set lies where real ones are, and which share of the real ones it reaches.

    Source: M. F. Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020.
    Both are near 1 for a set like the real one.
    """
    among = torch.cdist(real, real)
    radius = among.kthvalue(min(neighbours, len(real) - 1) + 1, dim=1).values  # the first is the kick itself
    inside = torch.cdist(made, real) <= radius
    density = float(inside.float().sum(1).mean() / neighbours)
    return density, float(inside.any(0).float().mean())


def copies(made: Tensor, learnt: Tensor) -> float:
    """Return which share of a set lies nearer to a training kick than hardly any two of these lie."""
    among = torch.cdist(learnt, learnt)
    among.fill_diagonal_(float("inf"))
    near = among.amin(1).quantile(0.05)
    return float((torch.cdist(made, learnt).amin(1) < near).float().mean())
