"""Capturing next where models disagree most: active learning of the settings of a device.

After "PANAMA: Parametric Neural Amp Modeling with Active Learning", arXiv 2507.02109, 2025. Some small models
that differ in their first weights and in their crops are trained on what has been captured. Where nothing was
captured nothing holds them together, and where the device is steep they come apart the most: there the next
capture tells the most. The paper climbs the gradient of the disagreement; here it is computed at scattered
candidates, which costs seconds and cannot stop at a local hill.
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
from neurdsp.amp.capture.sweep import (
    DISPUTED,
    MAX_CAPTURES,
    Player,
    Setting,
    capture_missing,
    load_manifest,
    new_setting,
)
from neurdsp.amp.config import AmpConfig, build_config
from neurdsp.amp.data import Crops
from neurdsp.amp.knobs.captures import Captures, load_captures
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.audio import FloatArray
from neurdsp.config import save_yaml
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.losses import build_loss

__all__ = ["Dispute", "extend", "most_disputed"]

N_CANDIDATES = 96
N_PIECES = 3
"""Pieces of the input on which the models are compared, a crop each."""

MIN_DISTANCE = 0.08
"""Candidates closer than this to a captured setting are not captured: what is disputed there is noise."""

_BATCH = 2
_RATE = 0.01


@dataclass(frozen=True)
class Dispute:
    """Where models disagree.

    Parameters
    ----------
    positions
        ``(n_knobs,)``, the most disputed candidate.
    variance
        Of the models' outputs there, relative to their power.
    median
        The same at the median of the candidates.
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
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Setting, lv2.CaptureResult | None], None] = lambda *_: None,
    player: Player | None = None,
) -> None:
    """Add captures to a sweep one by one, each at the setting that is the most disputed by then.

    A run that was stopped goes on: every choice follows from the captures before it and the seed alone, so
    that the settings are those of a run that was never stopped.

    Parameters
    ----------
    manifest_path
        Of `neurdsp.amp.capture.sweep.sweep`; rewritten before each capture, with how its setting was chosen.
    n_more
        How many captures there shall be in all beyond the sweep's own; those that are there already count.
    n_models, n_steps
        How many models disagree, and for how many steps of two crops each is trained, anew for each
        choice. 300 steps of one model take some three seconds of a core.
    seed
        Of the models and of the candidates.
    config
        Alignment and split of the recordings, and the shape of the models; one of 4 channels with a memory
        of 15 ms by default.
    told
        Takes a line after each choice and while models are trained.
    progress
        Called after each capture that was made, with its setting and its result.
    player
        As in `neurdsp.amp.capture.sweep.sweep`.

    Raises
    ------
    ParameterError
        For numbers that are too small, or too many captures.
    AudioFileError, ConfigError
        As :func:`neurdsp.amp.knobs.captures.load_captures`.

    Examples
    --------
    >>> extend("runs/drive/manifest.yaml", 4)  # doctest: +SKIP
    """
    if n_more < 0 or n_models < 2 or n_steps < 1:
        raise ParameterError(
            f"{n_more} captures by {n_models} models of {n_steps} steps: two models or more must disagree, "
            "after a step or more"
        )
    settings = config or quick_config()
    if not isinstance(settings.model, NamWaveNetConfig):
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
        n_there = sum(setting.chosen.startswith(DISPUTED) for setting in manifest.captures)
        if n_there >= n_more:
            return
        if len(manifest.captures) >= MAX_CAPTURES:
            raise ParameterError(f"{MAX_CAPTURES} captures are there already; no more are allowed")
        captures = load_captures(path, settings)
        told(f"choosing setting {n_there + 1} of {n_more}: training {n_models} models")
        found = most_disputed(captures, settings, n_models=n_models, n_steps=n_steps, seed=seed + n_there)
        n_train = sum(setting.part == "train" for setting in manifest.captures)
        words = f"{DISPUTED}: variance {found.variance:.2g} of the power, {found.median:.2g} elsewhere"
        setting = new_setting(manifest.knobs, f"train_{n_train:03d}.wav", words, found.positions)
        # What was captured and then left out of the manifest must not be taken for this setting.
        (path.parent / setting.output).unlink(missing_ok=True)
        save_yaml(manifest.model_copy(update={"captures": (*manifest.captures, setting)}), path)
        told(f"{setting.output} is {words}")
        capture_missing(path, progress=fresh, player=player)


def quick_config() -> AmpConfig:
    """Return a small network with a loss that costs little: it ranks settings, nobody listens to it."""
    array = {
        "channels": 4,
        "kernel_size": 6,
        "dilations": [1, 3, 7, 17, 41, 1, 3, 7],
        "activation": "Tanh",
        "head_kernel_size": 8,
    }
    return build_config(
        {
            "architecture": "nam.wavenet",
            "model": {"arrays": [array]},
            "data": {"crop_samples": 2048},
            "loss": {"type": "default", "spectral_weight": 0.0},
        }
    )


