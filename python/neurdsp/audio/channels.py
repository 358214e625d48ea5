"""Which channel of a signal to take, and what their mean would lose."""

from typing import Literal, TypeAlias

import numpy as np

from neurdsp.audio.checks import FloatArray
from neurdsp.errors import ParameterError

__all__ = ["Cancelling", "Channel", "check_channel", "take_channel"]

#: ``"mean"`` of all channels, ``"left"``, ``"right"``, or an index from 0.
Channel: TypeAlias = Literal["mean", "left", "right"] | int

# Of the channels' mean power, less than this in their mean tells that they cancel. Independent channels keep
# a half, and hard-panned ones a quarter.
_CANCELLED = 1e-2


def check_channel(channel: object, name: str = "channel") -> None:
    """Raise a `ParameterError` unless ``channel`` is one that a file can have."""
    index = isinstance(channel, int) and not isinstance(channel, bool) and channel >= 0
    if not index and channel not in ("mean", "left", "right"):
        raise ParameterError(
            f"{name} is {channel!r}, but it must be 'mean', 'left', 'right' or an index from 0 upwards"
        )


def take_channel(block: FloatArray, channel: Channel, name: str) -> FloatArray:
    """Return one channel ``(n,)`` of a block ``(n_channels, n)``; a mono signal is its left and its right.

    Parameters
    ----------
    block
        The samples.
    channel
        Which one.
    name
        Name of the file or array, for errors.

    Raises
    ------
    ParameterError
        If there is no such channel.
    """
    if channel == "mean":
        mean: FloatArray = block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float32)
        return mean
    named = {"left": 0, "right": 1 if len(block) > 1 else 0}
    index = named[channel] if isinstance(channel, str) else channel
    if index >= len(block):
        raise ParameterError(
            f"{name} has {len(block)} channel{'s' if len(block) > 1 else ''}, but channel {index} is asked "
            f"for; give one from 0 to {len(block) - 1}"
        )
    one: FloatArray = block[index]
    return one


class Cancelling:
    """Watches whether the channels of a signal cancel in their mean, block by block."""

    def __init__(self) -> None:
        self._apart = self._together = 0.0

    def watch(self, block: FloatArray, mean: FloatArray) -> None:
        """Take the next block ``(n_channels, n)`` and its mean ``(n,)``."""
        if len(block) > 1:
            self._apart += float(np.vdot(block, block)) / len(block)
            self._together += float(np.vdot(mean, mean))

    @property
    def found(self) -> str | None:
        """What to say of it, if they do."""
        if self._together >= _CANCELLED * self._apart:
            return None
        left_db = 10 * np.log10(self._together / self._apart) if self._together > 0 else -np.inf
        return (
            f"its channels cancel each other: their mean has {left_db:.0f} dB of their power; take "
            "one channel, left or right"
        )
