"""How a signal is cut into frames, and how many threads its transform is worth."""

import multiprocessing
import os
import sys
from typing import Any, NamedTuple

from neurdsp._notices import warn
from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import choice, flag, integer, number, shown
from neurdsp.dsp.options import Precision, WindowSpec
from neurdsp.dsp.windows import WindowKey, window_key
from neurdsp.errors import ParameterError

__all__ = [
    "FrameKey",
    "default_threads",
    "frame_key",
    "is_exact",
    "threads_for",
    "warn_of_short_input",
]

# Below this many samples under the transform, starting threads costs more than it saves.
_WORTH_THREADS = 1 << 22


class FrameKey(NamedTuple):
    """All that the frames of a transform depend on, checked.

    Attributes
    ----------
    n_fft, hop_length
        Length of the transform and distance of the frames, in samples.
    window
        See `neurdsp.dsp.windows.WindowKey`.
    pad, pad_mode
        Samples of padding at each end, and what they are.
    frame_filter
        ``(remove_mean, preemphasis)``: what Kaldi does to each frame before its window.
    drop_last
        Whether the last frame is left out.
    """

    n_fft: int
    hop_length: int
    window: WindowKey
    pad: int
    pad_mode: str
    frame_filter: tuple[bool, float] | None
    drop_last: bool

    @property
    def n_bins(self) -> int:
        """Frequencies from zero to half the sample rate."""
        return self.n_fft // 2 + 1

    def short_lengths(self) -> tuple[int, int]:
        """Return the least and the largest number of samples that one thread transforms without a warning."""
        largest = self.hop_length * ((_WORTH_THREADS - 1) // self.n_fft) - 1
        return self.n_fft if self.pad else 1, min(max(largest, 0), sys.maxsize)


def frame_key(
    *,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: WindowSpec,
    center: bool = True,
    pad_mode: str = "constant",
    pad: int | None = None,
    frame_filter: tuple[bool, float] | None = None,
    periodic: bool = True,
    drop_last: bool = False,
) -> FrameKey:
    """Check the parameters of a framing.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `neurdsp.stft`.
    pad
        Padding at each end in samples, instead of the half frame of ``center``.
    frame_filter, drop_last
        As in `FrameKey`.
    periodic
        Whether the window is periodic.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain. Names of windows and paddings and the largest ``n_fft`` are
        checked by the core when it plans.
    """
    n_fft = integer("n_fft", n_fft, 1)
    win_length = n_fft if win_length is None else integer("win_length", win_length, 1)
    if win_length > n_fft:
        raise ParameterError(
            f"win_length is {win_length}, but it may be at most n_fft = {n_fft}; raise n_fft "
            "or lower win_length"
        )
    default_hop = max(win_length // 4, 1)
    hop_length = default_hop if hop_length is None else integer("hop_length", hop_length, 1)
    default_pad = n_fft // 2 if flag("center", center) else 0
    pad = default_pad if pad is None else integer("pad", pad, 0)
    drop_last = flag("drop_last", drop_last)
    if not isinstance(pad_mode, str):
        raise ParameterError(
            f"pad_mode is {shown(pad_mode)}, but it must be a name such as 'constant' or 'reflect'"
        )
    frame_filter = None if frame_filter is None else _frame_filter(frame_filter)
    periodic = flag("periodic", periodic)
    return FrameKey(
        n_fft=n_fft,
        hop_length=hop_length,
        window=window_key(window, win_length, periodic),
        pad=pad,
        pad_mode=pad_mode,
        frame_filter=frame_filter,
        drop_last=drop_last,
    )


def is_exact(precision: Precision) -> bool:
    """Whether the precision is ``"exact"``."""
    return choice("precision", precision, ("fast", "exact")) == "exact"


def default_threads(n_threads: int | None, n_rows: int, n_samples: int, n_fft: int, hop_length: int) -> int:
    """Return the number of threads: as given, or all cores where there is enough to do.

    In a child process of ``multiprocessing`` (a worker of a data loader, for instance) the default is one
    thread, so that workers do not compete for the cores. ``NEURDSP_NUM_THREADS`` sets another default.
    """
    if n_threads is not None:
        return integer("n_threads", n_threads, 1)
    if n_rows * (n_samples // hop_length + 1) * n_fft < _WORTH_THREADS:
        return 1
    told = os.environ.get("NEURDSP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_for(entries: list[Array], frames: FrameKey, n_threads: int | None) -> int:
    """Return how many threads the rows of ``entries`` are worth."""
    if n_threads is not None:
        return integer("n_threads", n_threads, 1)
    n_samples = sum(entry.shape[0] * entry.shape[-1] for entry in entries)
    return default_threads(None, 1, n_samples, frames.n_fft, frames.hop_length)


def warn_of_short_input(entries: list[Array], frames: FrameKey) -> None:
    """Warn of a centred transform of a signal that is shorter than one frame."""
    shortest = min(entry.shape[-1] for entry in entries)
    if frames.pad and shortest < frames.n_fft:
        warn(
            f"n_fft={frames.n_fft} is too large for input of {shortest} samples: every frame holds padding; "
            "lower n_fft"
        )


def _frame_filter(given: Any) -> tuple[bool, float]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ParameterError(
            f"frame_filter is {shown(given)}, but it must be (remove_mean, preemphasis), such as (True, 0.97)"
        )
    return flag("remove_mean", given[0]), number("preemphasis", given[1], least=0, most=1)
