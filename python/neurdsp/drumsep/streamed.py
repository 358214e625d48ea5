"""A band-split network as a separator runs it: a stream, for whole recordings or live."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.audio import FloatArray, check_audio
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.demix import Stems
from neurdsp.drumsep.options import Options
from neurdsp.drumsep.passes import Stretches
from neurdsp.drumsep.sources import Source
from neurdsp.errors import ParameterError
from neurdsp.modelfile.files import read

__all__ = ["DrumStream", "StreamedNetwork"]

#: Samples that the engine gets at a time; the result does not depend on it.
_BLOCK = 1 << 14


class StreamedNetwork:
    """A network that hears a recording once, from its start to its end.

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

    def __init__(self, path: Path, config: BandSplitConfig) -> None:
        self._path, self.config = path, config
        self.stems, self.sample_rate, self.channels = config.stems, config.sample_rate, 2
        self._opened: _core.BandSplit | None = None
        self._lock = Lock()

    def check(self, options: Options) -> None:
        """Refuse options that this network cannot have.

        Raises
        ------
        ParameterError
            If there is such an option.
        """
        if options.tier not in (None, "draft"):
            raise ParameterError(
                f"tier is '{options.tier}', but '{self._path}' streams, which is tier 'draft'; the other "
                "tiers need an MDX23C network"
            )
        for name, allowed in {
            "overlap": (None,),
            "batch_size": (None,),
            "precision": (None, "float32"),
            "backend": ("engine",),
            "compat": ("msst",),
        }.items():
            value = getattr(options, name)
            if value not in allowed:
                raise ParameterError(
                    f"{name} is {value!r}, but '{self._path}' streams in the engine and has no such choice; "
                    "leave it out"
                )

    def open(self, options: Options) -> _core.BandSplit:
        """Return the network in the engine, the same for all options."""
        del options
        with self._lock:
            if self._opened is None:
                file = read(self._path)
                weights = {key: value for key, value in file.tensors.items() if not key.startswith("parity.")}
                self._opened = _core.BandSplit(file.metadata, weights)
            return self._opened

    def stretches(
        self, source: Source, options: Options, progress: Callable[[int, int], None] | None
    ) -> Stretches:
        """Return what maps the recording, at the rate of the network, to its stems, without latency.

        Parameters
        ----------
        source
            The recording.
        options
            Checked.
        progress
            Called after each stretch with the number of samples that are done and of all.
        """
        n_own = round(source.n_samples * self.sample_rate / source.sample_rate)

        def run(blocks: Iterable[FloatArray]) -> Iterator[Stems]:
            stream, done = self.open(options).stream(), 0
            late = stream.latency
            end = np.zeros((self.channels, late), np.float32)
            for block in _cut(blocks, end):
                stems = stream.process(block)[: len(self.stems)]
                begin = min(late, block.shape[1])
                late -= begin
                done += block.shape[1] - begin
                yield stems[..., begin:]
                if progress is not None:
                    # The header of a file may be wrong about its length.
                    progress(done, max(done, n_own))

        return run


def _cut(blocks: Iterable[FloatArray], end: FloatArray) -> Iterator[FloatArray]:
    """Yield blocks that are not too long, and the end."""
    for block in chain(blocks, [end]):
        for start in range(0, block.shape[1], _BLOCK):
            yield np.ascontiguousarray(block[:, start : start + _BLOCK], dtype=np.float32)


class DrumStream:
    """Separates a recording as it comes in, block by block. Made by `DrumSeparator.stream`.

    The stems are those of `DrumSeparator.separate` at the rate of the network, late by `latency` samples, for
    blocks of any length.

    Parameters
    ----------
    network
        An opened network.
    names
        Names of its outputs.
    sample_rate
        In Hz.

    Attributes
    ----------
    sample_rate : int
        In Hz, that of all blocks.
    outputs : tuple of str
        The stems, and ``residual`` for what is in none of them.

    Examples
    --------
    >>> stream = DrumSeparator.load("draft").stream()  # doctest: +SKIP
    >>> stream.process(np.zeros(64, np.float32))["kick"].shape  # doctest: +SKIP
    (64,)
    """

    def __init__(self, network: _core.BandSplit, names: tuple[str, ...], sample_rate: int) -> None:
        self._stream = network.stream()
        self.outputs, self.sample_rate = names, sample_rate

    @property
    def latency(self) -> int:
        """By how many samples the outputs lag behind what comes in."""
        return self._stream.latency

    def process(self, block: npt.ArrayLike) -> dict[str, FloatArray]:
        """Separate the next samples.

        Parameters
        ----------
        block
            ``(n_samples,)``, or ``(channels, n_samples)`` with one or two channels, at `sample_rate`. A mono
            block is one with two equal channels. It may be empty.

        Returns
        -------
        dict
            An array of the shape of the block for each of `outputs`; they sum to what came in `latency`
            samples before.

        Raises
        ------
        ParameterError
            If the block has more than two channels, whole numbers, or values that are not finite.
        """
        samples = np.asarray(block)
        if samples.size or samples.ndim not in (1, 2):
            samples = check_audio(samples, name="block")
        rows = np.atleast_2d(samples)
        if rows.shape[0] not in (1, 2):
            raise ParameterError(f"block has {rows.shape[0]} channels, but one or two can be separated")
        stereo = np.ascontiguousarray(np.broadcast_to(rows, (2, rows.shape[1])), dtype=np.float32)
        outputs = self._stream.process(stereo)[:, : rows.shape[0]]
        return {
            name: np.ascontiguousarray(output).reshape(samples.shape)
            for name, output in zip(self.outputs, outputs, strict=True)
        }

    def reset(self) -> None:
        """Begin a new recording."""
        self._stream.reset()
