"""Separating drum recordings. Needs no torch."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.audio import FloatArray, check_audio, check_sample_rate, resample
from neurdsp.config import build
from neurdsp.drumsep.config import Compatibility, TfcTdfConfig
from neurdsp.drumsep.demix import Plan, demix
from neurdsp.drumsep.export import ARCHITECTURE
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile.files import read

__all__ = ["TIERS", "DrumSeparator", "Tier"]

Tier = Literal["exact", "balanced", "fast"]

#: What each tier costs: the number of chunks that cover a sample; one, faded over a tenth, for ``fast``.
TIERS: dict[Tier, int] = {"exact": 8, "balanced": 2, "fast": 1}

RESIDUAL = "residual"


class DrumSeparator:
    """Takes a drum recording apart into stems.

    Made by `load`.

    Attributes
    ----------
    config : TfcTdfConfig
        The shape of the network.

    Examples
    --------
    >>> separator = DrumSeparator.load("drumsep.safetensors")  # doctest: +SKIP
    >>> stems = separator.separate(audio, 44_100)  # doctest: +SKIP
    >>> sorted(stems)  # doctest: +SKIP
    ['cymbals', 'hihat', 'kick', 'snare', 'toms']
    """

    def __init__(self, network: _core.TfcTdf, config: TfcTdfConfig) -> None:
        self._network, self.config = network, config

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a network.

        Parameters
        ----------
        path
            A model file, as `neurdsp.drumsep.export.convert_checkpoint` writes it.

        Raises
        ------
        ModelFileError
            If the file cannot be read or is damaged.
        UnsupportedModelError
            If it holds another kind of model.
        """
        file = read(Path(path))
        if file.architecture != ARCHITECTURE:
            raise UnsupportedModelError(
                f"'{path}' holds {file.architecture}, but a separator is {ARCHITECTURE}; convert the "
                "checkpoint of an MDX23C network"
            )
        weights = {name: tensor for name, tensor in file.tensors.items() if not name.startswith("parity.")}
        return cls(_core.TfcTdf(file.metadata, weights), build(TfcTdfConfig, file.config, source=str(path)))

    @property
    def stems(self) -> tuple[str, ...]:
        """The names of the stems, in the order of the network."""
        return self.config.stems

    def separate(
        self,
        audio: npt.ArrayLike,
        sample_rate: float,
        *,
        tier: Tier = "balanced",
        stems: Sequence[str] | None = None,
        residual: bool = False,
        overlap: int | None = None,
        compat: Compatibility = "msst",
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Separate a recording.

        Parameters
        ----------
        audio
            ``(n_samples,)`` or ``(channels, n_samples)`` with one or two channels. A mono recording goes to
            both channels of a stereo network, and its stems are the mean of both.
        sample_rate
            In Hz. Another rate than the network's is resampled, and the stems are resampled back.
        tier
            ``exact`` covers each sample with eight chunks, as the public programs do; ``balanced`` with two;
            ``fast`` with one, faded into the next over a tenth. The work goes down with the number.
        stems
            Names of the stems to return; all of them by default.
        residual
            Whether to return what is in no stem, as ``residual``: it and all stems sum to the recording.
        overlap
            Another number of chunks than the tier's.
        compat
            Whose chunks are used: those of ``msst``, or of ``audio-separator``, which are shorter and end in
            zeros.
        threads
            Number of threads; the result does not depend on it.
        progress
            Called after each chunk with the number of chunks that are done and of all.

        Returns
        -------
        dict
            Stems by name, float32, each of the shape and at the rate of ``audio``.

        Raises
        ------
        ParameterError
            If the audio is empty, not finite or has more than two channels, or a parameter is out of range.
        """
        samples = check_audio(audio)
        rate = check_sample_rate(sample_rate)
        wanted = self._wanted(stems)
        if threads < 1:
            raise ParameterError(f"threads is {threads}, but must be at least 1")
        plan = self._plan(tier, overlap, compat)
        mono = samples.ndim == 1
        channels = np.atleast_2d(samples)
        fitted = self._fitted(channels)
        own = float(self.config.sample_rate)
        if rate != own:
            fitted = np.stack([resample(channel, rate, own) for channel in fitted])
        done, total = 0, plan.n_chunks(fitted.shape[1])

        def on_chunk() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, total)

        def network(chunk: NDArray[np.float32]) -> NDArray[np.float32]:
            return self._network.forward(chunk, threads)

        parts = demix(network, fitted, plan, len(self.stems), on_chunk=on_chunk)
        separated = np.concatenate(list(parts), axis=2)
        results = {
            name: self._given_back(stem, channels.shape, rate)
            for name, stem in zip(self.stems, separated, strict=True)
        }
        if residual:
            results[RESIDUAL] = channels - np.sum(list(results.values()), axis=0, dtype=np.float32)
            wanted = [*wanted, RESIDUAL]
        return {name: results[name][0] if mono else results[name] for name in wanted}

    def _wanted(self, stems: Sequence[str] | None) -> list[str]:
        wanted = list(self.stems if stems is None else stems)
        unknown = [name for name in wanted if name not in self.stems]
        if unknown or not wanted:
            raise ParameterError(f"stems is {wanted}, but must name some of {', '.join(self.stems)}")
        return list(dict.fromkeys(wanted))

    def _plan(self, tier: Tier, overlap: int | None, compat: Compatibility) -> Plan:
        if tier not in TIERS:
            raise ParameterError(f"tier is {tier!r}, but must be one of {', '.join(TIERS)}")
        if compat not in ("msst", "audio-separator"):
            raise ParameterError(f"compat is {compat!r}, but must be msst or audio-separator")
        chunk, n_overlaps = self.config.chunk_for(compat), TIERS[tier] if overlap is None else overlap
        if compat == "audio-separator":
            if not 1 <= n_overlaps <= chunk:
                raise ParameterError(f"overlap is {n_overlaps}, but must be from 1 to {chunk}")
            return Plan(chunk, chunk // n_overlaps, 0, reflects=False)
        return Plan.one_pass(chunk) if n_overlaps == 1 else Plan.overlapping(chunk, n_overlaps)

    def _fitted(self, channels: FloatArray) -> FloatArray:
        """Return the recording with the channels of the network."""
        found, own = channels.shape[0], self.config.audio_channels
        if found > 2:
            raise ParameterError(
                f"the audio has {found} channels, but one or two can be separated; mix it down first, for "
                "instance audio[:2]"
            )
        if found == own:
            return channels
        if found == 1:
            return np.repeat(channels, own, axis=0)
        mono: FloatArray = channels.mean(axis=0, keepdims=True, dtype=np.float32)
        return mono

    def _given_back(self, stem: FloatArray, shape: tuple[int, ...], rate: float) -> FloatArray:
        """Return a stem with the channels, the rate and the length of the recording."""
        if shape[0] < stem.shape[0]:
            stem = stem.mean(axis=0, keepdims=True, dtype=np.float32)
        elif shape[0] > stem.shape[0]:
            stem = np.repeat(stem, shape[0], axis=0)
        own = float(self.config.sample_rate)
        if rate != own:
            stem = np.stack([resample(channel, own, rate) for channel in stem])
        missing = max(shape[1] - stem.shape[1], 0)
        return np.ascontiguousarray(np.pad(stem, ((0, 0), (0, missing)))[:, : shape[1]])
