"""An MDX23C network as a separator runs it: chunk after chunk, in one of the engines."""

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import FloatArray
from neurdsp.drumsep.backends import Network, open_network
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.demix import Stems, demix
from neurdsp.drumsep.options import Options
from neurdsp.drumsep.passes import Stretches, deviation
from neurdsp.drumsep.sources import Source
from neurdsp.errors import ParameterError

__all__ = ["ChunkedNetwork"]

_Forward: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class ChunkedNetwork:
    """A network that sees a chunk of the recording at a time.

    Parameters
    ----------
    path
        The model file; its weights are loaded when they are first needed, or by `open`.
    config
        Its shape.

    Attributes
    ----------
    stems : tuple of str
        Names of the stems.
    sample_rate, channels : int
        What the network hears.
    """

    def __init__(self, path: Path, config: TfcTdfConfig) -> None:
        self._path, self.config = path, config
        self.stems, self.sample_rate, self.channels = config.stems, config.sample_rate, config.audio_channels
        self._opened: tuple[tuple[object, ...], Network] | None = None
        self._lock = Lock()

    def check(self, options: Options) -> None:
        """Refuse options that this network cannot have.

        Raises
        ------
        ParameterError
            If there is such an option.
        """
        if options.tier == "draft":
            raise ParameterError(
                f"tier is 'draft', but '{self._path}' is an MDX23C network; choose exact, balanced, fast or "
                "turbo, or leave the model out"
            )
        options.plan(self.config)

    def open(self, options: Options) -> Network:
        """Return the network in its engine; the last one that was opened is kept."""
        wanted = (options.backend, options.number_type, options.n_threads, options.device)
        with self._lock:
            if self._opened is None or self._opened[0] != wanted:
                self._opened = None  # two of them would need twice the memory
                network = open_network(
                    self._path,
                    backend=options.backend,
                    precision=options.number_type,
                    threads=options.n_threads,
                    device=options.device,
                )
                self._opened = wanted, network
            return self._opened[1]

    def stretches(
        self, source: Source, options: Options, progress: Callable[[int, int], None] | None
    ) -> Stretches:
        """Return what maps the recording, at the rate of the network, to its stems.

        Parameters
        ----------
        source
            The recording, of which a network may want to know the level before.
        options
            Checked.
        progress
            Called after each chunk with the number of chunks that are done and of all.
        """
        config, plan = self.config, options.plan(self.config)
        n_own = math.ceil(source.n_samples * config.sample_rate / source.sample_rate)
        done, total = 0, plan.n_chunks(max(n_own, 1))

        def on_chunk() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                # The header of a file may be wrong about its length.
                progress(done, max(done, total))

        opened = self.open(options)
        network: _Forward = opened.forward
        if config.normalize:
            network = _normalised(network, *deviation(source, config.sample_rate, config.audio_channels))

        def run(blocks: Iterable[FloatArray]) -> Iterator[Stems]:
            try:
                yield from demix(
                    network,
                    blocks,
                    plan,
                    len(self.stems),
                    batch_size=options.batch_size or config.batch_size,
                    on_chunk=on_chunk,
                )
            finally:
                opened.release()

        return run


def _normalised(network: _Forward, mean: float, scale: float) -> _Forward:
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
