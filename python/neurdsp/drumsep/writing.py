"""Stems as audio files: all of a recording appear under their names when all are complete."""

import contextlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from neurdsp.audio import AudioWriter
from neurdsp.drumsep.demix import Stems
from neurdsp.errors import ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = ["FORMATS", "StemFormat", "Written", "check_gain", "file_names", "write_stems"]

StemFormat = Literal["float", "wav24", "wav16", "flac"]
"""Format of stems in files."""

#: Suffix, and sample format as libsndfile names it.
FORMATS: dict[StemFormat, tuple[str, str]] = {
    "float": (".wav", "FLOAT"),
    "wav24": (".wav", "PCM_24"),
    "wav16": (".wav", "PCM_16"),
    "flac": (".flac", "PCM_24"),
}

_MAX_GAIN_DB = 60.0


@dataclass(frozen=True)
class Written:
    """What was written of a recording.

    Attributes
    ----------
    n_samples
        Length in samples.
    peaks_db
        Peak of each stem in dBFS by its name, before any clipping; ``-inf`` for a silent one.
    clipped
        Samples beyond full scale by the name of the stem, in a format that cannot hold them.
    """

    n_samples: int
    peaks_db: dict[str, float]
    clipped: dict[str, int]

    @property
    def warning(self) -> str | None:
        """What was lost to full scale, and what to do about it; or None."""
        if not any(self.clipped.values()):
            return None
        loudest = max(self.peaks_db.values())
        names = ", ".join(f"{name} {n:,}" for name, n in self.clipped.items() if n)
        return (
            f"samples beyond full scale were clipped ({names}; the peak is {loudest:+.1f} dB); take the "
            f"format float, or a gain of {math.floor(-10 * loudest) / 10:.1f} dB for all stems"
        )


def check_gain(gain_db: float) -> float:
    """Return the factor of a gain in dB.

    Raises
    ------
    ParameterError
        If it is no number of -60 to 60.
    """
    if not isinstance(gain_db, int | float) or not -_MAX_GAIN_DB <= gain_db <= _MAX_GAIN_DB:
        raise ParameterError(
            f"gain_db is {gain_db!r}, but must be from -{_MAX_GAIN_DB:g} to {_MAX_GAIN_DB:g}"
        )
    return float(10 ** (gain_db / 20))


def file_names(names: Sequence[str], kind: StemFormat) -> dict[str, str]:
    """Return the file name of each stem.

    Names come from model files: what could lead out of the folder is replaced.

    Raises
    ------
    ParameterError
        If there is no such format.

    Examples
    --------
    >>> file_names(["kick", "../x"], "float")
    {'kick': 'kick.wav', '../x': '_.._x.wav'}
    """
    if kind not in FORMATS:
        raise ParameterError(f"format is {kind!r}, but must be one of {', '.join(FORMATS)}")
    suffix, taken, found = FORMATS[kind][0], set[str](), dict[str, str]()
    for name in names:
        safe = re.sub(r"[^\w.+ -]", "_", name)[:64].strip()
        safe = f"_{safe}" if safe.startswith(".") or not safe else safe
        while safe.casefold() in taken:
            safe += "_"
        taken.add(safe.casefold())
        found[name] = safe + suffix
    return found


def write_stems(
    stretches: Iterable[Stems],
    targets: dict[str, Path],
    *,
    sample_rate: int,
    channels: int,
    kind: StemFormat,
    gain: float = 1.0,
    expected_samples: int = 0,
) -> Written:
    """Write stems to files.

    Parameters
    ----------
    stretches
        Consecutive stretches ``(n_stems, channels, n)``.
    targets
        The file of each stem, in their order. If anything fails, none of them is written.
    sample_rate, channels
        Of the stems.
    kind
        The format. PCM formats clip at full scale; how much is counted.
    gain
        Factor of all stems alike.
    expected_samples
        About how many there will be: a WAV file above 4 GiB needs another header (RF64).

    Returns
    -------
    Written
        Length, peaks and what was clipped.

    Raises
    ------
    AudioFileError
        If a file cannot be written.
    """
    subtype = FORMATS[kind][1]
    peaks, clipped = np.zeros(len(targets)), np.zeros(len(targets), np.int64)
    n_samples = 0
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                AudioWriter(
                    path, sample_rate, channels=channels, subtype=subtype, expected_samples=expected_samples
                )
            )
            for path in targets.values()
        ]
        for stretch in stretches:
            scaled = stretch if gain == 1 else stretch * np.float32(gain)
            n_samples += scaled.shape[2]
            for index, (writer, stem) in enumerate(zip(writers, scaled, strict=True)):
                peak = float(max(stem.max(), -stem.min()))
                peaks[index] = max(peaks[index], peak)
                if peak > 1 and subtype != "FLOAT":
                    clipped[index] += np.count_nonzero(np.abs(stem) > 1)
                writer.write(stem)
    return Written(
        n_samples,
        {name: amplitude_to_db(float(peak)) for name, peak in zip(targets, peaks, strict=True)},
        {name: int(n) for name, n in zip(targets, clipped, strict=True)},
    )
