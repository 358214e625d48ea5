"""What training asks about dynamics: the velocities of players, given the mood and the notes."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from neurdsp import _core
from neurdsp.config import Config
from neurdsp.config import build as build_config
from neurdsp.errors import ConfigError
from neurdsp.music.dataset import Dataset
from neurdsp.music.model import Network
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import Batch, MusicTask, Runner, batch_rows

__all__ = ["DynamicsTask", "build"]

_MOST_NOTES = 32
"""Notes of a call that count in training."""
_LOUDER = 24.0
"""An arousal of 1 is a bar that is louder by so much than the piece."""
_MAJOR = 0.5
"""Valence of major; that of minor is its negative."""


class DynamicsSettings(Config):
    """Settings of the task.

    Parameters
    ----------
    mood
        Part of the calls that are told the mood; the others are told a neutral one.
    """

    mood: float = Field(0.7, ge=0, le=1)


class _Split(NamedTuple):
    """Calls of a split, their notes, and the notes sorted by call with the first of each."""

    inputs: NDArray[np.float32]
    call: NDArray[np.int64]
    step: NDArray[np.int64]
    velocity: NDArray[np.float32]
    order: NDArray[np.int64]
    first: NDArray[np.int64]


class DynamicsTask(MusicTask):
    """Training of the dynamics network on drummers and pianists.

    The mood in training is told by the music: arousal by how loud a window is beside its piece, valence by
    the mode.

    Parameters
    ----------
    dataset
        Of `neurdsp.music.dynamics.sources.collect`.
    recipe
        Settings and batch size.
    """

    name = "dynamics"

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self._settings = build_config(DynamicsSettings, recipe.data, source="data")
        self._seed, self._batch_size = recipe.training.seed, recipe.training.batch_size
        self.samples_per_step = self._batch_size
        self._split = cache(lambda split: _load(dataset, split))

    def batch(self, number: int) -> Batch:
        """Return conditions ``(n, 32)``, steps ``(n, notes)``, and velocity and weight, ``(n, notes, 2)``."""
        split: _Split = self._split("train")
        rows = batch_rows(number, n_rows=len(split.inputs), batch_size=self._batch_size, seed=self._seed)
        inputs = split.inputs[rows]
        rng = np.random.default_rng([self._seed, number, 1])
        inputs[rng.random(len(rows)) >= self._settings.mood, :2] = 0
        at = split.first[rows, None] + np.arange(_MOST_NOTES)
        there = at < split.first[rows + 1, None]
        note = split.order[np.where(there, at, split.first[rows, None])]
        targets = np.stack([split.velocity[note], there.astype(np.float32)], axis=-1)
        return torch.from_numpy(inputs), torch.from_numpy(split.step[note]), torch.from_numpy(targets)

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return velocities, ``(n, notes)``."""
        inputs, steps, _ = batch
        outputs: Tensor = network(inputs)
        return 127 * outputs.gather(1, steps)

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the mean error."""
        return self.imitation(predicted, batch[2][..., 0], batch)

    def imitation(self, predicted: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean difference from the teacher."""
        weight = batch[2][..., 1]
        return ((predicted - teacher).abs() * weight).sum() / weight.sum()

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure the mean error of velocity, told the mood and not."""
        data: _Split = self._split(split)
        told = self._error(data, run(data.inputs))
        neutral = data.inputs.copy()
        neutral[:, :2] = 0
        untold = self._error(data, run(neutral))
        return {"score": (told + untold) / 2, "velocity": told, "neutral_velocity": untold}

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure the mean of each part, louder by the arousal where it is told, and that of all notes."""
        data: _Split = self._split(split)
        usual = float(np.median(self._split("train").velocity))
        mean = 64 * (1 + data.inputs[data.call, 2])
        louder = mean + _LOUDER * data.inputs[data.call, 1]
        errors = {
            name: np.abs(guess - data.velocity).mean() for name, guess in (("told", louder), ("untold", mean))
        }
        constant = float(np.abs(usual - data.velocity).mean())
        return {
            "constant": {"velocity": constant, "neutral_velocity": constant},
            "part_mean": {"velocity": float(errors["told"]), "neutral_velocity": float(errors["untold"])},
        }

    @staticmethod
    def _error(data: _Split, outputs: NDArray[np.float32]) -> float:
        return float(np.abs(127 * outputs[data.call, data.step] - data.velocity).mean())


def build(dataset: Dataset, recipe: Recipe) -> DynamicsTask:
    """Return the task."""
    return DynamicsTask(dataset, recipe)


def _load(dataset: Dataset, split: str) -> _Split:
    arrays = dataset.of(split)
    inputs, calls, steps, velocities = [], [], [], []
    n_calls = 0
    try:
        for first, count, ticks, quarter_us, beats, of_beat, drums, mode in arrays["pieces"].tolist():
            notes = arrays["notes"][first : first + count]
            asked = _core.DynamicsCalls(
                notes[:, 0].astype(np.uint64),
                notes[:, 1].astype(np.uint8),
                notes[:, 2].astype(np.uint8),
                notes[:, 3].astype(np.uint32),
                np.full(count, bool(drums)),
                _moods(notes, ticks * 4 * beats // of_beat, mode),
                ticks,
                [(0, beats, of_beat)],
                [(0, quarter_us)],
            )
            rows = asked.inputs()
            call, step = asked.of_notes()
            inputs.append(rows)
            calls.append(call + n_calls)
            steps.append(step.astype(np.int64))
            velocities.append(notes[:, 2].astype(np.float32))
            n_calls += len(rows)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"the data of dynamics are damaged ({error}); prepare them again") from None
    if not inputs:
        raise ConfigError(f"the data of dynamics have no pieces of the split '{split}'; prepare them again")
    call = np.concatenate(calls)
    return _Split(
        np.concatenate(inputs),
        call,
        np.concatenate(steps),
        np.concatenate(velocities),
        np.argsort(call, kind="stable"),
        np.concatenate([[0], np.cumsum(np.bincount(call))]),
    )


def _moods(notes: NDArray[np.int64], bar_ticks: int, mode: int) -> NDArray[np.float32]:
    """Return valence and arousal of each note: the mode, and how loud its bar is beside the piece."""
    bar = notes[:, 0] // max(bar_ticks, 1)
    _, place = np.unique(bar, return_inverse=True)
    mean = np.bincount(place, notes[:, 2]) / np.maximum(np.bincount(place), 1)
    arousal = (mean[place] - notes[:, 2].mean()) / _LOUDER
    moods = np.stack([np.full(len(notes), _MAJOR * mode), np.clip(arousal, -1, 1)], axis=1)
    return moods.astype(np.float32)
