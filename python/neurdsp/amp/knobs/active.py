"""Active learning: the next capture of a device is made where models disagree most.

After "PANAMA: Parametric Neural Amp Modeling with Active Learning", arXiv 2507.02109, 2025. Several small
models, with different initial weights and crops, are trained on the captures so far. They differ most where
nothing was captured and the device changes quickly, so a capture there tells most. The paper climbs the
gradient of the disagreement. Here it is computed at scattered candidates, which takes seconds and finds no
mere local maximum.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from neurdsp.amp.capture import lv2
from neurdsp.amp.capture.manifest import MAX_CAPTURES, Setting, load_manifest
from neurdsp.amp.capture.sweep import Player, Progress, capture_missing, new_setting
from neurdsp.amp.config import AmpConfig, NamAmpConfig
from neurdsp.amp.knobs.captures import Captures, load_captures
from neurdsp.amp.knobs.crops import SettingCrops
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.config import build, save_yaml
from neurdsp.errors import ConfigError, ParameterError

__all__ = ["Disagreement", "extend", "largest_disagreement", "quick_config"]

_N_CANDIDATES = 96
_N_PIECES = 3
"""Pieces of the input on which the models are compared, each as long as a crop."""

_MIN_DISTANCE = 0.08
"""Candidates closer than this to a captured setting are skipped: disagreement there is noise."""

_BATCH_SIZE = 2
_LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Disagreement:
    """Where models disagree most, and by how much.

    Parameters
    ----------
    positions
        ``(n_knobs,)``, the candidate with the largest variance.
    variance
        Variance of the models' outputs there, relative to their power.
    median
        Median of the same over all candidates.
    """

    positions: npt.NDArray[np.float64]
    variance: float
    median: float


def extend(
    manifest_path: str | os.PathLike[str],
    n_more: int,
    *,
    n_models: int = 4,
    n_steps: int = 300,
    seed: int = 0,
    config: AmpConfig | None = None,
    log: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda *_: None,
    player: Player | None = None,
) -> None:
    """Add captures to a sweep one by one, each where models of the captures so far disagree most.

    A run that was stopped can be started again. Each choice depends only on the captures before it and on the
    seed, so the settings are those of an unbroken run.

    Parameters
    ----------
    manifest_path
        The manifest of a sweep; rewritten before each capture.
    n_more
        Number of captures in addition to the sweep's own, those of earlier calls included.
    n_models, n_steps
        Number of models, and training steps of each, at two crops a step. They are trained anew for each
        choice. 300 steps of one model take about three seconds of a core.
    seed
        Of the models and of the candidates.
    config
        Alignment and split of the recordings, and shape of the models; `quick_config` by default.
    log
        Receives a line before and after each choice.
    progress
        Called after each new capture with its setting and its result.
    player
        As in `neurdsp.amp.capture.sweep.sweep`.

    Raises
    ------
    ParameterError
        For numbers that are too small, for too many captures, or if a file that the manifest does not list is
        in the way of one.
    AudioFileError, ConfigError
        As `neurdsp.amp.knobs.captures.load_captures`.

    Examples
    --------
    >>> extend("runs/drive/manifest.yaml", 4)  # doctest: +SKIP
    """
    if n_more < 0 or n_models < 2 or n_steps < 1:
        raise ParameterError(
            f"cannot choose {n_more} captures with {n_models} models of {n_steps} steps: give two models or "
            "more, and a step or more"
        )
    settings = config or quick_config()
    if not isinstance(settings, NamAmpConfig):
        raise ConfigError(
            f"models with knobs need the architecture nam.wavenet, not {settings.architecture}; leave the "
            "configuration out, or take tiny"
        )
    path = Path(manifest_path)

    def fresh(setting: Setting, result: lv2.CaptureResult | None) -> None:
        if result is not None:
            progress(setting, result)

    capture_missing(path, progress=fresh, player=player)
    while True:
        manifest = load_manifest(path)
        n_added = sum(setting.method == "active" for setting in manifest.captures)
        if n_added >= n_more:
            return
        if len(manifest.captures) >= MAX_CAPTURES:
            raise ParameterError(f"there are {MAX_CAPTURES} captures already; no more are allowed")
        n_train = sum(setting.part == "train" for setting in manifest.captures)
        output = f"train_{n_train:03d}.wav"
        if (path.parent / output).exists():
            # It would count as the capture of this setting, and may be the input or a recording of somebody.
            raise ParameterError(
                f"'{path.parent / output}' is in the way of a new capture, and not in the manifest; "
                "move it elsewhere"
            )
        captures = load_captures(path, settings)
        log(f"choosing setting {n_added + 1} of {n_more}: training {n_models} models")
        found = largest_disagreement(
            captures, settings, n_models=n_models, n_steps=n_steps, seed=seed + n_added
        )
        words = f"disputed: variance {found.variance:.2g} of the power, {found.median:.2g} elsewhere"
        setting = new_setting(manifest.knobs, output, found.positions, method="active", chosen=words)
        save_yaml(manifest.model_copy(update={"captures": (*manifest.captures, setting)}), path)
        log(f"{setting.output} is {words}")
        capture_missing(path, progress=fresh, player=player)


def quick_config() -> NamAmpConfig:
    """Return a small network with a cheap loss, good enough to rank settings: 4 channels, 15 ms of memory."""
    array = {
        "channels": 4,
        "kernel_size": 6,
        "dilations": [1, 3, 7, 17, 41, 1, 3, 7],
        "activation": "Tanh",
        "head_kernel_size": 8,
    }
    return build(
        NamAmpConfig,
        {
            "model": {"arrays": [array]},
            "data": {"crop_samples": 2048},
            "loss": {"type": "default", "spectral_weight": 0.0},
        },
    )


def largest_disagreement(
    captures: Captures, config: NamAmpConfig, *, n_models: int, n_steps: int, seed: int
) -> Disagreement:
    """Train models on the captures, and find the candidate at which they disagree most.

    Parameters
    ----------
    captures
        At least two for training.
    config
        Shape, loss and length of the crops.
    n_models, n_steps, seed
        As in `extend`.

    Returns
    -------
    Disagreement
        Over random candidates and, for up to four knobs, the corners.

    Raises
    ------
    ParameterError
        If every candidate is close to a captured setting.
    """
    train = captures.of("train")
    models = [_train(captures, config, n_steps, seed=1_000 * seed + member) for member in range(n_models)]
    rng = np.random.default_rng((seed, 2))
    n_knobs = len(captures.manifest.knobs)
    candidates = rng.random((_N_CANDIDATES, n_knobs))
    if n_knobs <= 4:
        ends = np.stack(np.meshgrid(*[(0.0, 1.0)] * n_knobs), axis=-1).reshape(-1, n_knobs)
        candidates = np.concatenate([ends, candidates])
    there = np.array([captures.positions(index) for index in train])
    away = np.linalg.norm(candidates[:, None] - there[None], axis=2).min(axis=1)
    candidates = candidates[away >= _MIN_DISTANCE]
    if not len(candidates):
        raise ParameterError("the captured settings are so dense that no other setting is left to capture")
    pieces = _pieces(captures, config)
    variances = np.array([_variance(models, pieces, list(point)) for point in candidates])
    most = int(variances.argmax())
    return Disagreement(candidates[most], float(variances[most]), float(np.median(variances)))


def _train(captures: Captures, config: NamAmpConfig, n_steps: int, *, seed: int) -> ParametricWaveNet:
    """Train one model for a number of steps; the crops of a step come from different captures."""
    crops = SettingCrops(captures, config, batch_size=_BATCH_SIZE, seed=seed, ranges=None)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = crops.new_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps, eta_min=0.05 * _LEARNING_RATE)
    for step in range(n_steps):
        optimizer.zero_grad(set_to_none=True)
        crops.loss(model, step).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


def _pieces(captures: Captures, config: NamAmpConfig) -> Tensor:
    """Return pieces of the input of medium, high and highest level, ``(n_pieces, time)``."""
    length = config.crop_samples + config.model.receptive_field - 1
    dry = captures.pairs[0].dry
    starts = [
        start for first, last in captures.split.training for start in range(first, last - length + 1, length)
    ]
    energies = np.array([float(np.dot(dry[s : s + length], dry[s : s + length])) for s in starts])
    order = np.argsort(energies)
    picked = [starts[order[round(share * (len(order) - 1))]] for share in np.linspace(0.5, 0.98, _N_PIECES)]
    return torch.from_numpy(np.stack([dry[start : start + length] for start in picked]))


def _variance(models: list[ParametricWaveNet], pieces: Tensor, positions: list[float]) -> float:
    """Return the variance over models at the given positions, relative to their power, over all pieces."""
    with torch.no_grad():
        outputs = torch.stack([model(pieces, positions) for model in models])  # (n_models, n_pieces, time)
    power = float(outputs.square().mean())
    return float(outputs.var(dim=0, unbiased=False).mean()) / max(power, 1e-20)
