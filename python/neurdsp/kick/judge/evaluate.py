"""The evaluation of a generator: words, hygiene, and distance to recordings, with the floors beside."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick.attributes import measure_all
from neurdsp.kick.infer import KickGenerator
from neurdsp.kick.judge.figures import Hygiene, hygiene, log_mel_distance
from neurdsp.kick.judge.words import Rule, measured_kicks, rules_of, word_shares

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Distances", "Evaluation", "evaluate", "read_recordings"]

_N = 88_200


@dataclass(frozen=True)
class Distances:
    """How far a set is from recordings, by aisfx.

    Parameters
    ----------
    raw, masked
        Energy distance, as it is and with noise 60 dB below the peaks.
    nearest
        How often the nearest neighbour is of the own set.
    density, coverage
        Near 1 for a set like the recordings.
    copies
        Share of the set that lies as near to a training recording as hardly any two of these do.
    """

    raw: float
    masked: float
    nearest: float
    density: float
    coverage: float
    copies: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Parameters
    ----------
    words
        How often each word that a measure defines holds when it is asked for.
    other_words, floor_words
        How often it holds when another one is asked for, and among the recordings.
    pairs
        How often each of two words holds that are asked for at once; None without two that go together.
    hygiene, floor_hygiene
        Of generated kicks, and of the recordings.
    distances
        By set: generated kicks, and the floors.
    resynthesis_nats, seeds_nats
        Median distance of recordings to their fitted codes, and of two seeds of one code.
    n_kicks, n_recordings
        How many were judged.
    left_out
        What was not judged, and why.
    """

    words: dict[str, float]
    other_words: dict[str, float]
    floor_words: dict[str, float]
    pairs: float | None
    hygiene: Hygiene
    floor_hygiene: Hygiene | None
    distances: dict[str, Distances]
    resynthesis_nats: float | None
    seeds_nats: float | None
    n_kicks: int
    n_recordings: int
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)


