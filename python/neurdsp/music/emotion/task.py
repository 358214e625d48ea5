"""What training asks about emotion: cue-model valence and arousal of a clip, from its first second on."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from neurdsp.config import Config
from neurdsp.config import build as build_config
from neurdsp.errors import ConfigError
from neurdsp.music.dataset import Dataset
from neurdsp.music.emotion.cues import CUES, mood_of
from neurdsp.music.model import EmotionRecognizer, Network
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import Batch, MusicTask, Runner, batch_rows

__all__ = ["EmotionTask", "build"]

_N_TOLD = 2 + len(CUES)
"""Outputs that have a meaning: valence, arousal, and the cues."""


class EmotionSettings(Config):
    """Settings of the task.

    Parameters
    ----------
    cues
        Weight of the cues in the loss, beside valence and arousal.
    rest
        Weight of the outputs without a meaning, which are to be 0.
    gain_db
        Each clip of a batch is louder or softer by up to so much.
    warmup_frames
        Frames at the start of a clip that do not count: too little was heard.
    """

    cues: float = Field(0.5, ge=0, le=10)
    rest: float = Field(0.05, ge=0, le=10)
    gain_db: float = Field(3.0, ge=0, le=24)
    warmup_frames: int = Field(22, ge=0, le=80)


class _Split(NamedTuple):
    """Frames ``(n, frames, mels)``, valence, arousal and cues ``(n, 8)``."""

    frames: NDArray[np.float16]
    targets: NDArray[np.float32]


class EmotionTask(MusicTask):
    """Training of the emotion network on rendered cues.

    Parameters
    ----------
    dataset
        Of `neurdsp.music.emotion.sources.collect`.
    recipe
        Settings and batch size.
    """

    name = "emotion"

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self._settings = build_config(EmotionSettings, recipe.data, source="data")
        self._seed, self._batch_size = recipe.training.seed, recipe.training.batch_size
        self._split = cache(lambda split: _load(dataset, split))
        self.samples_per_step = self._batch_size

    def batch(self, number: int) -> Batch:
        """Return frames ``(n, frames, mels)`` and targets ``(n, 8)``."""
        split: _Split = self._split("train")
        rows = batch_rows(number, n_rows=len(split.frames), batch_size=self._batch_size, seed=self._seed)
        rng = np.random.default_rng([self._seed, number, 1])
        gain_db = rng.uniform(-1, 1, (len(rows), 1, 1)) * self._settings.gain_db
        # A frame is decibels over 30; below the floor there is nothing to make louder.
        frames = split.frames[rows].astype(np.float32)
        frames = np.maximum(frames + (gain_db / 30).astype(np.float32), frames.min())
        return torch.from_numpy(frames), torch.from_numpy(split.targets[rows])

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return the outputs of each frame that counts, ``(n, frames, outputs)``."""
        assert isinstance(network, EmotionRecognizer)
        outputs: Tensor = network(batch[0])[0]
        return outputs[:, self._settings.warmup_frames :]

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared error of valence and arousal, and of cues and rest by their weights."""
        squared = (predicted[..., :_N_TOLD] - batch[1][:, None]) ** 2
        told = squared[..., :2].mean() + self._settings.cues * squared[..., 2:].mean()
        return told + self._settings.rest * (predicted[..., _N_TOLD:] ** 2).mean()

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure the answer at the end of each clip: mean error, and the part of the variance explained."""
        data: _Split = self._split(split)
        said = np.stack([run(clip.astype(np.float32))[-1, :_N_TOLD] for clip in data.frames])
        return _figures(said, data.targets)

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure the mean of training, and ridge regressions on mean and spread of the mel frames."""
        train, data = self._split("train"), self._split(split)
        mean = np.broadcast_to(train.targets.mean(0), data.targets.shape)
        found = {"mean": _figures(mean, data.targets)}
        for name, spread in (("linear_on_mean_mel", False), ("linear_on_mean_and_spread", True)):
            one, other = (_summary(part.frames, spread=spread) for part in (train, data))
            centre, scale = one.mean(0), one.std(0) + 1e-6
            x = np.c_[(one - centre) / scale, np.ones(len(one))]
            ridge = x.T @ x + 30 * np.eye(x.shape[1])
            weights = np.linalg.solve(ridge, x.T @ train.targets)
            said = np.c_[(other - centre) / scale, np.ones(len(other))] @ weights
            found[name] = _figures(said, data.targets)
        return found


def _summary(frames: NDArray[np.float16], *, spread: bool) -> NDArray[np.float64]:
    values = frames.astype(np.float64)
    parts = [values.mean(1)]
    if spread:
        parts += [values.std(1), np.abs(np.diff(values, axis=1)).mean(1)]
    return np.concatenate(parts, axis=1)


def _figures(said: NDArray[np.floating], targets: NDArray[np.floating]) -> dict[str, float]:
    error = np.abs(said - targets).mean(0)
    variance = ((targets - targets.mean(0)) ** 2).mean(0)
    explained = 1 - ((said - targets) ** 2).mean(0) / np.maximum(variance, 1e-12)
    found = {
        "score": float(error[:2].mean()),
        "valence": float(error[0]),
        "arousal": float(error[1]),
        "valence_r2": float(explained[0]),
        "arousal_r2": float(explained[1]),
    }
    right = (said[:, 2] > 0) == (targets[:, 2] > 0)
    found["mode_accuracy"] = float(right.mean())
    return found


def _load(dataset: Dataset, split: str) -> _Split:
    arrays = dataset.of(split)
    try:
        frames, cues = arrays["frames"], arrays["cues"]
    except KeyError as error:
        raise ConfigError(f"the data of emotion lack {error}; prepare them again") from None
    if frames.ndim != 3 or cues.shape != (len(frames), len(CUES)) or not len(frames):
        raise ConfigError(
            f"the data of emotion have shapes {list(frames.shape)} and {list(cues.shape)}; prepare them again"
        )
    return _Split(frames, np.c_[mood_of(cues), cues].astype(np.float32))


def build(dataset: Dataset, recipe: Recipe) -> EmotionTask:
    """Return the task."""
    return EmotionTask(dataset, recipe)
