"""What training asks about emotion: cue-model valence and arousal of clips, from their first second on.

Clips follow each other without a pause, as in use the network never begins anew. Beside the cues it is asked
what leads to them: which pitch classes sound in each frame, and the tonic.
"""

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
"""Outputs that are judged: valence, arousal, and the cues."""
_SOUNDING = slice(_N_TOLD, _N_TOLD + 12)
_TONIC = slice(_N_TOLD + 12, _N_TOLD + 24)
_BANDS_DB = 30.0
"""Decibels of a difference of 1 in a frame."""


class EmotionSettings(Config):
    """Settings of the task.

    Parameters
    ----------
    clips
        Clips that follow each other in a row of a batch.
    cues
        Weight of the cues in the loss, beside valence and arousal.
    pitches
        Weight of the pitch classes that sound, and of the tonic.
    rest
        Weight of the outputs without a meaning, which are to be 0.
    gain_db
        Each clip of a batch is louder or softer by up to so much.
    tilt_db
        Its highest bands are louder or softer by up to so much than its lowest.
    warmup_frames
        Frames at the start of a clip in which only the pitch classes count: too little was heard.
    """

    clips: int = Field(2, ge=1, le=8)
    cues: float = Field(0.5, ge=0, le=10)
    pitches: float = Field(1.0, ge=0, le=10)
    rest: float = Field(0.05, ge=0, le=10)
    gain_db: float = Field(3.0, ge=0, le=24)
    tilt_db: float = Field(4.0, ge=0, le=24)
    warmup_frames: int = Field(22, ge=0, le=80)


class _Split(NamedTuple):
    """Frames ``(n, frames, mels)``, valence, arousal and cues ``(n, 8)``, pitch classes as bits, tonics."""

    frames: NDArray[np.float16]
    targets: NDArray[np.float32]
    sounding: NDArray[np.uint16]
    tonic: NDArray[np.uint8]


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
        """Return frames ``(n, frames, mels)``, and targets ``(n, frames, 32)``.

        The targets are 8 that are judged, 12 pitch classes that sound, and 12 of the tonic.
        """
        split, told = self._split("train"), self._settings
        size = self._batch_size * told.clips
        rows = batch_rows(number, n_rows=len(split.frames), batch_size=size, seed=self._seed)
        rows = rows[: len(rows) // told.clips * told.clips]
        rng = np.random.default_rng([self._seed, number, 1])
        frames = split.frames[rows].astype(np.float32)
        floor = frames.min()
        louder_db = rng.uniform(-1, 1, (len(rows), 1, 1)) * told.gain_db
        slope = np.linspace(-0.5, 0.5, frames.shape[2])
        louder_db = louder_db + slope * rng.uniform(-1, 1, (len(rows), 1, 1)) * told.tilt_db
        # Below the floor there is nothing to make louder.
        moved = np.maximum(frames + (louder_db / _BANDS_DB).astype(np.float32), floor)
        frames = np.where(frames > floor, moved, frames)
        n_frames = frames.shape[1]
        targets = np.zeros((len(rows), n_frames, _TONIC.stop), np.float32)
        targets[..., :_N_TOLD] = split.targets[rows, None]
        targets[..., _SOUNDING] = split.sounding[rows, :, None] >> np.arange(12) & 1
        targets[..., _TONIC] = (split.tonic[rows, None] == np.arange(12))[:, None]
        after_another = (len(rows) // told.clips, told.clips * n_frames, -1)
        return torch.from_numpy(frames.reshape(after_another)), torch.from_numpy(
            targets.reshape(after_another)
        )

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return the outputs of each frame, ``(n, frames, outputs)``."""
        assert isinstance(network, EmotionRecognizer)
        outputs: Tensor = network(batch[0])[0]
        return outputs

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared error of valence and arousal, and of all else by its weight."""
        weights = self._settings
        frame = torch.arange(predicted.shape[1]) % (predicted.shape[1] // weights.clips)
        counted = predicted[:, frame >= weights.warmup_frames]
        squared = (counted[..., :_N_TOLD] - batch[1][:, frame >= weights.warmup_frames, :_N_TOLD]) ** 2
        pitches = (predicted[..., _SOUNDING] - batch[1][..., _SOUNDING]) ** 2
        tonic = (counted[..., _TONIC] - batch[1][:, frame >= weights.warmup_frames, _TONIC]) ** 2
        told = squared[..., :2].mean() + weights.cues * squared[..., 2:].mean()
        asked = weights.pitches * (pitches.mean() + tonic.mean())
        return told + asked + weights.rest * (predicted[..., _TONIC.stop :] ** 2).mean()

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure the answer at the end of each clip: mean error, and the part of the variance explained.

        Clips are heard from the first state, and on the test split also one after the other.
        """
        data: _Split = self._split(split)
        said = np.stack([run(clip.astype(np.float32))[-1, :_N_TOLD] for clip in data.frames])
        found = _figures(said, data.targets)
        if split == "test":
            n_clips, n_frames, n_mels = data.frames.shape
            ends = run(data.frames.reshape(-1, n_mels).astype(np.float32))[n_frames - 1 :: n_frames]
            along = _figures(ends[:n_clips, :_N_TOLD], data.targets)
            found |= {f"running_{name}": along[name] for name in ("valence_r2", "arousal_r2")}
        return found

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
        sounding, tonic = arrays["sounding"], arrays["tonic"]
    except KeyError as error:
        raise ConfigError(f"the data of emotion lack {error}; prepare them again") from None
    rows = (len(sounding), len(tonic), *sounding.shape[1:])
    if (
        frames.ndim != 3
        or not len(frames)
        or cues.shape != (len(frames), len(CUES))
        or rows != (len(frames), *frames.shape[:2])
    ):
        raise ConfigError(
            f"the data of emotion have shapes {list(frames.shape)} and {list(cues.shape)}; prepare them again"
        )
    return _Split(frames, np.c_[mood_of(cues), cues].astype(np.float32), sounding, tonic)


def build(dataset: Dataset, recipe: Recipe) -> EmotionTask:
    """Return the task."""
    return EmotionTask(dataset, recipe)
