"""Playing a clip block by block, with the latency removed."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray, check_audio
from neurdsp.errors import ModelFileError, ParameterError

__all__ = ["BLOCK_SAMPLES", "aligned"]

#: Samples of each channel that are played at a time.
BLOCK_SAMPLES = 65_536


def aligned(
    play: Callable[[FloatArray], FloatArray],
    latency: int,
    blocks: Iterable[npt.ArrayLike],
) -> Iterator[FloatArray]:
    """Yield the output of ``play`` for the blocks, beginning with the sample that belongs to the first one.

    Parameters
    ----------
    play : callable
        Takes samples along the last axis, and returns as many, delayed by ``latency``.
    latency : int
        In samples.
    blocks : iterable of array_like of float
        The parts of the clip in order.

    Yields
    ------
    ndarray of float32
        Parts whose lengths add up to those of the blocks.

    Raises
    ------
    ParameterError
        If a block is unusable; a bad sample is named by its position in the clip.
    ModelFileError
        If the output is not finite.
    """

    def checked(samples: FloatArray) -> FloatArray:
        played = play(samples)
        if not np.isfinite(played).all():
            raise ModelFileError(
                "the output of the model is not finite: its weights are damaged or do not suit the level; "
                "use another model, or less gain before it"
            )
        return played

    n_in, late = 0, latency
    shape: tuple[int, ...] = ()
    for block in blocks:
        samples = check_audio(block, first_sample=n_in)
        if n_in and samples.shape[:-1] != shape:
            raise ParameterError(
                f"a block has shape {samples.shape}, but other channels than those before it"
            )
        n_in += samples.shape[-1]
        shape = samples.shape[:-1]
        played = checked(samples)[..., late:]
        late = max(0, late - samples.shape[-1])
        if played.size:
            yield played
    missing = min(latency, n_in)
    if missing:
        yield checked(np.zeros((*shape, late + missing), np.float32))[..., late:]