def most_disputed(
    captures: Captures, config: AmpConfig, *, n_models: int, n_steps: int, seed: int
) -> Dispute:
    """Train models on the captures, and return the candidate at which they disagree most.

    Parameters
    ----------
    captures
        At least two for training.
    config
        Shape, loss, and the length of the crops.
    n_models, n_steps, seed
        As in :func:`extend`.

    Returns
    -------
    Dispute
        Of candidates at random and, for up to four knobs, at the corners.
    """
    train = captures.of("train")
    models = [_train(captures, config, n_steps, seed=1_000 * seed + member) for member in range(n_models)]
    rng = np.random.default_rng((seed, 2))
    n_knobs = len(captures.manifest.knobs)
    candidates = rng.random((N_CANDIDATES, n_knobs))
    if n_knobs <= 4:
        ends = np.stack(np.meshgrid(*[(0.0, 1.0)] * n_knobs), axis=-1).reshape(-1, n_knobs)
        candidates = np.concatenate([ends, candidates])
    there = np.array([captures.positions(index) for index in train])
    away = np.linalg.norm(candidates[:, None] - there[None], axis=2).min(axis=1)
    candidates = candidates[away >= MIN_DISTANCE]
    if not len(candidates):
        raise ParameterError("the knobs' positions are captured so densely that nothing is left to dispute")
    pieces = _pieces(captures, config)
    variances = np.array([_variance(models, pieces, list(point)) for point in candidates])
    most = int(variances.argmax())
    return Dispute(candidates[most], float(variances[most]), float(np.median(variances)))


def _train(captures: Captures, config: AmpConfig, n_steps: int, *, seed: int) -> ParametricWaveNet:
    """Train one model for a number of steps; a crop of each step comes from another capture."""
    train = captures.of("train")
    levels = [_rms(captures.pairs[index].wet) for index in train]
    crops = [
        Crops(
            captures.pairs[index],
            captures.split,
            batch_size=1,
            crop_samples=config.crop_samples,
            receptive_field=config.model.receptive_field,
            seed=seed + 7919 * index,
        )
        for index in train
    ]
    assert isinstance(config.model, NamWaveNetConfig)  # as extend has checked
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ParametricWaveNet(
            config.model,
            len(captures.manifest.knobs),
            input_scale=1 / _rms(captures.pairs[0].dry),
            output_scale=0.1 * float(np.mean(levels)),
        )
    heard = np.concatenate(
        [captures.pairs[i].wet / np.float32(level) for i, level in zip(train, levels, strict=True)]
    )
    loss_of = build_loss(config.loss, reference=torch.from_numpy(heard))
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps, eta_min=0.05 * _RATE)
    for step in range(n_steps):
        rng = np.random.default_rng((seed, step))
        chosen = rng.choice(len(train), _BATCH, replace=len(train) < _BATCH)
        outputs, targets = [], []
        for which in chosen:
            dry, wet = (torch.from_numpy(array) for array in crops[which].batch(step))
            outputs.append(model(dry, captures.positions(train[which])) / levels[which])
            targets.append(wet / levels[which])
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = loss_of(torch.cat(outputs), torch.cat(targets))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


def _rms(signal: FloatArray) -> float:
    return max(float(np.sqrt(np.mean(np.square(signal, dtype=np.float64)))), 1e-6)


def _pieces(captures: Captures, config: AmpConfig) -> Tensor:
    """Return pieces of the input ``(n_pieces, time)``: of medium, high and the highest level."""
    length = config.crop_samples + config.model.receptive_field - 1
    dry = captures.pairs[0].dry
    starts = [
        start for first, last in captures.split.training for start in range(first, last - length + 1, length)
    ]
    energies = np.array([float(np.dot(dry[s : s + length], dry[s : s + length])) for s in starts])
    order = np.argsort(energies)
    picked = [starts[order[round(share * (len(order) - 1))]] for share in np.linspace(0.5, 0.98, N_PIECES)]
    return torch.from_numpy(np.stack([dry[start : start + length] for start in picked]))


def _variance(models: list[ParametricWaveNet], pieces: Tensor, positions: list[float]) -> float:
    """Return the variance over models at some positions, relative to their power, both over all pieces."""
    with torch.no_grad():
        outputs = torch.stack([model(pieces, positions) for model in models])  # (n_models, n_pieces, time)
    power = float(outputs.square().mean())
    return float(outputs.var(dim=0, unbiased=False).mean()) / max(power, 1e-20)
