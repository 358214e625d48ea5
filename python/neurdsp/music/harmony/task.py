"""What training asks about harmony: the chord of a half bar, given melody, key and the chords before."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from neurdsp import _core
from neurdsp.config import Config
from neurdsp.config import build as build_config
from neurdsp.errors import ConfigError
from neurdsp.music.dataset import Dataset
from neurdsp.music.harmony.harmonise import PlanSettings, make_plan
from neurdsp.music.model import HarmonyPredictor, Network
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import Batch, MusicTask, Runner, batch_rows

__all__ = ["HarmonyTask", "build"]

_LOOKAHEAD_FLAG = 63
_LOOKAHEAD = slice(36, 60)
_HISTORY = slice(65, 128)
"""Features of the chords before."""


class HarmonySettings(Config):
    """Settings of the task.

    Parameters
    ----------
    forget
        Part of the rows that are not told the chords before, so that the network knows the melody too.
    blind
        Part of the rows that are not told the half bars to come, for playing along.
    smoothing
        Part of the target that is spread over all chords.
    dropout
        Part of the features that are left out.
    """

    forget: float = Field(0.1, ge=0, le=1)
    blind: float = Field(0.15, ge=0, le=1)
    smoothing: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)


class _Piece(NamedTuple):
    segments: "_core.Segments"
    key: tuple[int, bool]
    chords: NDArray[np.uint8]
    #: Turned to the key.
    features: NDArray[np.float32]
    targets: NDArray[np.uint8]


class HarmonyTask(MusicTask):
    """Training of the harmony network on songs.

    Parameters
    ----------
    dataset
        Of `neurdsp.music.harmony.sources.collect`.
    recipe
        Settings and batch size.
    """

    name = "harmony"

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self._settings = build_config(HarmonySettings, recipe.data, source="data")
        self._seed, self._batch_size = recipe.training.seed, recipe.training.batch_size
        self.samples_per_step = self._batch_size
        self._pieces = cache(lambda split: _load(dataset, split))
        self._rows = cache(
            lambda split: (
                np.concatenate([piece.features for piece in self._pieces(split)]),
                np.concatenate([piece.targets for piece in self._pieces(split)]).astype(np.int64),
            )
        )

    def batch(self, number: int) -> Batch:
        """Return features ``(n, 128)`` and chords ``(n,)``."""
        features, targets = self._rows("train")
        rows = batch_rows(number, n_rows=len(targets), batch_size=self._batch_size, seed=self._seed)
        inputs = features[rows]
        rng = np.random.default_rng([self._seed, number, 1])
        blind = rng.random(len(rows)) < self._settings.blind
        inputs[blind, _LOOKAHEAD] = 0
        inputs[blind, _LOOKAHEAD_FLAG] = 0
        inputs[rng.random(len(rows)) < self._settings.forget, _HISTORY] = 0
        if self._settings.dropout > 0:
            kept = rng.random(inputs.shape) >= self._settings.dropout
            inputs *= kept.astype(np.float32) / (1 - self._settings.dropout)
        return torch.from_numpy(inputs), torch.from_numpy(targets[rows])

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return logits ``(n, 64)``."""
        assert isinstance(network, HarmonyPredictor)
        return network.logits(batch[0])

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy."""
        return functional.cross_entropy(predicted, batch[1], label_smoothing=self._settings.smoothing)

    def imitation(self, predicted: Tensor, teacher: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return the divergence from what the teacher thinks of all chords."""
        return functional.kl_div(
            predicted.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="batchmean"
        )

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure ``top1`` and ``top3`` with the true chords before, ``melody_top3`` without them, and bits.

        On the test split, also what `free_running` measures.
        """
        features, targets = self._rows(split)
        found = run(features)
        no_history = features.copy()
        no_history[:, _HISTORY] = 0
        alone = run(no_history)
        result = {
            "score": _bits(found, targets),
            "top1": _top(found, targets, 1),
            "top3": _top(found, targets, 3),
            "melody_top3": _top(alone, targets, 3),
        }
        if split == "test":
            free = self.free_running(run, split)
            result |= {f"free_{name}": value for name, value in free.items()}
        return result

    def free_running(
        self,
        run: Runner,
        split: str,
        *,
        songs: int | None = None,
        settings: PlanSettings | None = None,
    ) -> dict[str, float]:
        """Measure plans that know no true chord: how often they change, and how they cover the melody.

        Parameters
        ----------
        run
            The network.
        split
            Songs to plan for.
        songs
            How many of them; all by default.
        settings
            How chords are chosen.

        Returns
        -------
        dict
            ``coverage`` and ``change_rate`` of the plans, ``human_coverage`` and ``human_change_rate``, and
            the part of the half bars with the true chord, ``top1``.
        """
        settings = settings or PlanSettings()
        sums = np.zeros(7)
        for piece in self._pieces(split)[:songs]:
            planned, _ = make_plan(piece.segments, piece.key, run, settings)
            sounding, n = sum(piece.segments.durations()), len(piece.chords)
            ours, human = piece.segments.judge(planned), piece.segments.judge(piece.chords)
            right = int((planned == piece.chords).sum())
            sums += [sounding, n, ours[0] * sounding, human[0] * sounding, ours[1] * n, human[1] * n, right]
        return {
            "coverage": sums[2] / sums[0],
            "human_coverage": sums[3] / sums[0],
            "change_rate": sums[4] / sums[1],
            "human_change_rate": sums[5] / sums[1],
            "top1": sums[6] / sums[1],
        }

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure the most frequent chords, and the chord before."""
        _, targets = self._rows(split)
        counts = np.bincount(self._rows("train")[1], minlength=64)
        usual = np.argsort(-counts)[:3]
        share = np.maximum(counts, 0.5) / counts.sum()
        before = np.concatenate([np.append(60, piece.targets[:-1]) for piece in self._pieces(split)])
        return {
            "majority": {
                "score": float(-np.log2(share[targets]).mean()),
                "top1": float((targets == usual[0]).mean()),
                "top3": float(np.isin(targets, usual).mean()),
            },
            "previous_chord": {"top1": float((targets == before).mean())},
        }


