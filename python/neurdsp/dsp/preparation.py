"""What is done to a whole signal before it is cut into frames."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import flag, number
from neurdsp.dsp.frames import FrameKey
from neurdsp.dsp.windows import window_of
from neurdsp.errors import ParameterError

__all__ = ["Preparation", "prepare"]


@dataclass(frozen=True)
class Preparation:
    """Cutting or padding to a length, pre-emphasis, and Kaldi's mirrored edges, in this order.

    Attributes
    ----------
    length
        Samples that every signal is cut or padded with zeros to, or None.
    preemphasis
        Coefficient of the pre-emphasis.
    edges
        Length and distance of frames that are to cover the signal to its ends, or None.
    """

    length: int | None
    preemphasis: float
    edges: tuple[int, int] | None

    @property
    def needs_whole(self) -> str | None:
        """The parameter that needs the whole signal, or None."""
        return "pad_or_trim" if self.length is not None else "snip_edges" if self.edges is not None else None

    def __bool__(self) -> bool:
        return self.length is not None or self.edges is not None or bool(self.preemphasis)

    def n_samples(self, n_samples: int) -> int:
        """Return the length of a prepared signal of ``n_samples``."""
        n_samples = n_samples if self.length is None else self.length
        return n_samples if self.edges is None else sum(self._margins(n_samples)) + n_samples

    def __call__(self, rows: Array) -> Array:
        """Return prepared signals ``(rows, n)`` of signals ``(rows, n_samples)``."""
        if self.length is not None:
            rows = rows[:, : self.length]
            rows = np.pad(rows, ((0, 0), (0, self.length - rows.shape[1])))
        if self.preemphasis:
            result = rows.copy()
            result[:, 1:] -= rows.dtype.type(self.preemphasis) * rows[:, :-1]
            rows = result
        if self.edges is not None:
            bad = np.argwhere(~np.isfinite(rows))
            if len(bad):  # told here, where samples still have their own numbers
                raise ParameterError(
                    f"sample {bad[0][1]} of the audio is {rows[tuple(bad[0])]}; repair or drop such samples "
                    "first (numpy.nan_to_num)"
                )
            rows = rows[:, self.mirrored(rows.shape[1])]
        return np.ascontiguousarray(rows)

    def mirrored(self, n_samples: int) -> npt.NDArray[np.intp]:
        """Return the indices of a signal whose ends are mirrored, so that frames cover all of it."""
        before, after = self._margins(n_samples)
        index = np.pad(np.arange(n_samples), (max(before, 0), max(after, 0)), mode="symmetric")
        return index[max(-before, 0) : index.size - max(-after, 0)]

    def _margins(self, n_samples: int) -> tuple[int, int]:
        """Return the samples before and after a signal; negative ones are cut off.

        Frame ``t`` is centred at ``(t + 1/2) * hop_length``, as Kaldi's are.
        """
        length, hop = self.edges or (0, 1)
        before = length // 2 - hop // 2
        n_frames = (n_samples + hop // 2) // hop
        return before, max((n_frames - 1) * hop + length, 0) - before - n_samples if n_frames else -before


def prepare(
    frames: FrameKey, *, sr: float, pad_or_trim: Any, preemphasis: float, snip_edges: Any
) -> Preparation:
    """Check the parameters of a preparation; see `neurdsp.MelSpectrogram`.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, or frames are padded beside ``snip_edges=False``.
    """
    length = None
    if pad_or_trim is not None:
        length = max(round(number("pad_or_trim", pad_or_trim, above=0, most=86_400) * sr), 1)
    preemphasis = number("preemphasis", preemphasis, least=0, most=1)
    if flag("snip_edges", snip_edges):
        return Preparation(length, preemphasis, None)
    if frames.pad:
        raise ParameterError(
            f"snip_edges is False, which pads frames as Kaldi does, but they are padded by {frames.pad} "
            "samples already; pass center=False"
        )
    size = window_of(frames.window).size if frames.frame_filter is not None else frames.n_fft
    return Preparation(length, preemphasis, (size, frames.hop_length))
