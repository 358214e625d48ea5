"""Reading the true stems of a part of one recording."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurdsp.audio import FloatArray, read_audio
from neurdsp.drumsep.judge.evaluate import SUFFIXES
from neurdsp.errors import ParameterError

__all__ = ["read_truth"]


def read_truth(
    folder: Path,
    stems: Sequence[str],
    mixture: FloatArray,
    sample_rate: int,
    *,
    start_s: float = 0.0,
    seconds: float | None = None,
) -> dict[str, FloatArray]:
    """Return the true stems that a folder has, each of the shape of the recording.

    Parameters
    ----------
    folder
        With ``kick.wav`` and so on, or ``.flac`` or ``.mp3``.
    stems
        Names of the stems; files for some of them are enough.
    mixture
        The part of the recording. A shorter stem ends in silence; one of one channel is in all channels.
    sample_rate
        Of the recording, in Hz; the stems must have it too.
    start_s, seconds
        The part, as it was read.

    Raises
    ------
    ParameterError
        If the folder has none of the stems, or one has another rate or other channels.
    AudioFileError
        If a file cannot be read, or ends before the part begins.
    """
    found: dict[str, FloatArray] = {}
    for name in stems:
        paths = [path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
        if not paths:
            continue
        audio, rate = read_audio(paths[0], offset=start_s, duration=seconds)
        if rate != sample_rate:
            raise ParameterError(
                f"'{paths[0]}' has {rate} Hz, but the recording {sample_rate}; resample one of them"
            )
        rows, wanted = np.atleast_2d(audio), np.atleast_2d(mixture)
        if len(rows) not in (1, len(wanted)):
            raise ParameterError(
                f"'{paths[0]}' has {len(rows)} channels, but the recording {len(wanted)}; give as many"
            )
        whole = np.zeros(wanted.shape, np.float32)
        n_samples = min(rows.shape[-1], wanted.shape[-1])
        whole[:, :n_samples] = rows[:, :n_samples]
        found[name] = whole.reshape(mixture.shape)
    if not found:
        raise ParameterError(
            f"'{folder}' has none of the files {', '.join(f'{name}.wav' for name in stems)}; give the folder "
            "that holds the true stems of this recording"
        )
    return found
