"""What training asks about a groove: offsets and velocities of drummers, beside what the reference says."""

from collections.abc import Mapping
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
from neurdsp.music.dataset import Dataset
from neurdsp.music.groove.chance import measure_residuals, played_like, quantised_copy
from neurdsp.music.groove.takes import OFFSET_SCALE, VELOCITY_SCALE, Hits, View, bars_of, hits_of, view_of
from neurdsp.music.model import Network
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import Batch, MusicTask, Runner, batch_rows

__all__ = ["GrooveTask", "build"]

_MOST_HITS = 24
"""Hits of a call that count in training; a drum roll may have more."""


class GrooveSettings(Config):
    """Settings of the task.

    Parameters
    ----------
    reference
        Part of the calls that have the earlier bars of the take as their reference.
    accents
        Part of the calls that see which hits are accents.
    velocity
        Weight of a velocity beside a millisecond.
    """

    reference: float = Field(0.6, ge=0, le=1)
    accents: float = Field(0.4, ge=0, le=1)
    velocity: float = Field(1.0, ge=0, le=100)


class _Split(NamedTuple):
    """A split, and where the hits of each call are: sorted by call, and the first of each."""

    takes: list[_core.GrooveBars]
    hits: Hits
    order: NDArray[np.int64]
    first: NDArray[np.int64]


