"""Judging a separator by true stems: SDR, SIR and SAR, beside what the mixture and ideal masks score."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import read_audio, resample
from neurdsp.dependencies import require
from neurdsp.drumsep.judge.bound import ideal_mask_stems
from neurdsp.drumsep.judge.ratios import SILENT_DB, level_db, sdr_db
from neurdsp.errors import ParameterError

__all__ = ["SUFFIXES", "ClipScores", "Evaluation", "StemScores", "evaluate", "find_clips"]

SUFFIXES = (".wav", ".flac", ".mp3")
"""Endings of the files of stems."""

_FILTER_SAMPLES = 512
Array = NDArray[np.float32]
Separate = Callable[[Array, int], Mapping[str, Array]]
"""From audio ``(channels, n_samples)`` and its rate to stems by name."""


@dataclass(frozen=True)
class StemScores:
    """Figures of one stem of one recording, in dB.

    Parameters
    ----------
    sdr_db
        Energy of the stem over that of the error.
    mixture_sdr_db
        The same, if the mixture is taken for the stem.
    ideal_mask_sdr_db
        The same for an ideal real mask at the transform of the live network.
    sir_db, sar_db
        Interference and artefacts by BSS Eval, with filters of 512 samples; None if they were not asked for.
    """

    sdr_db: float
    mixture_sdr_db: float
    ideal_mask_sdr_db: float
    sir_db: float | None = None
    sar_db: float | None = None


@dataclass(frozen=True)
class ClipScores:
    """Figures of one recording: its stems, without those below `SILENT_DB`, and its duration."""

    name: str
    duration_s: float
    stems: Mapping[str, StemScores]


@dataclass(frozen=True)
class Evaluation:
    """Figures of all recordings."""

    clips: Sequence[ClipScores]

    def means(self) -> dict[str, StemScores]:
        """Return the mean of each stem over the recordings in which it sounds."""
        names = list(dict.fromkeys(name for clip in self.clips for name in clip.stems))
        return {
            name: _mean([clip.stems[name] for clip in self.clips if name in clip.stems]) for name in names
        }

    def to_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        return {
            "clips": [
                {
                    "name": clip.name,
                    "duration_s": clip.duration_s,
                    "stems": {name: vars(scores) for name, scores in clip.stems.items()},
                }
                for clip in self.clips
            ],
            "means": {name: vars(scores) for name, scores in self.means().items()},
        }


def _mean(scores: Sequence[StemScores]) -> StemScores:
    def of(values: Sequence[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return sum(numbers) / len(numbers) if numbers else None

    count = len(scores)
    return StemScores(
        math.fsum(one.sdr_db for one in scores) / count,
        math.fsum(one.mixture_sdr_db for one in scores) / count,
        math.fsum(one.ideal_mask_sdr_db for one in scores) / count,
        of([one.sir_db for one in scores]),
        of([one.sar_db for one in scores]),
    )


def find_clips(folder: str | os.PathLike[str], stems: Sequence[str]) -> list[tuple[str, dict[str, Path]]]:
    """Return the recordings below a folder: those of its folders that hold a file for each stem.

    Raises
    ------
    ParameterError
        If there is none, or one lacks a stem; the message names it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ParameterError(f"'{root}' is no folder; give one with folders of true stems in it")
    clips = []
    for inside in sorted(path for path in (root, *root.iterdir()) if path.is_dir()):
        found = {
            stem: path
            for stem in stems
            for suffix in SUFFIXES
            if (path := inside / f"{stem}{suffix}").is_file()
        }
        missing = [stem for stem in stems if stem not in found]
        if found and missing:
            raise ParameterError(
                f"'{inside}' has no {missing[0]}{'/'.join(('', *SUFFIXES))[1:]}; give a file for each of "
                f"{', '.join(stems)}"
            )
        if found:
            clips.append((inside.name, found))
    if not clips:
        raise ParameterError(
            f"no folder in '{root}' has the files {', '.join(f'{stem}.wav' for stem in stems)}; give the "
            "folder above those of the recordings"
        )
    return clips


