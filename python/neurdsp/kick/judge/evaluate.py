"""The evaluation of a generator: words, hygiene, and distance to recordings, with the floors beside."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick.attributes import QUANTITIES, WORDS, measure_all
from neurdsp.kick.infer import KickGenerator
from neurdsp.kick.judge.figures import Hygiene, hygiene, log_mel_distance

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Distances", "Evaluation", "evaluate", "read_recordings"]

_NAMES = [quantity.name for quantity in QUANTITIES]


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
        How often each word holds when it is asked for.
    pairs
        How often both of two words hold, and each of them.
    hygiene, floor_hygiene
        Of generated kicks, and of the recordings.
    distances
        By set: generated kicks, and the floors.
    resynthesis_nats, seeds_nats
        Median distance of recordings to their fitted codes, and of two seeds of one code.
    n_kicks, n_recordings
        How many were judged.
    """

    words: dict[str, float]
    pairs: float
    hygiene: Hygiene
    floor_hygiene: Hygiene | None
    distances: dict[str, Distances]
    resynthesis_nats: float | None
    seeds_nats: float | None
    n_kicks: int
    n_recordings: int

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
    words = {}
    for done, word in enumerate(generator.keywords):
        audio = generator.generate([word], n=per_word, seed=seed + done)
        words[word] = float(_holds(generator, audio, word).mean())
        progress("words", done + 1, len(generator.keywords))
    pairs = _pairs(generator, seed, max(20, per_word))
    each = -(-n_kicks // len(generator.keywords))
    audio = np.concatenate(
        [generator.generate([word], n=each, seed=seed + 1000) for word in generator.keywords]
    )[:n_kicks]
    found: dict[str, Distances] = {}
    if distances and recordings is not None:
        found = _distances(audio, recordings, training, progress)
    fitted, seeds = (None, None) if recordings is None else _resynthesis(generator, recordings, progress)
    return Evaluation(
        words,
        pairs,
        hygiene(audio),
        None if recordings is None else hygiene(recordings),
        found,
        fitted,
        seeds,
        len(audio),
        0 if recordings is None else len(recordings),
    )


def _holds(generator: KickGenerator, audio: NDArray[np.float32], word: str) -> NDArray[np.bool_]:
    name, side, at = generator.threshold(word)
    return side * (measure_all(audio)[:, _NAMES.index(name)] - at) > 0


def _pairs(generator: KickGenerator, seed: int, n: int) -> float:
    """Return how often words hold that are asked for in twos, if they do not contradict each other."""
    draw = np.random.default_rng(seed)
    known = [word for word in WORDS if word.name in generator.keywords]
    held: list[bool] = []
    while len(held) < n:
        a, b = (known[int(k)] for k in draw.choice(len(known), 2, replace=False))
        if a.quantity == b.quantity or {a.quantity, b.quantity} in _RELATED:
            continue
        audio = generator.generate([a.name, b.name], n=1, seed=seed + 5000 + len(held))
        held.append(np.mean([_holds(generator, audio, word.name)[0] for word in (a, b)]))
    return float(np.mean(held))


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
