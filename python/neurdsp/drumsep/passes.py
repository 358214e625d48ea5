"""One pass over a recording: its channels and rate become the network's, and its stems come back in its own.

All of it rolls: blocks go in, stretches of stems come out, and what is held does not grow. A recording in
memory goes the same way as a file, so both give the same bits.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from neurdsp.audio import FloatArray, StreamResampler
from neurdsp.drumsep.demix import Stems
from neurdsp.drumsep.sources import Source
from neurdsp.drumsep.tape import Tape

__all__ = ["Stretches", "deviation", "separated"]

Stretches = Callable[[Iterable[FloatArray]], Iterator[Stems]]
"""Maps blocks ``(channels, n)`` to consecutive stretches of all stems ``(n_stems, channels, m)`` that are as
long in all."""


def separated(
    source: Source,
    stretches: Stretches,
    *,
    sample_rate: float,
    channels: int,
    wanted: Sequence[int],
    residual: bool,
) -> Iterator[Stems]:
    """Separate a recording.

    Parameters
    ----------
    source
        The recording.
    stretches
        The network.
    sample_rate, channels
        Those of the network.
    wanted
        Indices of the stems to give.
    residual
        Whether to give, after them, what is in no stem of the network.

    Yields
    ------
    ndarray
        Consecutive stretches ``(n_wanted, source.channels, n)``, with the residual one more; together as long
        as the recording.
    """
    heard = _Heard(source, keep=residual)
    rate, own = float(source.sample_rate), float(sample_rate)
    # The residual needs all stems.
    taken = slice(None) if residual else list(wanted)
    given = _as_given(
        (stretch[taken] for stretch in stretches(_fitted(heard, rate, own, channels))),
        source.channels,
        own,
        rate,
    )
    done = 0
    for stretch in given:
        # The way to another rate and back may end in one sample more.
        part = stretch[..., : heard.n_samples - done]
        n = part.shape[2]
        if residual:
            rest = heard.take(n) - np.sum(part, axis=0, dtype=np.float32)
            part = np.concatenate([part[list(wanted)], rest[np.newaxis]])
        done += n
        if n:
            yield part


def deviation(source: Source, sample_rate: float, channels: int) -> tuple[float, float]:
    """Return mean and standard deviation of a recording's mono mix, at the rate of the network."""
    n, total, squares = 0, 0.0, 0.0
    for block in _fitted(source.blocks(), float(source.sample_rate), float(sample_rate), channels):
        mono = block.mean(axis=0, dtype=np.float64)
        n += mono.size
        total += float(mono.sum())
        squares += float(np.dot(mono, mono))
    mean = total / max(n, 1)
    return mean, float(np.sqrt(max(squares / max(n, 1) - mean * mean, 0.0)))


class _Heard:
    """The blocks of a source, counted, and kept until they are taken."""

    def __init__(self, source: Source, *, keep: bool) -> None:
        self._source, self._kept = source, Tape(()) if keep else None
        self._taken = self.n_samples = 0

    def __iter__(self) -> Iterator[FloatArray]:
        for block in self._source.blocks():
            self.n_samples += block.shape[1]
            if self._kept is not None:
                self._kept.append(block)
            yield block

    def take(self, n: int) -> FloatArray:
        """Return the next samples."""
        assert self._kept is not None
        part = self._kept.part(self._taken, self._taken + n)
        self._taken += n
        self._kept.forget(self._taken)
        return part


def _fitted(
    blocks: Iterable[FloatArray], rate: float, own_rate: float, channels: int
) -> Iterator[FloatArray]:
    """Yield a recording with the channels and the rate of the network."""
    resamplers = [StreamResampler(rate, own_rate) for _ in range(channels)] if rate != own_rate else []
    for block in blocks:
        found = block.shape[0]
        if found < channels:
            block = np.repeat(block, channels, axis=0)
        elif found > channels:
            block = block.mean(axis=0, keepdims=True, dtype=np.float32)
        if resamplers:
            rows = zip(resamplers, block, strict=True)
            block = np.stack([resampler.process(row) for resampler, row in rows])
        yield block
    if resamplers:
        yield np.stack([resampler.finish() for resampler in resamplers])


def _as_given(stretches: Iterable[Stems], channels: int, own_rate: float, rate: float) -> Iterator[Stems]:
    """Yield stems with the channels and the rate of the recording."""
    resamplers: list[StreamResampler] | None = None
    n_stems = 0
    for stretch in stretches:
        n_stems, found, _ = stretch.shape
        if found > channels:
            stretch = stretch.mean(axis=1, keepdims=True, dtype=np.float32)
        elif found < channels:
            stretch = np.repeat(stretch, channels, axis=1)
        if rate != own_rate:
            if resamplers is None:
                resamplers = [StreamResampler(own_rate, rate) for _ in range(n_stems * channels)]
            rows = zip(resamplers, stretch.reshape(n_stems * channels, -1), strict=True)
            stretch = np.stack([resampler.process(row) for resampler, row in rows]).reshape(
                n_stems, channels, -1
            )
        yield stretch
    if resamplers:
        yield np.stack([resampler.finish() for resampler in resamplers]).reshape(n_stems, channels, -1)
