"""Kicks by latent diffusion of mel spectrograms, as `KickGenerator` asks for them. Needs no torch."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.audio.resampling import resample
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.kick.attributes import WORDS
from neurdsp.kick.counted import kick_key
from neurdsp.kick.kick import check_range
from neurdsp.kick.reference import CEILING

__all__ = ["ARCHITECTURE", "DEFAULT_STEPS", "THRESHOLDS", "MelSampler", "levelled", "threshold_of"]

ARCHITECTURE = "kick.mel_diffusion"
DEFAULT_STEPS = 20
THRESHOLDS = "neurdsp.kick.thresholds"
"""The metadata with the thresholds of measured words over the training split, as JSON."""
_MEASURED = {word.name: word for word in WORDS}
_SAMPLER = "dpm-solver++"
_END_SAMPLES = 64


class MelSampler:
    """The engine of a `kick.mel_diffusion` file.

    Parameters
    ----------
    metadata, weights
        Of the file.
    config
        Its shapes and vocabulary.
    """

    def __init__(
        self,
        metadata: Mapping[str, str],
        weights: Mapping[str, NDArray[Any]],
        config: Mapping[str, Any],
    ) -> None:
        self._engine = _core.KickMel(dict(metadata), dict(weights))
        self._sample_rate = int(config["mel"]["sample_rate"])
        self.words: list[str] = [str(word) for word in config["keywords"]["words"]]
        self.thresholds = _thresholds(metadata.get(THRESHOLDS, "{}"))

    def generate(
        self,
        keywords: Sequence[str],
        negative: Sequence[str],
        *,
        n: int,
        seed: int,
        first: int,
        length: int | None,
        guidance: float,
        steps: int | None,
        sample_rate: int,
        threads: int,
    ) -> NDArray[np.float32]:
        """Return kicks ``(n, length)``, each peaking at -1 dBFS; the last 64 samples of a cut one fade to 0.

        Raises
        ------
        ParameterError
            If a value is out of range.
        """
        check_range("sample_rate", sample_rate, 8_000, 192_000)
        asked = [self.words.index(word) for word in keywords]
        unwanted = [self.words.index(word) for word in negative]
        count = DEFAULT_STEPS if steps is None else steps
        kicks = [
            levelled(
                self._engine.kick(
                    asked, unwanted, float(guidance), count, _SAMPLER, kick_key(seed, k), int(threads)
                ),
                self._sample_rate,
                sample_rate,
                length,
            )
            for k in range(first, first + n)
        ]
        default = 2 * sample_rate if length is None else length
        return np.stack(kicks) if kicks else np.zeros((0, default), np.float32)


def levelled(audio: NDArray[np.float32], from_hz: int, to_hz: int, length: int | None) -> NDArray[np.float32]:
    """Return a kick at another rate, ``length`` samples of it, with a peak of -1 dBFS and an end at 0.

    Raises
    ------
    ParameterError
        If it is shorter than that, or not finite.
    """
    if from_hz != to_hz:
        audio = resample(audio, from_hz, to_hz)
    wanted = len(audio) if length is None else length
    check_range("length", wanted, _END_SAMPLES, len(audio))
    audio = audio[:wanted] - np.float32(audio.mean())
    peak = float(np.abs(audio).max())
    if not np.isfinite(peak):
        raise ParameterError("the model makes values that are not finite; export or train it again")
    audio = audio * np.float32(CEILING / peak if peak > 0 else 1.0)
    audio[-_END_SAMPLES:] *= np.linspace(1, 0, _END_SAMPLES, dtype=np.float32)
    return audio


def threshold_of(word: str, at: Mapping[str, float]) -> tuple[str, int, float]:
    """Return quantity, side and threshold of a measured word."""
    return _MEASURED[word].quantity, _MEASURED[word].side, at[word]


def _thresholds(text: str) -> dict[str, float]:
    try:
        found = {str(word): float(at) for word, at in json.loads(text).items() if word in _MEASURED}
    except (ValueError, TypeError, AttributeError, RecursionError):
        found = {"": math.nan}
    if not all(map(math.isfinite, found.values())):
        raise ModelFileError(f"the metadata {THRESHOLDS!r} must be an object of finite numbers; export again")
    return found
