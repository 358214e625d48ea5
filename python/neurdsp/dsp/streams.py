"""Mel spectrograms of audio that arrives block by block."""

from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import take_real
from neurdsp.dsp.checks import real_type
from neurdsp.dsp.engine import SpectrogramEngine
from neurdsp.dsp.options import Float
from neurdsp.dsp.preparation import Preparation
from neurdsp.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MelStream"]


class StreamablePlan(Protocol):
    """What a stream needs of a planned spectrogram."""

    @property
    def engine(self) -> SpectrogramEngine: ...
    @property
    def normalize(self) -> str | None: ...
    @property
    def preparation(self) -> Preparation: ...


class MelStream:
    """A mel spectrogram of a stream: push blocks of any size, get each frame as soon as it is complete.

    The frames equal those of the plan on the whole signal bit for bit, whatever the blocks; memory is bounded
    by the frame and the padding. `neurdsp.MelSpectrogram.stream` makes one.

    Parameters
    ----------
    plan
        The features.
    dtype
        Type of the blocks and of the result: float32 or float64.

    Raises
    ------
    ParameterError
        If the plan needs the whole signal: ``normalize``, ``pad_or_trim``, ``snip_edges=False`` or
        ``pad_mode="wrap"``.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> stream = neurdsp.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80).stream()
    >>> [stream.push(np.zeros(100, np.float32)).shape[1] for _ in range(6)], stream.flush().shape
    ([0, 1, 0, 1, 0, 1], (80, 1))
    """

    def __init__(self, plan: StreamablePlan, dtype: npt.DTypeLike = np.float32) -> None:
        if plan.normalize is not None:
            raise ParameterError(
                f"normalize is {plan.normalize!r}, which needs the whole signal; pass normalize=None and "
                "normalise the result"
            )
        needs_whole = plan.preparation.needs_whole
        if needs_whole is not None:
            raise ParameterError(
                f"{needs_whole} is set, which needs the whole signal; leave it out, or pass the signal whole"
            )
        self._dtype = real_type(dtype)
        self._double = self._dtype == np.float64
        self._stream = _core.SpectrogramStream(plan.engine.plan(self._double))
        self._preemphasis = plan.preparation.preemphasis
        self._last: Any = None

    @overload
    def push(self, y: npt.NDArray[Float]) -> npt.NDArray[Float]: ...
    @overload
    def push(self, y: "Tensor") -> "Tensor": ...
    def push(self, y: Any) -> Any:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        y
            Samples of the stream's type, ``(n_samples,)``; may be empty.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            ``(n_mels, n_frames)``; ``n_frames`` may be zero.

        Raises
        ------
        ParameterError
            If ``y`` has another type or shape, or holds NaN or infinity; the stream is then unchanged.
        """
        if getattr(y, "shape", None) == (0,):
            return self._cast(self._stream.push(np.empty(0, self._dtype)))
        batch = take_real(y)
        if batch.ragged or batch.leading != [()] or batch.dtype != self._dtype:
            raise ParameterError(
                f"y is {batch.dtype} of shape {getattr(y, 'shape', '(list)')}, but this stream takes "
                f"{self._dtype} of shape (n_samples,); make a stream for each channel"
            )
        block = batch.entries[0][0]
        frames = self._stream.push(self._emphasised(block))
        self._last = block[-1]
        return batch.give_back([self._cast(frames)[np.newaxis]])

    def flush(self) -> npt.NDArray[Any]:
        """End the signal: return its last frames ``(n_mels, n_frames)`` and start a new one.

        A signal too short for a frame has none.
        """
        self._last = None
        return self._cast(self._stream.flush())

    def reset(self) -> None:
        """Start a new signal, and drop the rest of the old one."""
        self._last = None
        self._stream.reset()

    def _cast(self, frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.ascontiguousarray(frames, self._dtype)

    def _emphasised(self, block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if not self._preemphasis:
            return block
        result = block.copy()
        result[1:] -= block.dtype.type(self._preemphasis) * block[:-1]
        if self._last is not None:
            result[0] -= block.dtype.type(self._preemphasis) * self._last
        return result
