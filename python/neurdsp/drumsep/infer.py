"""Separating drum recordings. Needs no torch."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.audio import FloatArray, check_audio, check_sample_rate
from neurdsp.config import build
from neurdsp.drumsep.config import Compatibility, TfcTdfConfig
from neurdsp.drumsep.demix import Stems, demix
from neurdsp.drumsep.export import ARCHITECTURE
from neurdsp.drumsep.lookup import find_network
from neurdsp.drumsep.passes import deviation, separated
from neurdsp.drumsep.sources import ArraySource, Source
from neurdsp.drumsep.tiers import Overlap, Tier, plan_of
from neurdsp.dsp.executors import n_cores
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile.files import read

__all__ = ["RESIDUAL", "DrumSeparator"]

#: The name of what is in no stem.
RESIDUAL = "residual"


class DrumSeparator:
    """Takes a drum recording apart into stems.

    Made by `load`.

    Attributes
    ----------
    path : Path
        The model file.
    config : TfcTdfConfig
        The shape of the network.

    Examples
    --------
    >>> separator = DrumSeparator.load("drumsep.safetensors")  # doctest: +SKIP
    >>> stems = separator.separate(audio, 44_100)  # doctest: +SKIP
    >>> sorted(stems)  # doctest: +SKIP
    ['cymbals', 'hihat', 'kick', 'snare', 'toms']
    """

    def __init__(self, network: _core.TfcTdf, config: TfcTdfConfig, path: Path) -> None:
        self._network, self.config, self.path = network, config, path

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str]) -> Self:
        """Load a network.

        Parameters
        ----------
        name_or_path
            A model file, as `neurdsp.drumsep.export.convert_checkpoint` writes it, or the name of a network
            that comes with neurdsp.

        Raises
        ------
        ModelFileError
            If the file cannot be read or is damaged.
        UnsupportedModelError
            If it holds another kind of model.
        """
        path = find_network(name_or_path)
        file = read(path)
        if file.architecture != ARCHITECTURE:
            raise UnsupportedModelError(
                f"'{path}' holds {file.architecture}, but a separator is {ARCHITECTURE}; convert the "
                "checkpoint of an MDX23C network"
            )
        weights = {name: tensor for name, tensor in file.tensors.items() if not name.startswith("parity.")}
        config = build(TfcTdfConfig, file.config, source=str(path))
        return cls(_core.TfcTdf(file.metadata, weights), config, path)

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
        overlap: Overlap | None = None,
        batch_size: int = 1,
        compat: Compatibility = "msst",
        threads: int | None = None,
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
            Another number of chunks than the tier's; ``config`` takes that of the network's own
            configuration.
        batch_size
            Chunks that the network gets at a time; no part of the result.
        compat
            Whose chunks are used: those of ``msst``, or of ``audio-separator``, which are shorter and end in
            zeros.
        threads
            Number of threads, by default that of the cores; the result does not depend on it.
        progress
            Called after each chunk with the number of chunks that are done and of all; an exception that it
            raises ends the work.

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
        source = ArraySource(np.atleast_2d(samples), check_sample_rate(sample_rate))
        names = self._wanted(stems) + ([RESIDUAL] if residual else [])
        results = np.empty((len(names), source.channels, source.n_samples), np.float32)
        position = 0
        for part in self._stretches(
            source,
            tier=tier,
            stems=stems,
            residual=residual,
            overlap=overlap,
            batch_size=batch_size,
            compat=compat,
            threads=threads,
            progress=progress,
        ):
            results[..., position : position + part.shape[2]] = part
            position += part.shape[2]
        results[..., position:] = 0
        return {
            name: stem.reshape(samples.shape) for name, stem in zip(names, results, strict=True)
        }

    def _stretches(
        self,
        source: Source,
        *,
        tier: Tier,
        stems: Sequence[str] | None,
        residual: bool,
        overlap: Overlap | None,
        batch_size: int,
        compat: Compatibility,
        threads: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[Stems]:
        """Yield stretches of the wanted stems, and of the residual after them."""
        wanted = [self.stems.index(name) for name in self._wanted(stems)]
        n_threads = n_cores() if threads is None else threads
        if n_threads < 1:
            raise ParameterError(f"threads is {threads}, but must be at least 1")
        config, plan = self.config, plan_of(self.config, tier, overlap, compat)
        n_own = -(-source.n_samples * config.sample_rate // int(source.sample_rate))
        done, total = 0, plan.n_chunks(max(n_own, 1))

        def on_chunk() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                # The header of a file may be wrong about its length.
                progress(done, max(done, total))

        def network(chunks: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.stack([self._network.forward(chunk, n_threads) for chunk in chunks])

        if config.normalize:
            network = _normalised(network, *deviation(source, config.sample_rate, config.audio_channels))

        def stretches(blocks: Iterable[FloatArray]) -> Iterator[Stems]:
            return demix(network, blocks, plan, len(self.stems), batch_size=batch_size, on_chunk=on_chunk)

        return separated(
            source,
            stretches,
            sample_rate=config.sample_rate,
            channels=config.audio_channels,
            wanted=wanted,
            residual=residual,
        )

    def _wanted(self, stems: Sequence[str] | None) -> list[str]:
        wanted = list(self.stems if stems is None else stems)
        unknown = [name for name in wanted if name not in self.stems]
        if unknown or not wanted:
            raise ParameterError(f"stems is {wanted}, but must name some of {', '.join(self.stems)}")
        return list(dict.fromkeys(wanted))


def _normalised(
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]], mean: float, scale: float
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a network that hears the recording at unit deviation and without its mean.

    The stems get the level of the recording back, but not its mean: added to each of them, it would be there
    several times.
    """
    if scale == 0:
        return network

    def run(chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        stems = network((chunks - np.float32(mean)) / np.float32(scale))
        return stems * np.float32(scale)

    return run