def evaluate(
    separate: Separate,
    folder: str | os.PathLike[str],
    *,
    stems: Sequence[str],
    bss_eval: bool = False,
    progress: Callable[[str], None] = lambda _name: None,
) -> Evaluation:
    """Separate the sum of true stems, and compare.

    Parameters
    ----------
    separate
        The separator.
    folder
        ``NAME/STEM.wav``, or ``.flac`` or ``.mp3``, for each recording and stem. The mixture is the sum of
        the stems.
    stems
        Names of the stems.
    bss_eval
        Whether to compute SIR and SAR, too, which takes longer than most separators.
    progress
        Called with the name of each recording before it is separated.

    Returns
    -------
    Evaluation

    Raises
    ------
    MissingDependencyError
        If ``bss_eval`` is given and fast-bss-eval is not installed.
    ParameterError
        If the folder holds no recordings, or stems of one differ in their rate.
    AudioFileError
        If a file cannot be read.
    """
    if bss_eval:
        require("fast_bss_eval", extra="evaluate", purpose="--bss-eval")
    clips = find_clips(folder, stems)
    return Evaluation([_judge(separate, name, files, bss_eval, progress) for name, files in clips])


def _judge(
    separate: Separate, name: str, files: Mapping[str, Path], bss_eval: bool, progress: Callable[[str], None]
) -> ClipScores:
    progress(name)
    truth, sample_rate = _read(files)
    mixture = truth.sum(axis=0)
    found = separate(mixture, sample_rate)
    bound = ideal_mask_stems(truth)
    sounding = [index for index in range(len(files)) if level_db(truth[index]) >= SILENT_DB]
    names = list(files)
    estimates = {index: np.asarray(found[names[index]], np.float32) for index in sounding}
    extra = _bss_eval(truth, estimates) if bss_eval and sounding else {}
    scores = {
        names[index]: StemScores(
            sdr_db(truth[index], estimates[index]),
            sdr_db(truth[index], mixture),
            sdr_db(truth[index], bound[index]),
            *extra.get(index, (None, None)),
        )
        for index in sounding
    }
    return ClipScores(name, truth.shape[-1] / sample_rate, scores)


def _read(files: Mapping[str, Path]) -> tuple[Array, int]:
    """Return the stems of a recording, ``(n_stems, channels, n_samples)``; a shorter one ends in silence."""
    read = {path: read_audio(path) for path in files.values()}
    rates = {rate for _, rate in read.values()}
    if len(rates) > 1:
        first = next(iter(files.values()))
        raise ParameterError(
            f"the stems beside '{first}' have the sample rates {', '.join(map(str, sorted(rates)))}; give "
            "them all one rate"
        )
    blocks = [np.atleast_2d(audio) for audio, _ in read.values()]
    channels, n_samples = max(len(one) for one in blocks), max(one.shape[-1] for one in blocks)
    stems = np.zeros((len(blocks), channels, n_samples), np.float32)
    for stem, one in zip(stems, blocks, strict=True):
        stem[:, : one.shape[-1]] = one
    return stems, int(rates.pop())


def _bss_eval(truth: Array, found: Mapping[int, Array]) -> dict[int, tuple[float, float]]:
    """Return SIR and SAR by stem, means over the channels."""
    import fast_bss_eval

    order = list(found)
    sums = np.zeros((2, len(order)))
    channels = truth.shape[1]
    for channel in range(channels):
        references = np.stack([truth[index, channel] for index in order]).astype(np.float64)
        estimates = np.stack([found[index][channel] for index in order]).astype(np.float64)
        # A whisper of noise keeps the equations of a channel that is silent solvable.
        noise = np.random.default_rng(0).standard_normal(references.shape) * 1e-7
        # By conjugate gradients: the direct solution of fast-bss-eval 0.1.4 fails with numpy 2.
        _, sir, sar = fast_bss_eval.bss_eval_sources(
            references + noise,
            estimates + noise,
            filter_length=_FILTER_SAMPLES,
            use_cg_iter=30,
            compute_permutation=False,
        )
        sums += np.stack([sir, sar]) / channels
    return {index: (float(sums[0, k]), float(sums[1, k])) for k, index in enumerate(order)}


def at_rate(separate: Callable[[Array], Mapping[str, Array]], wanted_hz: int) -> Separate:
    """Return a separator for any rate from one for a single rate."""

    def run(audio: Array, sample_rate: int) -> Mapping[str, Array]:
        if sample_rate == wanted_hz:
            return separate(audio)
        there = np.asarray(resample(audio, sample_rate, wanted_hz), np.float32)
        n_samples = audio.shape[-1]
        return {
            name: _fit(resample(stem, wanted_hz, sample_rate), n_samples)
            for name, stem in separate(there).items()
        }

    return run


def _fit(audio: Any, n_samples: int) -> Array:
    stem = np.zeros((len(audio), n_samples), np.float32)
    stem[:, : min(n_samples, audio.shape[-1])] = audio[:, :n_samples]
    return stem