def read_recordings(folder: Path) -> NDArray[np.float32]:
    """Read every recording in a folder and the folders in it, from the onset, 2 s at 44,100 Hz.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from neurdsp.audio import read_audio
    from neurdsp.errors import ConfigError
    from neurdsp.kick.fit import onset
    from neurdsp.kick.hybrid.data import recordings_in

    files = recordings_in(folder)
    if not files:
        raise ConfigError(f"{folder}: holds no recordings; give a folder with kicks")
    return np.stack([onset(*read_audio(path, duration=30.0)) for path in files]).astype(np.float32)


def evaluate(
    generator: KickGenerator,
    *,
    recordings: NDArray[np.float32] | None = None,
    training: NDArray[np.float32] | None = None,
    per_word: int = 50,
    n_kicks: int = 300,
    seed: int = 1,
    distances: bool = True,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> Evaluation:
    """Judge a generator.

    Parameters
    ----------
    generator
        The generator.
    recordings
        Kicks that it has not learnt from, ``(n, 88200)``.
    training
        Those that it has learnt from, for the floor of the distance.
    per_word
        Kicks for each word.
    n_kicks
        Kicks for hygiene and distances, of one word each in turn.
    seed
        Of the kicks.
    distances
        Whether to measure distances, which needs torch and aisfx.
    progress
        Called with what is done.

    Returns
    -------
    Evaluation
    """
    rules = rules_of(generator)
    words = word_shares(generator, rules, per_word=per_word, seed=seed, progress=progress)
    pairs = _pairs(generator, rules, seed, max(20, per_word))
    audio = _of_each_word(generator, n_kicks, seed + 1000)
    found: dict[str, Distances] = {}
    if distances and recordings is not None:
        found = _distances(audio, recordings, training, progress)
    fitted, seeds = None, None
    if recordings is not None and generator.is_editable:
        fitted, seeds = _resynthesis(generator, recordings, progress)
    real = None if recordings is None else measure_all(recordings)
    return Evaluation(
        {word: own for word, (own, _) in words.items()},
        {word: others for word, (_, others) in words.items()},
        {} if real is None else {word: rule.share(real) for word, rule in rules.items()},
        pairs,
        hygiene(audio),
        None if recordings is None else hygiene(recordings),
        found,
        fitted,
        seeds,
        len(audio),
        0 if recordings is None else len(recordings),
        tuple(_left_out(generator, rules)),
    )


def _of_each_word(generator: KickGenerator, n: int, seed: int) -> NDArray[np.float32]:
    """Return kicks of one word each in turn, 2 s at 44,100 Hz."""
    each = -(-n // len(generator.keywords))
    made = [generator.generate([word], n=each, seed=seed) for word in [*generator.keywords][:n]]
    audio = np.concatenate(made)[:n, :_N]
    return np.pad(audio, ((0, 0), (0, _N - audio.shape[1])))


def _left_out(generator: KickGenerator, rules: Mapping[str, Rule]) -> Iterator[str]:
    """Say what a generator cannot be judged by."""
    n_other = len(generator.keywords) - len(rules)
    if n_other:
        yield f"{n_other} of {len(generator.keywords)} words, which no measure defines"
    if not generator.is_editable:
        if not generator.thresholds:
            yield "thresholds of its training data: those of the generator that ships stand in"
        yield "resynthesis, which is of kick codes; this generator makes spectrograms"


def _pairs(generator: KickGenerator, rules: Mapping[str, Rule], seed: int, n: int) -> float | None:
    """Return how often words hold that are asked for in twos, if they do not contradict each other."""
    draw = np.random.default_rng(seed)
    known = [*rules]
    apart = {
        (a, b)
        for a, b in itertools.permutations(known, 2)
        if rules[a].quantity != rules[b].quantity and {rules[a].quantity, rules[b].quantity} not in _RELATED
    }
    held: list[float] = []
    while apart and len(held) < n:
        a, b = (known[int(k)] for k in draw.choice(len(known), 2, replace=False))
        if (a, b) not in apart:
            continue
        measured = measured_kicks(generator, [a, b], n=1, seed=seed + 5000 + len(held))
        held.append(float(np.mean([rules[word].share(measured) for word in (a, b)])))
    return float(np.mean(held)) if held else None


#: Quantities that say nearly the same, so that words of both may contradict each other.
_RELATED = (
    {"length", "body"},
    {"pitch", "sub"},
    {"high", "click"},
    {"centroid", "click"},
    {"middle", "sub"},
    {"centroid", "middle"},
    {"middle", "harmonics"},
    {"sub", "harmonics"},
    {"pitch", "middle"},
)


def _distances(
    audio: NDArray[np.float32],
    recordings: NDArray[np.float32],
    training: NDArray[np.float32] | None,
    progress: Callable[[str, int, int], None],
) -> dict[str, Distances]:
    from neurdsp.kick.judge.embedding import (
        copies,
        density_and_coverage,
        embed,
        energy_distance,
        nearest_is_own,
        with_noise,
    )

    sets = {"recordings": recordings, "generated": audio}
    if training is not None:
        sets["training recordings"] = training
    embedded = {}
    for done, (name, kicks) in enumerate(sets.items()):
        embedded[name] = (embed(kicks), embed(with_noise(kicks, done)))
        progress("distances", done + 1, len(sets))
    raw, masked = embedded["recordings"]
    learnt = embedded.get("training recordings")

    def far(own: "tuple[Tensor, Tensor]", real: "tuple[Tensor, Tensor]", *, made: bool = False) -> Distances:
        return Distances(
            energy_distance(own[0], real[0]),
            energy_distance(own[1], real[1]),
            nearest_is_own(own[0], real[0]),
            *density_and_coverage(own[0], real[0]),
            copies(own[0], learnt[0]) if made and learnt is not None else None,
        )

    halves = [(raw[k::2], masked[k::2]) for k in range(2)]
    found = {"halves of the recordings": far(halves[0], halves[1])}
    for name, own in embedded.items():
        if name != "recordings":
            found[name] = far(own, (raw, masked), made=name == "generated")
    return found


def _resynthesis(
    generator: KickGenerator, recordings: NDArray[np.float32], progress: Callable[[str, int, int], None]
) -> tuple[float, float]:
    distances, seeds = [], []
    for done, audio in enumerate(recordings):
        kick = generator.resynthesise(audio, 44_100)
        made = kick.render(level=False)
        distances.append(log_mel_distance(audio, made))
        other = replace(kick, key=kick.key ^ 1)
        seeds.append(log_mel_distance(made, other.render(level=False)))
        progress("resynthesis", done + 1, len(recordings))
    return float(np.median(distances)), float(np.median(seeds))