def build(dataset: Dataset, recipe: Recipe) -> HarmonyTask:
    """Return the task."""
    return HarmonyTask(dataset, recipe)


def _bits(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    given = np.maximum(probabilities[np.arange(len(targets)), targets], 1e-9)
    return float(-np.log2(given).mean())


def _top(probabilities: NDArray[np.float32], targets: NDArray[np.int64], n: int) -> float:
    given = probabilities[np.arange(len(targets)), targets]
    return float(((probabilities > given[:, None]).sum(1) < n).mean())


def _load(dataset: Dataset, split: str) -> Sequence[_Piece]:
    arrays = dataset.of(split)
    pieces = []
    try:
        for first, n_notes, half, n_halves, end, tonic, minor in arrays["pieces"].tolist():
            notes = arrays["notes"][int(first) : int(first + n_notes)]
            halves = arrays["halves"][int(half) : int(half + n_halves)]
            chords = halves[:, 2].astype(np.uint8)
            segments = _core.Segments(
                np.ascontiguousarray(notes[:, 0]),
                np.ascontiguousarray(notes[:, 1]),
                notes[:, 2].astype(np.uint8),
                np.append(halves[:, 0], end),
                halves[:, 1] > 0,
            )
            key = (int(tonic), bool(minor))
            features, targets = segments.features(key, chords, True)
            pieces.append(_Piece(segments, key, chords, features, targets))
    except (KeyError, ValueError, IndexError, OverflowError) as error:
        raise ConfigError(f"the data of harmony are damaged ({error}); prepare them again") from None
    if not pieces:
        raise ConfigError(f"the data of harmony have no songs of the split '{split}'; prepare them again")
    return pieces
