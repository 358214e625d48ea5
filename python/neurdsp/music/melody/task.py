"""What training asks about melodies: the next sixteenth, given those before, the bar and the key."""

import json
import math
from collections.abc import Mapping, Sequence
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
from neurdsp.music.melody.continuation import WEIGHTS_KEY
from neurdsp.music.melody.ngram import NGram
from neurdsp.music.model import MelodyTransformer, Network
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import Batch, MusicTask, Runner

__all__ = ["MelodyTask", "build", "learn_weights"]

_UNKNOWN = 255
_ORDER = 5


class MelodySettings(Config):
    """Settings of the task.

    Parameters
    ----------
    steps
        Sixteenths of a crop.
    chord
        Part of the crops that are told the chords.
    key
        Part of the crops that are told the key.
    validation
        Pieces of the validation split that are measured while training; all for a test.
    """

    steps: int = Field(192, ge=64, le=4096)
    chord: float = Field(0.4, ge=0, le=1)
    key: float = Field(0.9, ge=0, le=1)
    validation: int = Field(60, ge=1)


class _Piece(NamedTuple):
    tokens: NDArray[np.uint8]
    around: NDArray[np.uint8]


class MelodyTask(MusicTask):
    """Training of the melody network on tunes and songs.

    Parameters
    ----------
    dataset
        Of `neurdsp.music.melody.sources.collect`.
    recipe
        Settings and batch size.
    """

    name = "melody"

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self._settings = build_config(MelodySettings, recipe.data, source="data")
        self._seed, self._batch_size = recipe.training.seed, recipe.training.batch_size
        self._window = recipe.shape.model_dump()["window"]
        self.samples_per_step = self._batch_size * self._settings.steps
        self._pieces = cache(lambda split: _load(dataset, split))
        self._memory = cache(lambda split: [_core.melody_memory(p.tokens) for p in self._pieces(split)])

    def batch(self, number: int) -> Batch:
        """Return tokens before, conditions ``(n, steps, 64)``, tokens and weights; others are ``(n, steps)``.

        Crops begin at multiples of the window, so that positions count from 0.
        """
        steps = self._settings.steps
        pieces = self._pieces("train")
        weights = np.array([math.ceil(len(piece.tokens) / self._window) for piece in pieces], np.float64)
        rng = np.random.default_rng([self._seed, number])
        before = np.zeros((self._batch_size, steps), np.int64)
        after, weight = np.zeros_like(before), np.zeros((self._batch_size, steps), np.float32)
        conditions = np.zeros((self._batch_size, steps, 64), np.float32)
        for row, chosen in enumerate(rng.choice(len(pieces), self._batch_size, p=weights / weights.sum())):
            piece = pieces[int(chosen)]
            n = len(piece.tokens)
            n_starts = max(0, math.ceil((n - steps) / self._window)) + 1
            first = self._window * int(rng.integers(n_starts))
            end = min(n, first + steps)
            tokens, around = piece.tokens, piece.around[first:end].copy()
            if rng.random() >= self._settings.key:
                around[:, 3] = _UNKNOWN
            if rng.random() >= self._settings.chord:
                around[:, 5] = _UNKNOWN
            length = end - first
            before[row, :length] = np.append(0 if first == 0 else tokens[first - 1], tokens[first : end - 1])
            after[row, :length] = tokens[first:end]
            weight[row, :length] = 1
            conditions[row, :length] = _core.melody_conditions(around)
        return tuple(torch.from_numpy(part) for part in (before, conditions, after, weight))

    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return logits ``(n, steps, 128)``."""
        assert isinstance(network, MelodyTransformer)
        logits: Tensor = network(batch[0], batch[1])
        return logits

    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of the steps that are there."""
        losses = functional.cross_entropy(predicted.transpose(1, 2), batch[2], reduction="none")
        return (losses * batch[3]).sum() / batch[3].sum()

    def imitation(self, predicted: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean divergence from what the teacher thinks of all tokens."""
        differing = functional.kl_div(
            predicted.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="none"
        ).sum(-1)
        return (differing * batch[3]).sum() / batch[3].sum()

    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure bits a step: of the network, with the memory of the piece, and with the chords known.

        The weights of the memory are those that fit the validation split best.
        """
        few = self._settings.validation if split == "validation" else None
        alone = self._probabilities(run, split, few)
        bits = self._bits(alone, split)
        if split == "validation":
            return {"score": bits}
        weights = self._weights(run)
        told = self._probabilities(run, split, few, chords=True)
        return {
            "score": bits,
            "bits": bits,
            "memory_bits": self._bits(self._mixed(alone, split, weights), split),
            "chord_bits": self._bits(told, split),
        }

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure an n-gram of order 5, alone and with the memory of the piece."""
        model = NGram((piece.tokens for piece in self._pieces("train")), order=_ORDER)
        few = self._settings.validation
        tokens = [piece.tokens for piece in self._pieces(split)]
        alone = [model.probabilities(melody) for melody in tokens]
        validation = [piece.tokens for piece in self._pieces("validation")[:few]]
        weights = learn_weights(
            [model.probabilities(melody) for melody in validation],
            [_core.melody_memory(melody) for melody in validation],
            validation,
        )
        mixed = [_mix(*both, weights) for both in zip(alone, map(_core.melody_memory, tokens), strict=True)]
        return {
            "ngram": {"bits": _bits(alone, tokens)},
            "ngram_with_memory": {"memory_bits": _bits(mixed, tokens)},
        }

    def details(self, run: Runner) -> Mapping[str, str]:
        """Return the weights of the memory that fit the validation split best beside this network."""
        return {WEIGHTS_KEY: json.dumps([round(weight, 4) for weight in self._weights(run)])}

    def _weights(self, run: Runner) -> list[float]:
        few = self._settings.validation
        alone = self._probabilities(run, "validation", few)
        tokens = [piece.tokens for piece in self._pieces("validation")[:few]]
        return learn_weights(alone, self._memory("validation")[:few], tokens)

    def _probabilities(
        self, run: Runner, split: str, few: int | None, *, chords: bool = False
    ) -> list[NDArray[np.float64]]:
        found = []
        for piece in self._pieces(split)[:few]:
            around = piece.around.copy()
            if not chords:
                around[:, 5] = _UNKNOWN
            inputs = np.empty((len(piece.tokens), 65), np.float32)
            inputs[:, 0] = np.append(0, piece.tokens[:-1])
            inputs[:, 1:] = _core.melody_conditions(around)
            logits = run(inputs).astype(np.float64)
            logits -= logits.max(1, keepdims=True)
            likely = np.exp(logits)
            found.append(likely / likely.sum(1, keepdims=True))
        return found

    def _bits(self, probabilities: Sequence[NDArray[np.float64]], split: str) -> float:
        return _bits(probabilities, [piece.tokens for piece in self._pieces(split)[: len(probabilities)]])

    def _mixed(
        self, alone: Sequence[NDArray[np.float64]], split: str, weights: Sequence[float]
    ) -> list[NDArray[np.float64]]:
        return [
            _mix(network, memory, weights) for network, memory in zip(alone, self._memory(split), strict=True)
        ]


def build(dataset: Dataset, recipe: Recipe) -> MelodyTask:
    """Return the task."""
    return MelodyTask(dataset, recipe)


def learn_weights(
    alone: Sequence[NDArray[np.float64]],
    memory: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]],
    tokens: Sequence[NDArray[np.uint8]],
    *,
    rounds: int = 30,
) -> list[float]:
    """Return the part of the memory in the best mixture for each length of agreement.

    Parameters
    ----------
    alone
        What a network says before each token, ``(n, 128)`` for each melody.
    memory
        What `_core.melody_memory` gives for it.
    tokens
        The melodies.
    rounds
        Of expectation maximisation.

    Returns
    -------
    list of float
        17 weights, 0.001 to 0.98: of agreements of 0 and 1 tokens, 2 and 3, and so on to 32.
    """
    network = np.concatenate([_given(table, line) for table, line in zip(alone, tokens, strict=True)])
    recalled = np.concatenate([_given(table, line) for (table, _), line in zip(memory, tokens, strict=True)])
    place = np.concatenate([np.minimum(agreement // 2, 16) for _, agreement in memory])
    weights = np.full(17, 0.2)
    count = np.maximum(np.bincount(place, minlength=17), 1e-9)
    for _ in range(rounds):
        weight = weights[place]
        share = weight * recalled / (weight * recalled + (1 - weight) * network)
        weights = np.clip(np.bincount(place, share, minlength=17) / count, 0.001, 0.98)
    return [float(weight) for weight in weights]


def _mix(
    network: NDArray[np.float64],
    memory: tuple[NDArray[np.float32], NDArray[np.int64]],
    weights: Sequence[float],
) -> NDArray[np.float64]:
    table = np.array(_core.memory_weights(1.0, [float(weight) for weight in weights]))
    weight = table[memory[1]][:, None]
    return weight * memory[0] + (1 - weight) * network


def _given(probabilities: NDArray[np.floating], tokens: NDArray[np.uint8]) -> NDArray[np.float64]:
    given: NDArray[np.float64] = probabilities[np.arange(len(tokens)), tokens].astype(np.float64)
    return np.maximum(given, 1e-12)


def _bits(probabilities: Sequence[NDArray[np.float64]], tokens: Sequence[NDArray[np.uint8]]) -> float:
    given = [_given(table, line) for table, line in zip(probabilities, tokens, strict=True)]
    return float(-np.log2(np.concatenate(given)).mean())


def _normal(piece: _Piece) -> _Piece:
    """Return a piece in C or A minor, as the engine lets the network hear it: -6 to 5 semitones away.

    Pitches beyond the range move by octaves.
    """
    tonic = int(piece.around[0, 3])
    semitones = 5 - (tonic - (9 if piece.around[0, 4] else 0) + 5) % 12 if tonic < 12 else 0
    tokens, around = piece.tokens.astype(np.int64), piece.around.copy()
    pitches = tokens[tokens > 1]
    if len(pitches):
        semitones += 12 * (int(pitches.min() + semitones) < 2) - 12 * (int(pitches.max() + semitones) > 127)
    tokens = np.where(tokens > 1, np.clip(tokens + semitones, 2, 127), tokens)
    known = around[:, 3] < 12
    around[known, 3] = (around[known, 3].astype(np.int64) + semitones) % 12
    rooted = around[:, 5] < 60
    chord = around[rooted, 5].astype(np.int64)
    around[rooted, 5] = (chord // 5 + semitones) % 12 * 5 + chord % 5
    return _Piece(tokens.astype(np.uint8), around)


def _load(dataset: Dataset, split: str) -> list[_Piece]:
    arrays = dataset.of(split)
    try:
        pieces = [
            _normal(_Piece(arrays["tokens"][first : first + n], arrays["surroundings"][first : first + n]))
            for first, n, _ in arrays["pieces"].tolist()
        ]
        sound = all(len(piece.tokens) == len(piece.around) > 0 for piece in pieces)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ConfigError(f"the data of melody are damaged ({error}); prepare them again") from None
    if not pieces or not sound:
        raise ConfigError(f"the data of melody have no pieces of the split '{split}'; prepare them again")
    return pieces