class GrooveTask(MusicTask):
    """Training of the groove network on takes of drummers.

    Parameters
    ----------
    dataset
        Of `neurdsp.music.groove.sources.collect`.
    recipe
        Settings and batch size.
    """

    name = "groove"

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self._settings = build_settings(recipe)
        self._seed, self._batch_size = recipe.training.seed, recipe.training.batch_size
        self.samples_per_step = self._batch_size
        self._split = cache(lambda split: _load(dataset, split))
        self._view = cache(
            lambda split, earlier, accents: view_of(
                self._split(split).takes, earlier=earlier, accents=accents
            )
        )

    def batch(self, number: int) -> Batch:
        """Return inputs ``(n, 64)``, steps ``(n, hits)`` and targets ``(n, hits, 4)``.

        Targets are what is left of offset and velocity, the length of a sixteenth, and 1 for a hit.
        """
        split = self._split("train")
        rows = batch_rows(number, n_rows=len(split.first) - 1, batch_size=self._batch_size, seed=self._seed)
        rng = np.random.default_rng([self._seed, number, 1])
        settings = self._settings
        kinds = np.stack(
            [rng.random(len(rows)) < settings.reference, rng.random(len(rows)) < settings.accents]
        )
        at = split.first[rows, None] + np.arange(_MOST_HITS)
        there = at < split.first[rows + 1, None]
        hit = split.order[np.where(there, at, split.first[rows, None])]
        inputs = np.zeros((len(rows), 64), np.float32)
        said = np.zeros((*hit.shape, 2), np.float32)
        for earlier in (False, True):
            for accents in (False, True):
                view: View = self._view("train", earlier, accents)
                own = (kinds[0] == earlier) & (kinds[1] == accents)
                inputs[own] = view.inputs[rows[own]]
                said[own, :, 0] = view.offset[hit[own]]
                said[own, :, 1] = view.velocity[hit[own]]
        hits = split.hits
        targets = np.stack(
            [
                hits.late[hit] - said[..., 0],
                hits.velocity[hit] - said[..., 1],
                hits.sixteenth_ms[hit],
                there.astype(np.float32),
            ],
            axis=-1,
        )
        return torch.from_numpy(inputs), torch.from_numpy(hits.step[hit]), torch.from_numpy(targets)

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return corrections of offset, in sixteenths, and velocity, ``(n, hits, 2)``."""
        inputs, steps, _ = batch
        outputs = network(inputs)
        offset = OFFSET_SCALE * outputs.gather(1, steps)
        return torch.stack([offset, VELOCITY_SCALE * outputs.gather(1, 16 + steps)], -1)

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the mean error: milliseconds, and velocities by their weight."""
        return self._distance(predicted, batch[2][..., :2], batch)

    def imitation(self, predicted: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean difference from the teacher, as `loss` has it."""
        return self._distance(predicted, teacher, batch)

    def _distance(self, one: Tensor, other: Tensor, batch: Batch) -> Tensor:
        sixteenth_ms, there = batch[2][..., 2], batch[2][..., 3]
        apart = (one - other).abs()
        cost = apart[..., 0] * sixteenth_ms + self._settings.velocity * apart[..., 1]
        return (cost * there).sum() / there.sum()

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure mean errors of offset in milliseconds and of velocity over all hits.

        With a reference only hits count that have one: up to eight earlier bars of the take.
        """
        hits: Hits = self._split(split).hits
        found: dict[str, float] = {}
        for earlier, head in ((True, ""), (False, "alone_")):
            for accents in (False, True):
                view: View = self._view(split, earlier, accents)
                offset, velocity = view.predicted(run(view.inputs), hits.step)
                counted = self._counted(split) if earlier else np.ones(len(offset), bool)
                error_ms = np.abs(offset - hits.late)[counted] * hits.sixteenth_ms[counted]
                if accents:
                    found[f"{head}accented_velocity"] = _mean(np.abs(velocity - hits.velocity)[counted])
                else:
                    found[f"{head}timing_ms"] = _mean(error_ms)
                    found[f"{head}velocity"] = _mean(np.abs(velocity - hits.velocity)[counted])
        parts = [found["timing_ms"], found["velocity"], found["alone_timing_ms"], found["alone_velocity"]]
        return {"score": float(np.mean([*parts, found["accented_velocity"]])), **found}

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure what is known without a network.

        That is a groove quantised to sixteenths (straight or triplet), one quantised with its rolls, the mean
        of each voice and step in training, and the reference alone.
        """
        train: Hits = self._split("train").hits
        hits: Hits = self._split(split).hits
        counted = self._counted(split)
        view: View = self._view(split, True, False)
        key, wanted = train.voice * 16 + train.step, hits.voice * 16 + hits.step
        count = np.maximum(np.bincount(key, minlength=144), 1)
        step_offset = np.bincount(key, train.late, minlength=144) / count
        step_velocity = np.bincount(key, train.velocity, minlength=144) / count
        usual = np.full(len(hits.step), np.median(train.velocity))
        guesses = {
            "sixteenths": (-hits.base, usual),
            "quantised": (np.zeros(len(hits.step)), usual),
            "step_mean": (step_offset[wanted], step_velocity[wanted]),
            "reference_alone": (view.offset, view.velocity),
        }
        found = {}
        for name, (offset, velocity) in guesses.items():
            error_ms = np.abs(offset - hits.late) * hits.sixteenth_ms
            error = np.abs(velocity - hits.velocity)
            found[name] = {"timing_ms": _mean(error_ms[counted]), "velocity": _mean(error[counted])}
            if name != "reference_alone":
                found[name] |= {"alone_timing_ms": _mean(error_ms), "alone_velocity": _mean(error)}
        return found

    def details(self, run: Runner) -> dict[str, str]:
        """Return what the network misses, for the application to play with a drummer's chance."""
        views = [
            (self._split(split).hits, self._view(split, False, False), self._view(split, True, False))
            for split in ("train", "validation")
        ]
        return {"groove.residuals": measure_residuals(views, self._split("validation").takes, run)}

    def applied(self, run: Runner, details: Mapping[str, str], split: str) -> dict[str, float]:
        """Play quantised takes with a drummer's chance, and compare with the drummers; see `played_like`."""
        residuals = details.get("groove.residuals")
        examples = quantised_copy(self._split(split).takes, run) if residuals else []
        if residuals is None or not examples:
            return {}
        with np.errstate(invalid="ignore", divide="ignore"):
            figures = played_like(examples, residuals)
        # Takes without any spread have no correlation.
        return {f"played_{name}": value for name, value in figures.items() if np.isfinite(value)}

    def _counted(self, split: str) -> NDArray[np.bool_]:
        view: View = self._view(split, True, False)
        return view.referred


def build_settings(recipe: Recipe) -> GrooveSettings:
    """Return the settings of a recipe.

    Raises
    ------
    ConfigError
        If one is unknown or out of range.
    """
    return build_config(GrooveSettings, recipe.data, source="data")


def _load(dataset: Dataset, split: str) -> _Split:
    takes = bars_of(dataset, split)
    hits = hits_of(takes)
    call = view_of(takes, earlier=False, accents=False).call
    order = np.argsort(call, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(call))])
    return _Split(takes, hits, order, first)


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else float("nan")


def build(dataset: Dataset, recipe: Recipe) -> GrooveTask:
    """Return the task."""
    return GrooveTask(dataset, recipe)
