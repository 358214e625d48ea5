"""What a student of another separator is trained on: the teacher's stems, mixed with the true ones.

The teacher runs in the engine, without torch, on each batch when it is rendered; nothing is cached. The
target is ``(1 - weight) * truth + weight * teacher``. A squared error against it has the gradient of the two
squared errors in these parts, and costs one pass.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import AudioReader, read_audio, resample
from neurdsp.drumsep.bandsplit.recipe import Recipe
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.drumsep.data.bank import Bank
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.drumsep.options import Tier
from neurdsp.errors import ParameterError
from neurdsp.training.run_folder import file_fingerprint

__all__ = ["Recordings", "TaughtTask", "Teacher"]

Array = NDArray[np.float32]
_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff")


class Teacher:
    """A separator whose stems a student learns.

    Parameters
    ----------
    separator
        Any separator that has the student's stems.
    stems
        The student's stems.
    sample_rate
        Of the student, in Hz.
    tier
        Of a teacher that sees chunks; ``fast`` by default.

    Raises
    ------
    ParameterError
        If the teacher lacks a stem, or cannot have the tier.
    """

    def __init__(
        self,
        separator: DrumSeparator,
        stems: Sequence[str],
        *,
        sample_rate: int,
        tier: Tier | None = None,
    ) -> None:
        missing = [stem for stem in stems if stem not in separator.stems]
        if missing:
            raise ParameterError(
                f"'{separator.path}' gives no {', '.join(missing)}, but the student has such stems; take a "
                f"teacher that gives {', '.join(stems)}, or set model.stems"
            )
        self._separator, self._stems, self._rate = separator, tuple(stems), sample_rate
        self._tier: Tier = tier or ("draft" if separator.streams else "fast")
        self.path = separator.path
        self.fingerprint = f"{file_fingerprint(self.path)}-{self._tier}"

    def stems_of(self, mixture: Array) -> Array:
        """Return the stems of ``(channels, n_samples)`` and what is left, ``(n_stems + 1, …)``."""
        found = self._separator.separate(
            mixture, self._rate, stems=self._stems, tier=self._tier, threads=1 if self._streams else None
        )
        stems = np.stack([found[stem] for stem in self._stems])
        left: Array = mixture - stems.sum(axis=0)
        return np.concatenate([stems, left[None]])

    @property
    def _streams(self) -> bool:
        return self._separator.streams


class Recordings:
    """Windows of recordings whose stems are not known.

    Parameters
    ----------
    folder
        Searched with its subfolders.
    sample_rate
        Of the windows, in Hz.

    Raises
    ------
    ParameterError
        If there is no recording.
    """

    def __init__(self, folder: str | os.PathLike[str], *, sample_rate: int) -> None:
        self.files = [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in _SUFFIXES]
        if not self.files:
            raise ParameterError(
                f"'{folder}' holds no recordings; give a folder with files of {', '.join(_SUFFIXES)}"
            )
        self._rate = sample_rate
        self._seconds = []
        for path in self.files:
            with AudioReader(path) as reader:
                self._seconds.append(reader.info.duration_s)
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        self.fingerprint = digest.hexdigest()

    def window(self, rng: np.random.Generator, n_samples: int, channels: int) -> Array:
        """Return a window ``(channels, n_samples)``; long recordings come up more often."""
        lengths = np.array(self._seconds) + 1e-9
        index = int(rng.choice(len(self.files), p=lengths / lengths.sum()))
        seconds = n_samples / self._rate
        begin = rng.uniform(0, max(self._seconds[index] - seconds, 0.0))
        audio, rate = read_audio(self.files[index], offset=begin, duration=seconds + 0.01)
        rows = np.atleast_2d(audio)
        if channels == 1 or len(rows) > 2:
            rows = rows.mean(axis=0, keepdims=True)
        if rate != self._rate:
            rows = np.atleast_2d(resample(rows, rate, self._rate))
        window = np.zeros((channels, n_samples), np.float32)
        part = rows[:, :n_samples]
        window[:, : part.shape[1]] = part
        return window


class TaughtTask(SeparationTask):
    """Training of a student: as without a teacher, with other targets.

    Parameters
    ----------
    bank, recipe, more
        As for `SeparationTask`. ``loss.teacher`` is the teacher's part of the target, ``data.unlabelled`` the
        part of the steps that hear recordings without true stems.
    teacher
        The teacher.
    recordings
        Recordings without true stems; their targets are the teacher's alone.
    """

    def __init__(
        self, bank: Bank, recipe: Recipe, teacher: Teacher, recordings: Recordings | None = None, **more: Any
    ) -> None:
        super().__init__(bank, recipe, **more)
        self._teacher, self._recordings = teacher, recordings

    def batch(self, number: int) -> tuple[Array, Array]:
        """Return targets and mixtures, as `SeparationTask.batch` does."""
        stems, mixtures = super().batch(number)
        recipe = self._recipe
        weight = np.float32(recipe.loss.teacher)
        rng = np.random.default_rng([recipe.training.seed, number, 1])
        if self._recordings is not None and rng.random() < recipe.data.unlabelled:
            _, channels, n_samples = mixtures.shape
            mixtures = np.stack([self._recordings.window(rng, n_samples, channels) for _ in mixtures])
            return np.stack([self._teacher.stems_of(mixture) for mixture in mixtures]), mixtures
        if weight == 0:
            return stems, mixtures
        taught = np.stack([self._teacher.stems_of(mixture) for mixture in mixtures])
        return (1 - weight) * stems + weight * taught, mixtures
