"""The part of ``neurdsp demo`` with kicks: eight of them, made from words, and their sheet."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurdsp.audio import write_audio

__all__ = ["KICK_FILES", "KicksReport", "run_kicks"]

_WORDS = (
    ("deep", "long"),
    ("deep", "punchy"),
    ("punchy", "short"),
    ("clicky", "bright"),
    ("soft", "dark"),
    ("distorted",),
    ("boomy",),
    ("noisy", "short"),
)
_NAMES = tuple(f"kick-{number}-{'-'.join(words)}" for number, words in enumerate(_WORDS, 1))
_RATE = 44_100
_SEED = 7

#: What is written beside the files of the amp, the drums and the beat.
KICK_FILES = (*(f"{name}.wav" for name in _NAMES), "kicks.png")


@dataclass(frozen=True, slots=True)
class KicksReport:
    """Figures of the kicks.

    Attributes
    ----------
    n_kicks : int
        How many were made.
    generate_ms : float
        CPU time of one, from the words to two seconds of audio, in the mean.
    """

    n_kicks: int
    generate_ms: float

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values as text."""
        return [("kicks", f"{self.n_kicks} made from words, {self.generate_ms:.1f} ms of CPU time each")]


def run_kicks(folder: Path) -> KicksReport | None:
    """Generate a kick for each of eight sets of words, and write `KICK_FILES`.

    Parameters
    ----------
    folder
        Where; it exists.

    Returns
    -------
    KicksReport or None
        None, and no files, if no generator ships with this build.

    Raises
    ------
    AudioFileError, OSError
        If a file cannot be written.
    """
    from neurdsp.kick.infer import KickGenerator
    from neurdsp.kick.lookup import DEFAULT_GENERATOR, shipped_generators
    from neurdsp.kick.sheet import draw_sheet

    if DEFAULT_GENERATOR not in shipped_generators():
        return None
    generator = KickGenerator.load()
    start_s = time.process_time()
    kicks = np.concatenate([generator.generate(words, seed=_SEED, sample_rate=_RATE) for words in _WORDS])
    generate_s = time.process_time() - start_s
    for name, kick in zip(_NAMES, kicks, strict=True):
        write_audio(folder / f"{name}.wav", kick, _RATE)
    draw_sheet(folder / "kicks.png", kicks, _RATE, [" ".join(words) for words in _WORDS])
    return KicksReport(len(kicks), 1e3 * generate_s / len(kicks))
